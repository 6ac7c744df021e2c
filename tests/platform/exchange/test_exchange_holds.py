"""A hold at the platform: its leaves stand in the commit that takes it, whether or not the learner can be reached."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from tests.journeys.parties import PORTAL, PROVIDER, SCHOOL, World
from tests.platform.exchange.posts import SUBJECT, answer, drafted, vault_says, work

from wissel.assembly.switch import Switchboard
from wissel.client.compose import Draft
from wissel.core.errors import WisselError
from wissel.infra.http.ports import Response
from wissel.infra.sql.ports import Statement
from wissel.messages.catalogue import Malformed
from wissel.messages.enrolment import NoticeSent
from wissel.messages.fields import Payload
from wissel.messages.holds import ENDED, NOBODY, PLACED, HoldEnded, HoldPlaced
from wissel.messages.jose import hash64
from wissel.messages.verify import open_jwe, parse, unb64
from wissel.platform.exchange.errors import NotGranted, ProcessMismatch
from wissel.platform.store import messages

HELD = ("A" * 43, "B" * 43, "C" * 43)


def placed(**changes: Any) -> HoldPlaced:
    """Return a hold of three messages from the day on which the world begins."""
    data = HoldPlaced(role="objections", ground="objection", since="2026-04-15", until="2026-10-01", held=HELD)
    return msgspec.structs.replace(data, **changes)


def said(world: World, data: Payload, *, kind: str = PLACED, capability: str = "", **more: Any) -> Draft:
    """Return what the school says of a hold."""
    values: dict[str, Any] = {
        "source": SCHOOL,
        "recipient": SUBJECT,
        "subject": SUBJECT,
        "grant": hash64(capability) if capability else NOBODY,
        "capability": capability,
        **more,
    }
    return world.draft(kind, data, **values)


async def send(world: World, made: Draft) -> None:
    """Let the school send it."""
    await Switchboard(world.platform.desk).accept(SCHOOL, msgspec.json.encode(made.signed(world.keys[SCHOOL])))


async def log_of(world: World, process: str) -> list[dict[str, Any]]:
    """Return what is to stand in the log of one process, in the order of its commits."""
    rows = await world.database.fetch("SELECT entry FROM pending_leaves")
    rows += await world.database.fetch("SELECT entry FROM log_entries")
    found = [msgspec.json.decode(row[0]) for row in rows if isinstance(row[0], bytes)]
    return [entry for entry in found if entry.get("process") == process]


def events(entries: Sequence[dict[str, Any]]) -> list[str]:
    return sorted(entry["event"] for entry in entries)


async def capability(world: World) -> str:
    """Return the capability that a learner leaves at the school with her message."""
    body = world.by_learner(drafted(world))
    await Switchboard(world.platform.desk).accept(PORTAL, body)
    await work(world)
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 1)
    assert not (await answer(world, offered)).code
    header = parse(unb64(_opened(world, offered.header).split(".")[1]))
    return str(header["capability"])


def _opened(world: World, jwe: str) -> str:
    return open_jwe(jwe, world.seals[SCHOOL].private_jwk).decode()


async def test_a_hold_without_a_capability_is_logged_and_ends_undelivered_in_one_commit(world: World) -> None:
    made = said(world, placed())
    await send(world, made)
    entries = await log_of(world, made.envelope.process)
    assert events(entries) == ["hold.placed"] * 3 + ["message.accepted", "message.undelivered"]
    leaves = [entry for entry in entries if entry["event"] == "hold.placed"]
    assert {entry["commitment"] for entry in leaves} == set(HELD)
    facts = ("holder", "role", "ground", "until", "message")
    assert {tuple(entry[name] for name in facts) for entry in leaves} == {
        (SCHOOL, "objections", "objection", "2026-10-01", made.envelope.id)
    }
    assert await messages.count(world.database, "mail") == 0


async def test_it_is_copied_to_its_sender_settled_and_forgotten(world: World) -> None:
    made = said(world, placed())
    await send(world, made)
    for _ in range(12):
        await work(world)
        await world.clock.sleep(2)
    delivered = [msgspec.json.decode(call.body) for call in world.sent if call.url == "https://school.test/copies"]
    assert len(delivered) == 1
    copy = parse(_opened(world, delivered[0]["copies"][0]["jwe"]).encode())
    assert parse(unb64(copy["undelivered"].split(".")[1]))["reason"] == "no delivery capability"
    assert "process.forgotten" in events(await log_of(world, made.envelope.process))


async def test_the_same_again_is_answered_and_logged_once(world: World) -> None:
    made = said(world, placed())
    for _ in range(2):
        await send(world, made)
    assert events(await log_of(world, made.envelope.process)).count("hold.placed") == 3


async def test_by_a_capability_it_waits_for_her_vault_and_is_logged_at_once(world: World) -> None:
    made = said(world, placed(), capability=await capability(world))
    await send(world, made)
    assert events(await log_of(world, made.envelope.process)) == ["hold.placed"] * 3 + ["message.accepted"]
    row = (await messages.heads(world.database, PROVIDER, 2**62, 10))[0]
    assert row.process == made.envelope.process


@pytest.mark.parametrize(("status", "attempts"), [(410, 0), (404, 1), (403, 1), (401, 1)])
async def test_by_a_revoked_capability_it_ends_withdrawn_and_the_leaves_stand(
    world: World, status: int, attempts: int
) -> None:
    made = said(world, placed(), capability=await capability(world))
    world.answers["/messages"] = Response(status, {}, b"a proxy's own page")
    await send(world, made)
    await work(world)
    (waiting,) = await messages.heads(world.database, PROVIDER, 2**62, 10)
    assert waiting.attempts > 0, "a bare status is nobody's word"
    await world.database.commit([Statement("UPDATE mail SET attempts = ?, due_ms = 0", [(0,)])])
    world.answers["/messages"] = vault_says(status)
    await world.clock.sleep(600)
    await work(world, 1)
    assert [row.attempts for row in await messages.heads(world.database, PROVIDER, 2**62, 10)] == [1][:attempts]
    await world.clock.sleep(600)
    await work(world)
    entries = await log_of(world, made.envelope.process)
    assert events(entries).count("hold.placed") == 3
    (end,) = [entry for entry in entries if entry["event"] == "message.undelivered"]
    assert end["outcome"] == "undelivered"


async def test_the_end_of_a_hold_has_leaves_of_its_own(world: World) -> None:
    ended = HoldEnded(role="archivist", ground="objection", since="2026-04-15", held=HELD[:1])
    made = said(world, ended, kind=ENDED)
    await send(world, made)
    (leaf,) = [entry for entry in await log_of(world, made.envelope.process) if entry["event"] == "hold.ended"]
    assert (leaf["role"], leaf["commitment"], "ground" in leaf) == ("archivist", HELD[0], False)


async def test_a_message_named_twice_has_one_leaf(world: World) -> None:
    made = said(world, placed(held=(HELD[0], HELD[0])))
    await send(world, made)
    assert events(await log_of(world, made.envelope.process)).count("hold.placed") == 1


async def refused(world: World, made: Draft, error: type[WisselError], field: str) -> None:
    """Hold that something is refused, with the field at fault, and that nothing of it stands anywhere."""
    with pytest.raises(error) as caught:
        await send(world, made)
    assert caught.value.field == field
    assert await log_of(world, made.envelope.process) == []


async def test_a_hold_cannot_be_said_to_begin_later_than_it_is_said(world: World) -> None:
    later = placed(since="2026-04-16", until="2027-04-16")
    await refused(world, said(world, later), Malformed, "/data/since")


async def test_a_hold_leans_on_her_capability_or_on_nobody(world: World) -> None:
    await refused(world, said(world, placed(), grant="C" * 43), NotGranted, "/envelope/grant")
    jwe = await capability(world)
    await refused(world, said(world, placed(), capability=jwe, grant=NOBODY), NotGranted, "/envelope/grant")


async def test_nothing_but_a_hold_goes_to_nobody(world: World) -> None:
    notice = said(world, NoticeSent(title="t", text="t"), kind="nl.wissel.notice.sent.v1")
    await refused(world, notice, ProcessMismatch, "/envelope/process")


async def test_a_hold_is_no_message_of_a_running_process(world: World) -> None:
    body = world.by_learner(drafted(world))
    await Switchboard(world.platform.desk).accept(PORTAL, body)
    process = msgspec.json.decode(body)["envelope"]["process"]
    made = said(world, placed())
    inside = msgspec.structs.replace(made, envelope=msgspec.structs.replace(made.envelope, process=process))
    with pytest.raises(ProcessMismatch):
        await send(world, inside)
    assert "hold.placed" not in events(await log_of(world, process))

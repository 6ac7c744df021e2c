"""Keys of a message's own: special categories and earlier end dates die before their process does, and cleanly."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.journeys.parties import ORIGIN, PORTAL, SCHOOL, World
from tests.platform.exchange.posts import answer, drafted, following, work

from wissel.assembly.switch import Switchboard
from wissel.client.compose import Draft
from wissel.core.ids import partition_of
from wissel.infra.sql.ports import Statement
from wissel.messages.envelope import Envelope, Offered, SenderProof
from wissel.messages.verify import Refused, Trust, b64, open_jwe, sha256, verify
from wissel.platform.exchange import sealing
from wissel.platform.exchange.copies import Copies
from wissel.platform.exchange.lifecycle import Lifecycle
from wissel.platform.exchange.rows import Spoken, take
from wissel.platform.exchange.rules import own_key
from wissel.platform.forgetting.actions.destroyer import Destroyer
from wissel.platform.forgetting.actions.inspection import oldest_readable
from wissel.platform.forgetting.errors import KeyGone, SealBroken
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.thief.actions import rob
from wissel.platform.forgetting.words import KeyName, KeyRow
from wissel.platform.store import messages
from wissel.platform.store.words import Which

DAY = 86_400
FIRST, SECOND = "MARKER-first-objection", "MARKER-second-objection"


async def both(world: World, days: int = 2) -> tuple[Draft, Draft]:
    """Let her object, and once more with an end date of its own; the second waits behind the first in its lane."""
    board, today = Switchboard(world.platform.desk), world.clock.now().date()
    first = drafted(world, FIRST, enddate=today + timedelta(days=30))
    await board.accept(PORTAL, world.by_learner(first), world.logged_in())
    second = following(world, first, 2, SECOND, enddate=today + timedelta(days=days))
    await board.accept(PORTAL, world.by_learner(second), world.logged_in())
    await work(world, 2)
    return first, second


async def key_rows(world: World, process: str) -> dict[tuple[str, str], KeyRow]:
    """Return the wrapped keys of a process by class and scope."""
    return {(row.cls, row.scope): row for row in await world.platform.keys.rows([process])}


async def destroy(world: World) -> None:
    """Carry out what was ordered destroyed."""
    platform = world.platform
    await Destroyer(platform.keystore, world.database, platform.keys, world.entropy).step(world.clock.now())


def dead(world: World, row: KeyRow) -> bool:
    """Tell whether nobody can unwrap a key any more."""
    try:
        world.platform.keystore.slot(row.end_day, row.slot)
    except KeyGone:
        return True
    return False


def scope(envelope: Envelope) -> str:
    """Return how a message is named within its process."""
    return f"{envelope.source} {envelope.id}"


async def head(world: World) -> Offered:
    """Return the one message that is offered."""
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 10)
    return offered


@pytest.mark.parametrize(
    ("dataclass", "day", "own"),
    [
        ("personal", date(2026, 4, 30), ""),
        ("personal", date(2026, 4, 29), "post"),
        ("none", date(2026, 4, 29), "post"),
        ("special", date(2026, 4, 30), "special"),
        ("special", date(2026, 4, 29), "special"),
    ],
)
def test_a_message_gets_a_key_of_its_own_when_it_ends_before_its_process_or_is_special(
    dataclass: str, day: date, own: str
) -> None:
    assert own_key(msgspec.convert(dataclass, Envelope.__annotations__["dataclass"]), day, date(2026, 4, 30)) == own


async def test_each_special_message_lies_under_its_own_key_of_its_own_end_day(world: World) -> None:
    begun, followed = await both(world)
    first, second = begun.envelope, followed.envelope
    rows = await key_rows(world, first.process)
    assert {name for name in rows if name[0] in {"post", "special"}} == {
        ("post", ""),
        ("special", scope(first)),
        ("special", scope(second)),
    }
    assert rows["special", scope(first)].day == rows["post", ""].day == first.enddate
    assert rows["special", scope(second)].day == second.enddate
    which = Which(partition_of(first.process), first.process, first.source, first.id)
    row = await messages.find(world.database, which)
    ring = await world.platform.keys.load([first.process])
    assert row is not None
    with pytest.raises(SealBroken):
        ring[KeyName(first.process, "post")].open(row.sealed, place(first.process, scope(first), "special"))
    assert FIRST.encode() in bytes((await head(world)).data), "and it opens for whom it is meant"


async def test_a_special_payload_cannot_be_read_once_its_copies_are_made_while_its_process_runs(
    world: World, tmp_path: Path
) -> None:
    begun, followed = await both(world)
    first, second = begun.envelope, followed.envelope
    before = await key_rows(world, first.process)
    oldest = await oldest_readable(world.platform.keystore, world.database)
    control = [reading.plain for reading in rob(tmp_path).readings]
    for marker in (FIRST, SECOND):
        assert any(marker.encode() in plain for plain in control), "the control: a seized disk gives both away"
    assert not (await answer(world, await head(world))).code
    await work(world, 1)
    assert dead(world, before["special", scope(first)])
    assert not dead(world, before["special", scope(second)]), "its copies are not made yet"
    after = await key_rows(world, first.process)
    assert set(before) - set(after) == {("special", scope(first)), ("memory", "")}
    assert ("post", "") in after, "the process is not settled"
    seized = [reading.plain for reading in rob(tmp_path).readings]
    assert any(SECOND.encode() in plain for plain in seized)
    assert not any(FIRST.encode() in plain for plain in seized)
    assert oldest == await oldest_readable(world.platform.keystore, world.database), "post is as old, and alive"
    (kept,) = await world.database.fetch("SELECT sealed, receipt, stage FROM messages WHERE id = ?", (first.id,))
    assert kept == (b"", b"", "copied")


async def test_without_a_receipt_a_special_payload_stays_for_its_receiver(world: World) -> None:
    begun, _ = await both(world)
    first = begun.envelope
    assert not (await answer(world, await head(world), "later")).code
    await work(world, 2)
    assert ("special", scope(first)) in await key_rows(world, first.process)
    await world.clock.sleep(400)
    assert FIRST.encode() in bytes((await head(world)).data)


async def test_at_its_own_end_date_a_message_is_not_delivered_before_its_day_dies_and_the_rest_goes_on(
    world: World,
) -> None:
    begun, followed = await both(world, days=1)
    first, second = begun.envelope, followed.envelope
    row = (await key_rows(world, first.process))["special", scope(second)]
    await world.clock.sleep(2 * DAY - 8 * 3600)
    await work(world, 1)
    await world.clock.sleep(11)
    await work(world, 2)
    (said,) = await world.database.fetch("SELECT stage, outcome FROM messages WHERE id = ?", (second.id,))
    assert said == ("copied", "undelivered")
    assert dead(world, row)
    copies = [copy for request in world.sent for copy in msgspec.json.decode(request.body).get("copies", [])]
    documents = [_opened(world, copy["jwe"]) for copy in copies]
    trust = Trust({ORIGIN: world.platform.identity.log.vkey}, (), 0)
    assert len(documents) == 2, "both parties get an afschrift"
    for document in documents:
        assert verify(document, trust).ok, verify(document, trust)
        assert b"payloadhash" in document
        assert SECOND.encode() not in document
    assert FIRST.encode() in bytes((await head(world)).data), "the message before it waits as before"
    assert not (await answer(world, await head(world))).code
    await work(world, 6)
    assert await key_rows(world, first.process) == {}


def _opened(world: World, jwe: str) -> bytes:
    for who in (SCHOOL, "learner"):
        try:
            return open_jwe(jwe, world.seals[who].private_jwk)
        except Refused:
            continue
    raise AssertionError("sealed to nobody")


async def test_what_nobody_decided_about_is_not_delivered_at_its_own_end_date_either(world: World) -> None:
    begun, followed = await both(world, days=1)
    first, second = begun.envelope, followed.envelope
    where = (partition_of(first.process), first.process)
    aside = Statement("INSERT INTO setaside (partition, process, code, at_ms) VALUES (?, ?, 'x', 1)", [where])
    third = following(world, begun, 3, "third", enddate=date.fromisoformat(second.enddate))
    await world.database.commit([aside])
    await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(third), world.logged_in())
    await world.clock.sleep(2 * DAY - 8 * 3600)
    await Lifecycle(world.platform.desk).step(world.clock.now())
    found = await world.database.fetch("SELECT stage, outcome FROM messages WHERE id = ?", (third.envelope.id,))
    assert found == [("ended", "undelivered")]
    assert await world.database.fetch("SELECT COUNT(*) FROM events WHERE name = ?", (first.type,)) == [(0,)]
    await world.database.commit([Statement("DELETE FROM setaside")])
    await work(world, 3)
    assert await world.database.fetch("SELECT COUNT(*) FROM setaside") == [(0,)], "the process goes on without it"
    assert FIRST.encode() in bytes((await head(world)).data)


async def test_what_ends_with_its_process_takes_its_own_keys_along(world: World) -> None:
    begun, _ = await both(world, days=29)
    first = begun.envelope
    rows = await key_rows(world, first.process)
    await world.clock.sleep(31 * DAY)
    await Lifecycle(world.platform.desk).step(world.clock.now())
    await work(world, 1)
    await Copies(world.platform.desk, world.platform.audit, 0).step(world.clock.now())
    await work(world, 2)
    await destroy(world)
    assert await key_rows(world, first.process) == {}
    assert all(dead(world, row) for row in rows.values())


async def test_two_sources_with_one_id_in_a_process_neither_conflict_nor_change_places(world: World) -> None:
    begun, _ = await both(world)
    first = begun.envelope
    theirs = msgspec.structs.replace(first, source=SCHOOL, recipient=first.source)
    which = [Which(partition_of(first.process), first.process, source, first.id) for source in (first.source, SCHOOL)]
    now, post = world.clock.now(), (await world.platform.keys.load([first.process]))[KeyName(first.process, "post")]
    sender = SenderProof(kind="signature", jws="a..b")
    spoken = Spoken(theirs, b'{"text":"theirs"}', b64(begun.nonce), sha256(b"theirs"), sender, ())
    taken = take(world.platform.desk, spoken, post, post.row.end_day, now)
    assert taken.row.own == "special"
    await world.database.commit(taken.statements)
    ring = await world.platform.keys.load([first.process])
    mine, others = [await messages.find(world.database, each) for each in which]
    assert mine is not None
    assert others is not None
    assert FIRST.encode() in sealing.unseal(ring, mine)[1]
    assert b"theirs" in sealing.unseal(ring, others)[1]
    under_post = [replace(row, own="", sealed=b"") for row in (mine, others)]
    receipts = [sealing.seal_receipt(post, row, row.source) for row in under_post]
    for row, other, sealed in zip(under_post, reversed(under_post), receipts, strict=True):
        assert sealing.receipt_of(ring, replace(row, receipt=sealed)) == row.source
        with pytest.raises(SealBroken):
            sealing.receipt_of(ring, replace(other, receipt=sealed))

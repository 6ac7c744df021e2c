"""The entrance: what is taken is taken once and whole; what is refused leaves nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.journeys.parties import PORTAL, SCHOOL, START, World, card_of, urn
from tests.platform.exchange.posts import OBJECTION, SUBJECT, answer, changed, drafted, objection, work
from tests.platform.processes.enrolment_world import the_request

from wissel.assembly.switch import Switchboard
from wissel.core.errors import WisselError
from wissel.messages.jose import SigningKey
from wissel.messages.records import read_acknowledgement


async def rows(world: World) -> list[int]:
    """Return how many rows there are of a process, its messages, keys and leaves."""
    counts = []
    for table in ("processes", "messages", "data_keys", "dedup", "events"):
        found = await world.database.fetch(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - a closed list
        counts.append(int(str(found[0][0])))
    return counts


async def refused(world: World, body: bytes, caller: str = PORTAL) -> WisselError:
    """Send something that must be refused whole; return why."""
    before = await rows(world)
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).accept(caller, body)
    assert await rows(world) == before, "nothing is half accepted"
    return caught.value


async def test_the_acknowledgement_is_the_platforms_signature_over_this_message(world: World) -> None:
    made = drafted(world)
    accepted = await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(made))
    said = read_acknowledgement(accepted.acknowledgement, world.platform.identity.signer.public_jwk)
    assert (said.decision, said.log) == ("accepted", "wissel.test/log")
    assert len(said.keys) == 3, "portal, identity provider and platform"


async def test_the_same_bytes_again_get_the_first_answer_and_nothing_twice(world: World) -> None:
    body, board = objection(world), Switchboard(world.platform.desk)
    first = await board.accept(PORTAL, body)
    before = await rows(world)
    again = await board.accept(PORTAL, body)
    assert (again.acknowledgement, again.first, first.first) == (first.acknowledgement, False, True)
    assert await rows(world) == before


async def test_the_same_bytes_get_the_first_answer_also_when_all_is_forgotten(world: World) -> None:
    body, board = objection(world), Switchboard(world.platform.desk)
    first = await board.accept(PORTAL, body)
    await work(world)
    (offered,) = await board.offered(SCHOOL, 10)
    await answer(world, offered)
    await work(world, 6)
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]
    again = await board.accept(PORTAL, body)
    assert again.acknowledgement == first.acknowledgement
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]


async def test_the_same_id_with_other_bytes_is_refused(world: World) -> None:
    body = objection(world)
    await Switchboard(world.platform.desk).accept(PORTAL, body)
    error = await refused(world, changed(body, "data.text", "Something else."))
    assert error.code == "id-taken"


CHANGES: dict[str, tuple[str, Any, str, str]] = {
    "a payload that was changed after signing": ("data.text", "Other words.", "sender-unproven", "/sender/jws"),
    "another purpose than the table's": ("envelope.purpose", "to sell shoes", "envelope-refused", "/envelope/purpose"),
    "another log": ("envelope.log", "elsewhere/log", "envelope-refused", "/envelope/log"),
    "an end date beyond the longest": ("envelope.enddate", "2036-01-01", "envelope-refused", "/envelope/enddate"),
    "an end date that has passed": ("envelope.enddate", "2026-04-14", "envelope-refused", "/envelope/enddate"),
    "a day that is none": ("envelope.enddate", "2026-02-31", "envelope-refused", "/envelope/enddate"),
    "a message from the future": ("envelope.time", "2026-04-16T07:00:00.000Z", "envelope-refused", "/envelope/time"),
    "an unknown type": ("envelope.type", "nl.wissel.no.such.v1", "message-type-unknown", "/type"),
    "a field that nobody knows": ("data.colour", "red", "payload-malformed", "/data"),
    "a field of the wrong shape": ("data.decision", 7, "payload-malformed", "/data/decision"),
    "an envelope with something extra": ("envelope.bsn", "123", "submission-malformed", "/envelope"),
    "a nonce that is too short": ("nonce", "abc", "submission-malformed", "/nonce"),
    "a token that is another's": ("sender.tokenhash", "A" * 43, "sender-unproven", "/sender/tokenhash"),
    "a portal that is not the caller": ("sender.portal", SCHOOL, "sender-unproven", "/sender/portal"),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_what_does_not_fit_is_refused_with_the_field_at_fault(world: World, what: str) -> None:
    path, value, code, field = CHANGES[what]
    error = await refused(world, changed(objection(world), path, value))
    assert (error.code, error.field) == (code, field)
    assert error.sentence
    assert "Other words" not in error.sentence, "an error never repeats what was sent"


BODIES: dict[str, Callable[[bytes], bytes]] = {
    "no JSON": lambda _: b"hello",
    "a name twice": lambda body: body.replace(b'{"envelope":', b'{"nonce":"x","envelope":', 1),
    "a number with a fraction": lambda body: body.replace(b'"text":"I object."', b'"text":1.5'),
    "nesting without end": lambda body: body.replace(b'"I object."', b"[" * 60 + b"]" * 60),
    "more than a mebibyte": lambda body: body + b" " * (1 << 20),
    "a list": lambda _: b"[]",
}


@pytest.mark.parametrize("what", BODIES)
async def test_a_body_that_is_no_submission_is_refused(world: World, what: str) -> None:
    error = await refused(world, BODIES[what](objection(world)))
    assert error.status in {400, 422}


async def test_without_a_live_grant_nothing_is_taken(world: World) -> None:
    error = await refused(world, objection(world, grant="A" * 43))
    assert (error.code, error.field) == ("not-granted", "/envelope/grant")


async def test_somebody_who_is_not_the_portal_cannot_send_for_a_learner(world: World) -> None:
    assert (await refused(world, objection(world), SCHOOL)).code == "sender-unproven"


async def test_a_log_in_of_eleven_minutes_ago_does_not_sign(world: World) -> None:
    await work(world)
    body = objection(world)
    await world.clock.sleep(11 * 60)
    error = await refused(world, body)
    assert (error.code, error.field) == ("sender-unproven", "/sender/token")


async def test_a_revoked_key_signs_nothing_any_more(world: World) -> None:
    await world.platform.participants.revoke(world.keys[PORTAL].kid, START)
    assert (await refused(world, objection(world))).code == "participant-unknown"


async def test_the_process_of_a_first_message_follows_from_its_id(world: World) -> None:
    made = drafted(world)
    envelope = msgspec.structs.replace(made.envelope, process="0197a1b2-0000-8000-8000-000000000001")
    error = await refused(world, world.by_learner(msgspec.structs.replace(made, envelope=envelope)))
    assert (error.code, error.field) == ("process-mismatch", "/envelope/process")


async def test_a_later_message_of_nothing_is_refused(world: World) -> None:
    made = drafted(world, addressee=None)
    envelope = msgspec.structs.replace(made.envelope, sequence="2")
    error = await refused(world, world.by_learner(msgspec.structs.replace(made, envelope=envelope)))
    assert error.code == "process-mismatch"


async def test_when_leaves_wait_too_long_nothing_is_accepted(world: World) -> None:
    await Switchboard(world.platform.desk).accept(PORTAL, objection(world, "first"))
    await world.clock.sleep(30)
    error = await refused(world, objection(world, "second"))
    assert (error.code, error.status) == ("too-busy", 503)
    await work(world)
    await world.clock.sleep(2)
    assert (await Switchboard(world.platform.desk).accept(PORTAL, objection(world, "third"))).first


def test_the_type_that_these_tests_send_is_in_the_catalogue() -> None:
    assert OBJECTION.startswith("nl.wissel.objection")


async def test_a_request_may_not_outlive_its_own_study_year(world: World) -> None:
    """Once October has come, the year after the one that runs is another one (law notes, section 7)."""
    await work(world)
    world.clock.moment = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
    kind = "nl.wissel.enrolment.requested.v1"
    values: dict[str, Any] = {"source": SUBJECT, "recipient": SCHOOL, "subject": SUBJECT, "grant": "A" * 43}
    made = world.draft(kind, the_request(start="2026-11-01"), addressee=world.addressee(), **values)
    assert made.envelope.enddate == "2027-10-12"
    envelope = msgspec.structs.replace(made.envelope, enddate="2028-10-12")
    longer = world.by_learner(msgspec.structs.replace(made, envelope=envelope))
    error = await refused(world, longer)
    assert (error.code, error.field) == ("envelope-refused", "/envelope/enddate")


async def test_a_first_message_says_where_her_copies_go(world: World) -> None:
    error = await refused(world, objection(world, addressee=None))
    assert (error.code, error.field) == ("envelope-refused", "/addressee")


async def test_who_signs_for_her_is_a_provider_or_the_portal_that_calls(world: World) -> None:
    named = msgspec.structs.replace(world.addressee(), provider=SCHOOL)
    error = await refused(world, objection(world, addressee=named))
    assert (error.code, error.field) == ("envelope-refused", "/addressee/provider")
    other = urn(9, "otherportal")
    await world.platform.participants.register(card_of(other, "portal", {other: SigningKey.new(world.entropy)}), START)
    assert (await refused(world, objection(world, addressee=msgspec.structs.replace(named, provider=other)))).code == (
        "envelope-refused"
    )
    place = msgspec.structs.replace(named, provider=PORTAL)
    assert (await Switchboard(world.platform.desk).accept(PORTAL, objection(world, addressee=place))).first

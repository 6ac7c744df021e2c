"""Mailboxes: heads of lanes, signed receipts, `later`, and what was not delivered in time."""

from datetime import timedelta

import msgspec
import pytest
from tests.journeys.parties import ORIGIN, PORTAL, PROVIDER, SCHOOL, World
from tests.platform.exchange.posts import answer, objection, vault_says, work

from wissel.assembly.switch import Switchboard
from wissel.infra.http.ports import Response
from wissel.messages.verify import Trust, open_jwe, verify


async def posted(world: World, count: int = 1) -> Switchboard:
    """Send so many objections and let the engine pass them on."""
    board = Switchboard(world.platform.desk)
    for number in range(count):
        await board.accept(PORTAL, objection(world, f"objection {number}"))
    await work(world)
    return board


async def test_looking_into_the_mailbox_changes_nothing(world: World) -> None:
    board = await posted(world, 3)
    first = [one.envelope.id for one in await board.offered(SCHOOL, 10)]
    assert first == [one.envelope.id for one in await board.offered(SCHOOL, 10)]
    assert len(first) == 3
    assert len(await board.offered(SCHOOL, 2)) == 2


async def test_mail_is_for_its_receiver_alone(world: World) -> None:
    board = await posted(world)
    assert await board.offered(PROVIDER, 10) == []


async def test_later_is_offered_again_after_a_while_and_counts_as_no_outcome(world: World) -> None:
    board = await posted(world)
    (offered,) = await board.offered(SCHOOL, 10)
    assert not (await answer(world, offered, "later")).code
    assert await board.offered(SCHOOL, 10) == []
    await world.clock.sleep(400)
    (again,) = await board.offered(SCHOOL, 10)
    assert again.acknowledgement == offered.acknowledgement


async def test_the_first_final_receipt_stands(world: World) -> None:
    board = await posted(world)
    (offered,) = await board.offered(SCHOOL, 10)
    assert not (await answer(world, offered, "rejected")).code
    assert (await answer(world, offered, "accepted")).code == "not-offered"


async def test_a_receipt_of_somebody_else_is_refused(world: World) -> None:
    board = await posted(world)
    (offered,) = await board.offered(SCHOOL, 10)
    assert (await answer(world, offered, who=PROVIDER)).code == "receipt-refused"
    assert len(await board.offered(SCHOOL, 10)) == 1


@pytest.mark.parametrize("off", [timedelta(days=-2), timedelta(days=2), timedelta(days=-2000)])
async def test_a_receipt_that_would_void_everybodys_copy_is_refused(world: World, off: timedelta) -> None:
    """What `verify` refuses as receipt-time is not taken as final: the receiver alone would spoil the evidence."""
    board = await posted(world)
    (offered,) = await board.offered(SCHOOL, 10)
    refused = await answer(world, offered, at=world.clock.now() + off)
    assert refused.code == "receipt-refused"
    assert len(await board.offered(SCHOOL, 10)) == 1
    almost = off / abs(off.days) * 0.99  # a clock that is not quite a day wrong
    assert not (await answer(world, offered, at=world.clock.now() + almost)).code


async def test_a_receipt_about_another_message_is_refused(world: World) -> None:
    board = await posted(world, 2)
    first, second = await board.offered(SCHOOL, 10)
    crossed = msgspec.structs.replace(first, acknowledgement=second.acknowledgement)
    assert (await answer(world, crossed)).code == "receipt-refused"


async def test_after_its_end_date_a_message_is_not_delivered_and_both_parties_know_by_its_hash(world: World) -> None:
    board = Switchboard(world.platform.desk)
    end = (world.clock.now() + timedelta(days=2)).date()
    await board.accept(PORTAL, objection(world, "MARKER-late", enddate=end))
    await work(world)
    for _ in range(3):
        await world.clock.sleep(86_400)
        await work(world, 1)
    await work(world)
    await world.clock.sleep(11)
    await work(world)
    assert await board.offered(SCHOOL, 10) == []
    copies = [msgspec.json.decode(request.body) for request in world.sent if request.url.endswith("/copies")]
    assert len(copies) == 2, "sender and receiver"
    trust = Trust({ORIGIN: world.platform.identity.log.vkey}, (), 0)
    opened = [
        open_jwe(copies[number]["copies"][0]["jwe"], world.seals[who].private_jwk)
        for number, request in enumerate(r for r in world.sent if r.url.endswith("/copies"))
        for who in (SCHOOL if "school" in request.url else "learner",)
    ]
    for document in opened:
        assert b"MARKER-late" not in document
        assert b"payloadhash" in document
        assert verify(document, trust).ok, verify(document, trust)


async def test_who_keeps_a_copy_is_told_its_day_and_no_more_of_it(world: World) -> None:
    board = await posted(world)
    (offered,) = await board.offered(SCHOOL, 10)
    await answer(world, offered)
    await work(world, 6)
    delivered = [msgspec.json.decode(request.body) for request in world.sent if request.url.endswith("/copies")]
    assert len(delivered) == 2, "sender and receiver"
    for body in delivered:
        (copy,) = body["copies"]
        assert copy.keys() == {"id", "jwe", "until"}
        assert copy["until"] == offered.envelope.enddate


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_copy_for_a_vault_that_withdrew_is_given_up_and_the_rest_goes_on(world: World, status: int) -> None:
    world.answers["vaults.test"] = vault_says(status)
    board = await posted(world)
    (offered,) = await board.offered(SCHOOL, 10)
    await answer(world, offered)
    await work(world, 6)
    await world.clock.sleep(60)
    await work(world, 3)
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]


async def test_a_vault_that_is_away_gets_its_copy_when_it_is_back(world: World) -> None:
    world.answers["vaults.test"] = Response(503, {}, b"")
    board = await posted(world)
    (offered,) = await board.offered(SCHOOL, 10)
    await answer(world, offered)
    await work(world, 6)
    assert await world.database.fetch("SELECT COUNT(*) FROM parcels") == [(1,)]
    world.answers.clear()
    await world.clock.sleep(400)
    await work(world, 3)
    assert await world.database.fetch("SELECT COUNT(*) FROM parcels") == [(0,)]
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]

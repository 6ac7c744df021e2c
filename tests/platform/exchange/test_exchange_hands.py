"""Handing over: one that cannot be opened or reached holds up nobody, and nobody reads what is not meant for it."""

from collections.abc import Awaitable, Callable

import msgspec
from tests.journeys.parties import PORTAL, PROVIDER, SCHOOL, World
from tests.platform.exchange.posts import answer, drafted, work

from wissel.assembly.switch import Switchboard
from wissel.core.moments import to_ms
from wissel.infra.http.ports import Request, Response, Unreachable
from wissel.infra.sql.ports import Statement
from wissel.platform.exchange import mailbox
from wissel.platform.exchange.delivery import REQUEST_BYTES_MAX, Delivery, in_requests
from wissel.platform.store import messages
from wissel.platform.store.words import ParcelRow


async def send(world: World, text: str, **more: object) -> str:
    """Send an objection; return its process."""
    body = world.by_learner(drafted(world, text, **more))
    await Switchboard(world.platform.desk).accept(PORTAL, body)
    return str(msgspec.json.decode(body)["envelope"]["process"])


class Network:
    """Calls that are counted, and answered as the test says."""

    def __init__(self, respond: Callable[[Request], Awaitable[Response]]) -> None:
        self.calls: list[Request] = []
        self._respond = respond

    async def send(self, request: Request) -> Response:
        """Count, and answer."""
        self.calls.append(request)
        return await self._respond(request)


async def unreachable(_: Request) -> Response:
    """Give no answer."""
    raise Unreachable("nobody is there")


async def test_a_message_that_does_not_open_keeps_no_other_from_being_offered(world: World) -> None:
    poisoned, whole = await send(world, "poisoned"), await send(world, "whole")
    await work(world)
    await world.database.commit([Statement("DELETE FROM data_keys WHERE process = ?", [(poisoned,)])])
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 10)
    assert offered.envelope.process == whole
    assert not (await answer(world, offered)).code


async def test_a_provider_cannot_read_in_its_mailbox_what_goes_sealed_to_a_vault(world: World) -> None:
    process = await send(world, "for her eyes")
    await work(world)
    move = Statement("UPDATE mail SET receiver = ? WHERE process = ?", [(PROVIDER, process)])
    subject = Statement("UPDATE messages SET recipient = source WHERE process = ?", [(process,)])
    await world.database.commit([move, subject])
    assert await Switchboard(world.platform.desk).offered(PROVIDER, 10) == []


async def test_one_answer_holds_no_more_than_it_may(world: World) -> None:
    for number in range(3):
        await send(world, f"{number} " + "x" * 1000)
    await work(world)
    desk = world.platform.desk
    small = msgspec.structs.replace(desk.limits, offered_bytes_max=100)
    object.__setattr__(desk, "limits", small)
    assert len(await mailbox.offered(desk, SCHOOL, 10)) == 1, "always one, and the others next time"


async def test_an_id_used_in_two_processes_is_settled_in_the_one_that_the_receipt_is_about(world: World) -> None:
    await send(world, "one")
    await send(world, "two")
    await work(world)
    first, second = await Switchboard(world.platform.desk).offered(SCHOOL, 10)
    heads = await world.database.fetch("SELECT COUNT(*) FROM mail")
    assert heads == [(2,)]
    same = first.envelope.id
    for table in ("mail", "messages"):
        sql = f"UPDATE {table} SET id = ? WHERE process = ?"  # noqa: S608 - a closed list
        await world.database.commit([Statement(sql, [(same, second.envelope.process)])])
    assert not (await answer(world, first)).code
    left = await messages.find_mail(world.database, SCHOOL, first.envelope.source, same)
    assert [row.process for row in left] == [second.envelope.process]


async def test_a_host_that_gave_no_answer_is_left_alone_for_a_while(world: World) -> None:
    board = Switchboard(world.platform.desk)
    network = Network(unreachable)
    await send(world, "one")
    await work(world)
    (offered,) = await board.offered(SCHOOL, 10)
    world.answers["test/"] = Response(503, {}, b"")
    await answer(world, offered)
    await work(world, 2)
    await world.clock.sleep(3600)
    delivery = Delivery(world.platform.desk, network)
    await delivery.copy(world.clock.now())
    assert len(network.calls) == 2, "the school's vault and hers"
    await world.database.commit([Statement("UPDATE parcels SET due_ms = 0")])
    await delivery.copy(world.clock.now())
    assert len(network.calls) == 2, "nobody waits again for who is away"
    await world.clock.sleep(600)
    await delivery.copy(world.clock.now())
    assert len(network.calls) == 4


async def test_a_copy_that_does_not_open_waits_and_the_others_go(world: World) -> None:
    board = Switchboard(world.platform.desk)
    world.answers["test/"] = Response(503, {}, b"")
    poisoned = await send(world, "poisoned")
    await send(world, "whole")
    await work(world)
    for offered in await board.offered(SCHOOL, 10):
        await answer(world, offered)
    await work(world, 3)
    assert await world.database.fetch("SELECT COUNT(*) FROM parcels") == [(4,)]
    await world.database.commit([Statement("DELETE FROM data_keys WHERE process = ?", [(poisoned,)])])
    world.answers.clear()
    await world.clock.sleep(3600)
    await work(world, 2)
    assert set(await world.database.fetch("SELECT process FROM parcels")) == {(poisoned,)}


def test_requests_to_a_vault_are_bounded_in_bytes() -> None:
    def row(size: int) -> ParcelRow:
        return ParcelRow(
            partition=0, process="p", party="x", commitment="c", host=b"", sealed=bytes(size),
            attempts=0, due_ms=0, until_ms=0,
        )  # fmt: skip

    sizes = [[len(row.sealed) for row in each] for each in in_requests([row(REQUEST_BYTES_MAX), row(5), row(6)])]
    assert sizes == [[REQUEST_BYTES_MAX], [5, 6]]
    assert [len(each) for each in in_requests([row(1)] * 150)] == [100, 50]


async def test_a_push_that_cannot_be_opened_holds_up_no_other(world: World) -> None:
    card = world.platform.participants.card(SCHOOL)
    endpoints = msgspec.structs.replace(card.endpoints, push="https://school.test/push")
    await world.platform.participants.register(msgspec.structs.replace(card, endpoints=endpoints), world.clock.now())
    poisoned = await send(world, "poisoned")
    whole = await send(world, "whole")
    pushed: list[str] = []

    async def respond(request: Request) -> Response:
        pushed.append(msgspec.json.decode(request.body)["messages"][0]["envelope"]["process"])
        return Response(202, {}, b"")

    await work(world, 2)
    await world.database.commit(
        [
            Statement("DELETE FROM data_keys WHERE process = ?", [(poisoned,)]),
            Statement("UPDATE mail SET due_ms = ?, attempts = 0", [(to_ms(world.clock.now()),)]),
        ]
    )
    assert await Delivery(world.platform.desk, Network(respond)).push(world.clock.now()) == 0
    assert pushed == [whole]
    attempts = await world.database.fetch("SELECT process, attempts FROM mail")
    assert sorted(attempts) == sorted([(poisoned, 1), (whole, 1)]), "both wait for their next attempt"

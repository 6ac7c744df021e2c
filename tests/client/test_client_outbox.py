"""One outbox, two stores: in memory and in a database."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.client.test_client_calls import MESSAGE, MORE, PlayedDoor, acknowledged, client
from tests.infra.http_scene import NOON, CountedEntropy

from wissel.client.outbox import ASK_AGAIN_S, MemoryOutbox, Outbox, OutboxStore, Outgoing, outgoing
from wissel.client.store import SqlOutbox, keep, let_go, tables
from wissel.core.moments import from_ms, to_ms
from wissel.infra.http.ports import Request, Response, Unreachable
from wissel.infra.http.problem import problem
from wissel.infra.sql.sqlite import SqliteDatabase


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OutboxStore]:
    if request.param == "memory":
        yield MemoryOutbox()
        return
    database = SqliteDatabase(tmp_path / "outbox.db")
    asyncio.run(database.commit(tables()))
    yield SqlOutbox(database)
    database.close()


def outbox(door: PlayedDoor, store: OutboxStore) -> Outbox:
    return Outbox(client(door), store, CountedEntropy("outbox"))


def refused(status: int, **headers: str) -> Response:
    return Response(status, headers, msgspec.json.encode(problem(status, "why", "Because.")))


async def kept(store: OutboxStore, later: datetime = NOON + timedelta(days=1000)) -> Sequence[Outgoing]:
    return await store.due(to_ms(later), 100)


async def test_a_message_is_sent_byte_for_byte_and_kept_until_its_receipt_is_held(store: OutboxStore) -> None:
    door = PlayedDoor(lambda _: acknowledged(MESSAGE))
    box = outbox(door, store)
    await box.keep(MESSAGE, NOON)
    assert await box.step(NOON) == 1
    assert await box.step(NOON + timedelta(seconds=ASK_AGAIN_S - 1)) == 0
    assert await box.step(NOON + timedelta(seconds=ASK_AGAIN_S)) == 1
    assert [call.body for call in door.calls] == [msgspec.json.encode(MESSAGE)] * 2
    [waiting] = await kept(store)
    assert waiting.acknowledgement
    await box.done(MESSAGE.envelope.source, MESSAGE.envelope.id)
    assert await kept(store) == []
    assert await box.step(NOON + timedelta(days=2)) == 0


async def test_what_gets_no_answer_is_tried_again_ever_slower_to_300_s(store: OutboxStore) -> None:
    def nothing(_: Request) -> Response:
        raise Unreachable("No answer came.")

    door = PlayedDoor(nothing)
    box, now, waits = outbox(door, store), NOON, list[float]()
    await box.keep(MESSAGE, NOON)
    for _ in range(14):
        assert await box.step(now) == 0
        [waiting] = await kept(store)
        due = from_ms(waiting.due_ms)
        assert await box.step(due - timedelta(milliseconds=1)) == 0
        waits.append((due - now).total_seconds())
        now = due
    assert len(door.calls) == 14
    assert 0.5 <= waits[0] <= 1
    assert all(150 <= wait <= 300 for wait in waits[10:])
    assert len({round(wait, 3) for wait in waits[10:]}) > 1


async def test_the_platforms_own_wish_to_wait_is_kept(store: OutboxStore) -> None:
    box = outbox(PlayedDoor(lambda _: refused(503, **{"retry-after": "120"})), store)
    await box.keep(MESSAGE, NOON)
    await box.step(NOON)
    [waiting] = await kept(store)
    assert waiting.due_ms == to_ms(NOON + timedelta(seconds=120))


async def test_what_is_refused_for_good_is_kept_with_the_reason_and_not_sent_again(store: OutboxStore) -> None:
    door = PlayedDoor(lambda _: refused(422))
    box = outbox(door, store)
    await box.keep(MESSAGE, NOON)
    assert await box.step(NOON) == 0
    assert await box.step(NOON + timedelta(days=1)) == 0
    assert len(door.calls) == 1
    if isinstance(store, MemoryOutbox):
        assert [each.refused for each in await store.all()] == ["why"]
    assert await kept(store) == []


class Stranger(PlayedDoor):
    """Gives no token: it does not know, or does not believe, who calls."""

    async def send(self, request: Request) -> Response:
        return refused(400) if request.url.endswith("/oauth/token") else await super().send(request)


@pytest.mark.parametrize("door", [PlayedDoor(lambda _: refused(401)), Stranger(lambda _: acknowledged(MESSAGE))])
async def test_a_platform_that_does_not_know_the_caller_is_asked_again(store: OutboxStore, door: PlayedDoor) -> None:
    box = outbox(door, store)
    await box.keep(MESSAGE, NOON)
    assert await box.step(NOON) == 0
    [waiting] = await kept(store)
    assert not waiting.refused
    assert to_ms(NOON) < waiting.due_ms <= to_ms(NOON + timedelta(seconds=300))


async def test_a_message_let_go_while_it_is_being_sent_does_not_come_back(store: OutboxStore) -> None:
    class Quick(PlayedDoor):
        """The receipt is in her vault before the platform's answer is here."""

        async def send(self, request: Request) -> Response:
            await store.drop(MESSAGE.envelope.source, MESSAGE.envelope.id)
            return await super().send(request)

    box = outbox(Quick(lambda _: acknowledged(MESSAGE)), store)
    await box.keep(MESSAGE, NOON)
    await box.step(NOON)
    assert await kept(store) == []


async def test_one_bad_message_does_not_hold_up_the_next(store: OutboxStore) -> None:
    def answer(request: Request) -> Response:
        return refused(422) if request.body == msgspec.json.encode(MESSAGE) else acknowledged(MORE)

    box = outbox(PlayedDoor(answer), store)
    await box.keep(MESSAGE, NOON)
    await box.keep(MORE, NOON)
    assert await box.step(NOON) == 1


async def test_after_its_end_date_a_message_is_let_go_unsent(store: OutboxStore) -> None:
    door = PlayedDoor(lambda _: acknowledged(MESSAGE))
    box = outbox(door, store)
    await box.keep(MESSAGE, NOON)
    end = datetime(2026, 7, 14, 22, tzinfo=UTC)  # midnight after 14 July, in Amsterdam
    assert outgoing(MESSAGE, NOON).end_ms == to_ms(end)
    await box.step(end)
    assert door.calls == []
    assert await kept(store) == []


async def test_a_message_can_be_kept_in_the_same_transaction_as_what_it_is_about(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "own.db")
    await database.commit(tables())
    message = outgoing(MESSAGE, NOON)
    await database.commit([keep(message), keep(outgoing(MORE, NOON)), let_go(MORE.envelope.source, MORE.envelope.id)])
    assert await SqlOutbox(database).due(to_ms(NOON), 10) == [message]
    database.close()

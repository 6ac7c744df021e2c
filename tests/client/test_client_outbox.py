"""One outbox, two stores: in memory and in a database."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.client.test_client_calls import MESSAGE, MORE, PlayedDoor, acknowledged, client
from tests.infra.http_scene import NOON, CountedEntropy

from wissel.client.errors import AnswerInvalid, NotComposed
from wissel.client.files import attach
from wissel.client.outbox import ASK_AGAIN_S, MemoryOutbox, Outbox, OutboxStore, Outgoing, outgoing
from wissel.client.store import SqlOutbox, keep, let_go, tables
from wissel.core.moments import from_ms, to_ms
from wissel.infra.http.ports import Request, Response, Unreachable
from wissel.infra.http.problem import problem
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.messages.files import FILE_BYTES_MAX, MediaType
from wissel.messages.jose import SealingKey
from wissel.messages.verify import b64, sha256


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
    await database.commit([keep(message), keep(outgoing(MORE, NOON)), *let_go(MORE.envelope.source, MORE.envelope.id)])
    assert await SqlOutbox(database).due(to_ms(NOON), 10) == [message]
    database.close()


FILE = attach(
    b"%PDF-1.4 fictitious",
    kind="diploma",
    name="Diploma",
    mediatype="application/pdf",
    to=SealingKey.new(CountedEntropy("college")).public_jwk,
    learner=SealingKey.new(CountedEntropy("learner")).public_jwk,
    entropy=CountedEntropy("file"),
)


def uploads(door: PlayedDoor) -> list[str]:
    """Return the hashes of what was uploaded, in order, and "message" for each message."""
    return [b64(sha256(call.body)) if "/v1/files" in call.url else "message" for call in door.calls]


def takes_files(request: Request) -> Response:
    if "/v1/files" in request.url:
        return Response(201, {}, msgspec.json.encode({"file": b64(sha256(request.body))}))
    return acknowledged(MESSAGE)


async def test_files_go_before_their_message_and_only_until_it_is_acknowledged(store: OutboxStore) -> None:
    door = PlayedDoor(takes_files)
    box = outbox(door, store)
    await box.keep(MESSAGE, NOON, FILE.sealed)
    assert await box.step(NOON) == 1
    assert sorted(uploads(door)[:2]) == sorted([FILE.ref.sealed, FILE.ref.copy])
    assert uploads(door)[2:] == ["message"]
    upload = door.calls[0]
    assert upload.headers["Content-Type"] == "application/jose"
    assert MESSAGE.envelope.process in upload.url
    assert "dataclass=personal" in upload.url
    await box.step(NOON + timedelta(seconds=ASK_AGAIN_S))
    assert uploads(door)[3:] == ["message"]
    await box.done(MESSAGE.envelope.source, MESSAGE.envelope.id)
    assert await store.files(MESSAGE.envelope.source, MESSAGE.envelope.id) in ((), [])


async def test_a_platform_that_lost_what_it_had_gets_the_files_again(store: OutboxStore) -> None:
    door = PlayedDoor(takes_files)
    box = outbox(door, store)
    await box.keep(MESSAGE, NOON, FILE.sealed)
    await box.step(NOON)
    unknown = Response(422, {}, msgspec.json.encode(problem(422, "file-unknown", "Upload it.")))
    later = NOON + timedelta(seconds=ASK_AGAIN_S)
    door.calls.clear()
    door.answer = lambda request: unknown if len(door.calls) == 1 else takes_files(request)
    await box.step(later)
    assert uploads(door) == ["message"]
    await box.step(later)
    assert len(uploads(door)[1:]) == 3
    [waiting] = await kept(store)
    assert waiting.acknowledgement
    assert not waiting.refused


async def test_a_message_waits_while_its_file_cannot_be_uploaded(store: OutboxStore) -> None:
    door = PlayedDoor(lambda request: refused(503) if "/v1/files" in request.url else acknowledged(MESSAGE))
    box = outbox(door, store)
    await box.keep(MESSAGE, NOON, FILE.sealed)
    assert await box.step(NOON) == 0
    assert "message" not in uploads(door)
    door.answer = takes_files
    assert await box.step(NOON + timedelta(days=1)) == 1


@pytest.mark.parametrize(
    ("data", "mediatype"),
    [(b"", "image/png"), (b"MZ\x90", "image/png"), (b"%PDF-" + bytes(FILE_BYTES_MAX), "application/pdf")],
)
def test_what_no_receiver_would_take_is_not_sealed(data: bytes, mediatype: MediaType) -> None:
    key = SealingKey.new(CountedEntropy("college")).public_jwk
    with pytest.raises(NotComposed) as caught:
        attach(data, kind="photo", name="x", mediatype=mediatype, to=key, learner=None, entropy=CountedEntropy("file"))
    assert caught.value.field == "data"


async def test_what_comes_down_is_held_to_its_hash() -> None:
    jwe = FILE.sealed[0].jwe
    assert await client(PlayedDoor(lambda _: Response(200, {}, jwe))).download(FILE.ref.sealed) == jwe
    with pytest.raises(AnswerInvalid):
        await client(PlayedDoor(lambda _: Response(200, {}, jwe + b"x"))).download(FILE.ref.sealed)

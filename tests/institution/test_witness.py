"""The institution's witness: it remembers before it signs, and never signs two histories (C2SP tlog-witness)."""

import base64
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wissel.core.tree import EMPTY_ROOT, consistency_path, leaf_hash, list_reader, root
from wissel.infra.sql.ports import Database, Statement, StoreFailed, Value
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.institution.witness.actions import Witness
from wissel.institution.witness.rules import judge, read
from wissel.institution.witness.store import SCHEMA
from wissel.institution.witness.words import Asked, Refusal, Seen
from wissel.messages.notes import NoteKey, WitnessKey, checkpoint_body, note
from wissel.messages.verify import check_note

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
ORIGIN = "wissel.example/log"
LOG = NoteKey(ORIGIN, hashlib.sha256(b"log").digest())
FALSE = NoteKey(ORIGIN, hashlib.sha256(b"somebody else").digest())
KEY = WitnessKey("hogeschool.example", hashlib.sha256(b"witness").digest())
ONE = [leaf_hash(n.to_bytes(2)) for n in range(300)]
OTHER = [*ONE[:50], *(leaf_hash(b"other" + n.to_bytes(2)) for n in range(250))]


def signed(size: int, hashes: Sequence[bytes] = ONE, key: NoteKey = LOG, origin: str = ORIGIN) -> str:
    body = checkpoint_body(origin, size, root(hashes[:size]))
    return note(body, [key.sign(body)])


def request(old: int, new: int, hashes: Sequence[bytes] = ONE, key: NoteKey = LOG) -> str:
    path = consistency_path(old, new, list_reader(hashes[:new])) if 0 < old < new else []
    lines = "".join(base64.b64encode(step).decode() + "\n" for step in path)
    return f"old {old}\n{lines}\n{signed(new, hashes, key)}"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    made = SqliteDatabase(tmp_path / "institution.db")
    await made.commit([SCHEMA])
    yield made
    made.close()


def witness(database: Database) -> Witness:
    return Witness(database, key=KEY, logs={ORIGIN: LOG.vkey})


async def test_a_growing_log_is_cosigned_step_by_step(database: SqliteDatabase) -> None:
    for old, new in [(0, 1), (1, 7), (7, 8), (8, 8), (8, 256), (256, 300)]:
        status, line = await witness(database).add_checkpoint(request(old, new), NOW)
        assert status == 200
        check_note(signed(new) + line, KEY.vkey)
    assert await witness(database).highest(ORIGIN) == signed(300)


async def test_a_cosignature_says_when_it_was_made(database: SqliteDatabase) -> None:
    _, line = await witness(database).add_checkpoint(request(0, 5), NOW)
    raw = base64.b64decode(line.split(" ")[2])
    assert int.from_bytes(raw[4:12]) == int(NOW.timestamp())


async def test_a_fork_is_never_cosigned(database: SqliteDatabase) -> None:
    assert (await witness(database).add_checkpoint(request(0, 100), NOW))[0] == 200
    for old, new, status in [(100, 100, 409), (100, 200, 422), (50, 200, 409), (0, 200, 409), (99, 99, 409)]:
        answer = await witness(database).add_checkpoint(request(old, new, OTHER), NOW)
        assert answer[0] == status
        assert "hogeschool" not in answer[1]
    assert (await witness(database).add_checkpoint(request(100, 200), NOW))[0] == 200


async def test_another_size_than_ours_is_answered_with_ours(database: SqliteDatabase) -> None:
    assert await witness(database).add_checkpoint(request(5, 9), NOW) == (409, "0\n")
    await witness(database).add_checkpoint(request(0, 9), NOW)
    assert await witness(database).add_checkpoint(request(5, 20), NOW) == (409, "9\n")
    assert await witness(database).add_checkpoint(request(5, 7), NOW) == (409, "9\n"), "never back"


async def test_an_unknown_log_is_not_found_and_a_false_signature_forbidden(database: SqliteDatabase) -> None:
    assert (await witness(database).add_checkpoint(request(0, 9, key=FALSE), NOW))[0] == 403
    strange = f"old 0\n\n{signed(9, origin='strange.example/log')}"
    assert (await witness(database).add_checkpoint(strange, NOW))[0] == 404
    assert await database.fetch("SELECT * FROM witness_seen") == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 5\n",
        f"old 05\n\n{signed(9)}",
        f"old -1\n\n{signed(9)}",
        f"new 0\n\n{signed(9)}",
        f"old 0\nnot base64\n\n{signed(9)}",
        f"old 0\n{'A' * 43}=\n{'A' * 44}\n\n{signed(9)}",
        "old 1\n" + f"{'A' * 43}=\n" * 64 + f"\n{signed(9)}",
        "old 0\n\nnot a note",
        f"old 0\n\n{signed(9)}" + "x" * 70_000,
        request(10, 10).replace("old 10", "old 11"),
    ],
)
async def test_what_is_no_request_is_refused(database: SqliteDatabase, body: str) -> None:
    assert (await witness(database).add_checkpoint(body, NOW))[0] == 400


async def test_a_proof_where_none_may_be_is_refused(database: SqliteDatabase) -> None:
    extra = request(0, 9).replace("old 0\n", f"old 0\n{'A' * 43}=\n")
    assert (await witness(database).add_checkpoint(extra, NOW))[0] == 422


async def test_nothing_is_signed_that_is_not_durable(database: SqliteDatabase) -> None:
    class Full:
        async def commit(self, unit: Sequence[Statement]) -> None:
            raise StoreFailed("disk full")

        async def fetch(self, sql: str, args: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
            return await database.fetch(sql, args)

    with pytest.raises(StoreFailed):
        await witness(Full()).add_checkpoint(request(0, 9), NOW)


async def test_of_two_requests_at_once_one_wins(database: SqliteDatabase) -> None:
    """C2SP tlog-witness describes this race: the slower one must not roll the faster one back."""
    await witness(database).add_checkpoint(request(0, 10), NOW)

    class Slow:
        async def commit(self, unit: Sequence[Statement]) -> None:
            assert (await witness(database).add_checkpoint(request(10, 200), NOW))[0] == 200
            await database.commit(unit)

        async def fetch(self, sql: str, args: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
            return await database.fetch(sql, args)

    assert await witness(Slow()).add_checkpoint(request(10, 100), NOW) == (409, "200\n")
    assert await database.fetch("SELECT size FROM witness_seen") == [(200,)]


async def test_what_was_seen_outlives_a_restart(tmp_path: Path) -> None:
    first = SqliteDatabase(tmp_path / "institution.db")
    await first.commit([SCHEMA])
    await witness(first).add_checkpoint(request(0, 100), NOW)
    first.close()
    again = SqliteDatabase(tmp_path / "institution.db")
    await again.commit([SCHEMA])
    assert (await witness(again).add_checkpoint(request(0, 100, OTHER), NOW))[0] == 409
    again.close()


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.booleans()), max_size=30),
)
def test_whatever_is_asked_all_that_is_cosigned_is_one_history(asked: list[tuple[int, int, bool]]) -> None:
    """Split view: two histories that part at leaf 50, in any order of requests, also from the right old size."""
    seen, history = Seen(), set[int]()
    for old, new, honest in asked:
        hashes = ONE if honest else OTHER
        for start in {old, seen.size}:
            if start > new:
                continue
            words = read(request(start, new, hashes))
            assert isinstance(words, Asked)
            judged = judge(seen, words, LOG.vkey)
            if isinstance(judged, Refusal):
                continue
            assert judged.size >= seen.size
            seen = judged
            history |= {1 if honest else 2} if new > 50 else set()
    assert len(history) <= 1
    assert seen.root in {root(ONE[: seen.size]), root(OTHER[: seen.size]), EMPTY_ROOT}

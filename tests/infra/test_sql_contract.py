"""What every database behind the port promises; SQLite today, each further one by another line in `OPENERS`."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from wissel.assembly.runner import WriterThread
from wissel.infra.sql.migrate import Migration, MigrationChanged, migrate, read_migrations
from wissel.infra.sql.ports import Conflict, Database, Statement, StoreFailed
from wissel.infra.sql.sqlite import SqliteDatabase, SqliteReader, StoreInUse, back_up
from wissel.platform.store import MIGRATIONS

OPENERS: dict[str, Callable[[Path], AbstractContextManager[Database]]] = {
    "sqlite in one thread": lambda file: closing(SqliteDatabase(file)),
    "sqlite with its writer thread": lambda file: WriterThread(SqliteDatabase(file)),
}
INSERT = "INSERT INTO things (id, name) VALUES (?, ?)"


@pytest.fixture(params=OPENERS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Return a database with one table."""
    with OPENERS[request.param](tmp_path / "store.sqlite") as opened:
        await opened.commit([Statement("CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT NOT NULL)")])
        yield opened


async def names(database: Database) -> list[object]:
    """Return the names in the table, by id."""
    return [name for (name,) in await database.fetch("SELECT name FROM things ORDER BY id")]


async def test_a_unit_is_committed_whole(database: Database) -> None:
    await database.commit([Statement(INSERT, [(1, "a"), (2, "b")]), Statement(INSERT, [(3, "c")])])
    assert await names(database) == ["a", "b", "c"]


async def test_a_key_that_exists_leaves_nothing_of_the_unit(database: Database) -> None:
    await database.commit([Statement(INSERT, [(1, "a")])])
    with pytest.raises(Conflict):
        await database.commit([Statement(INSERT, [(2, "b")]), Statement(INSERT, [(1, "again")])])
    assert await names(database) == ["a"]


async def test_rows_that_were_not_there_to_be_touched_leave_nothing_of_the_unit(database: Database) -> None:
    with pytest.raises(Conflict):
        await database.commit(
            [
                Statement(INSERT, [(1, "a")]),
                Statement("UPDATE things SET name = ? WHERE id = ?", [("x", 9)], expect=1),
            ]
        )
    assert await names(database) == []


async def test_a_conflict_in_one_unit_leaves_the_others_of_its_commit_whole(database: Database) -> None:
    await database.commit([Statement(INSERT, [(50, "there")])])
    units = [database.commit([Statement(INSERT, [(number, f"n{number}")])]) for number in range(100)]
    results = await asyncio.gather(*units, return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [Conflict]
    assert len(await names(database)) == 100


async def test_what_was_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with closing(SqliteDatabase(file)) as first:
        await first.commit([Statement("CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT NOT NULL)")])
        await first.commit([Statement(INSERT, [(1, "a")])])
    with closing(SqliteDatabase(file)) as again:
        assert await names(again) == ["a"]


async def test_a_second_process_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with closing(SqliteDatabase(tmp_path / "store.sqlite")), pytest.raises(StoreInUse, match="one process"):
        SqliteDatabase(tmp_path / "store.sqlite")


async def test_after_a_failed_commit_nothing_is_tried_again(tmp_path: Path) -> None:
    with closing(SqliteDatabase(tmp_path / "store.sqlite")) as broken:
        with pytest.raises(StoreFailed):
            await broken.commit([Statement("INSERT INTO nowhere (id) VALUES (?)", [(1,)])])
        with pytest.raises(StoreFailed):
            await broken.commit([Statement("CREATE TABLE things (id BIGINT)")])


async def test_a_back_up_and_a_reader_see_what_is_committed_and_write_nothing(tmp_path: Path) -> None:
    with closing(SqliteDatabase(tmp_path / "store.sqlite")) as database:
        await database.commit([Statement("CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT NOT NULL)")])
        await database.commit([Statement(INSERT, [(1, "a")])])
        back_up(tmp_path / "store.sqlite", tmp_path / "copy.sqlite")
        for file in ("store.sqlite", "copy.sqlite"):
            with closing(SqliteReader(tmp_path / file)) as reader:
                assert await names(reader) == ["a"]
                with pytest.raises(StoreFailed):
                    await reader.commit([])


async def test_migrations_run_once_each_and_in_order(tmp_path: Path) -> None:
    with closing(SqliteDatabase(tmp_path / "store.sqlite")) as database:
        found = read_migrations(MIGRATIONS)
        assert [each.number for each in found] == list(range(1, len(found) + 1))
        assert await migrate(database, found) == len(found)
        assert await migrate(database, found) == 0


async def test_a_migration_that_ran_may_not_change(tmp_path: Path) -> None:
    first = Migration(1, "one", "CREATE TABLE a (id BIGINT);\n")
    with closing(SqliteDatabase(tmp_path / "store.sqlite")) as database:
        await migrate(database, [first])
        with pytest.raises(MigrationChanged):
            await migrate(database, [first._replace(text="CREATE TABLE b (id BIGINT);\n")])


async def test_a_value_that_does_not_fit_fails_its_own_unit_and_the_store_goes_on(database: Database) -> None:
    for value in ((1 << 70, "too large"), (1, "no UTF-8 \ud800"), (1, {"no": "value"}), (1,)):
        with pytest.raises(Exception, match=r".") as caught:
            await asyncio.wait_for(database.commit([Statement(INSERT, [value])]), 5)  # type: ignore[list-item]  # what no type checker saw coming
        assert not isinstance(caught.value, StoreFailed | TimeoutError)
    await asyncio.wait_for(database.commit([Statement(INSERT, [(2, "b")])]), 5)
    assert await names(database) == ["b"]


async def test_in_a_quiet_moment_what_was_deleted_leaves_the_disk(tmp_path: Path) -> None:
    """DELETE is not erasure: without this the text stands in the journal until something else is written over it."""
    with WriterThread(SqliteDatabase(tmp_path / "store.sqlite")) as database:
        await database.commit([Statement("CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT NOT NULL)")])
        await database.commit([Statement(INSERT, [(number, f"Noor Voorbeeld {number}") for number in range(200)])])
        await database.commit([Statement("DELETE FROM things")])
        files = [tmp_path / "store.sqlite", tmp_path / "store.sqlite-wal"]
        with closing(sqlite3.connect(files[0], isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT COUNT(*) FROM things").fetchall()  # as a back-up does; it is not waited for
            await asyncio.sleep(1.2)
            assert any(b"Noor" in file.read_bytes() for file in files)
        for _ in range(100):
            await asyncio.sleep(0.1)
            if not any(b"Noor" in file.read_bytes() for file in files):
                break
        assert not any(b"Noor" in file.read_bytes() for file in files)
        await database.commit([Statement(INSERT, [(1, "a")])])
        assert await names(database) == ["a"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_when_the_writer_dies_nobody_waits_for_it(tmp_path: Path) -> None:
    with WriterThread(SqliteDatabase(tmp_path / "store.sqlite")) as database:
        mistakes = [database.commit([None]), database.commit([])]  # type: ignore[list-item]  # a mistake in our own code
        found = await asyncio.wait_for(asyncio.gather(*mistakes, return_exceptions=True), 5)
        assert isinstance(found[0], StoreFailed)
        with pytest.raises(StoreFailed, match="writer"):
            await asyncio.wait_for(database.commit([]), 5)

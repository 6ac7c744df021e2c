"""SQLite: the embedded store. One writer, group commit, one process.

Units wait in a queue; the writer takes all that wait and commits them in one transaction (one sync), each in
a savepoint of its own so that a conflict in one leaves the others whole. The writer is a function that a
thread owned by `assembly` calls; without such a thread a commit runs at once, which is what simulations use.
"""

import asyncio
import fcntl
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, ClassVar, Final, NamedTuple

from wissel.core.errors import WisselError
from wissel.infra.sql.ports import Conflict, Statement, StoreFailed, Value

UNITS_PER_COMMIT_MAX: Final = 512
QUIET_S: Final = 1.0
_PATIENCE: Final = "PRAGMA busy_timeout=5000"

_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",  # second line only: what is written is ciphertext
    "PRAGMA temp_store=MEMORY",  # nothing is spooled beside the database
    "PRAGMA foreign_keys=ON",
    _PATIENCE,
)


_UNFIT: Final = (
    OverflowError,
    TypeError,
    ValueError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
)
"""What one unit can get wrong by itself (a number too large, a text that is no UTF-8): it alone fails, with this."""


class StoreInUse(WisselError):
    """Another process has this SQLite store open; SQLite serves one process only."""

    code: ClassVar[str] = "store-in-use"
    status: ClassVar[int] = 503


class _Waiting(NamedTuple):
    unit: Sequence[Statement]
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[None]"


def _nothing(_point: str) -> None:
    return


class SqliteDatabase:
    """A `Database` in one SQLite file. `crash` is called at named points around a commit (fault tests)."""

    def __init__(self, path: Path, *, crash: Callable[[str], None] = _nothing) -> None:
        self.path = path
        self._crash = crash
        self._lock = _own(path)
        self._writer = _open(path)
        self._reader = _open(path)
        self._reader.execute("PRAGMA query_only=ON")
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._threaded = False
        self._stopped = False
        self._untidy = False
        self._broken = ""

    async def commit(self, unit: Sequence[Statement]) -> None:
        """Commit one unit; see `ports.Database`."""
        if not self._threaded:
            failure = self._commit([unit])[0]
            if failure:
                raise failure
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._queue.put(_Waiting(unit, loop, done))
        if self._stopped:
            self._let_down()
        await done

    async def fetch(self, sql: str, args: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Return committed rows; see `ports.Database`."""
        return self._reader.execute(sql, args).fetchall()

    def attach(self) -> None:
        """Say that a thread is going to call `write_until_closed`, before it starts."""
        self._threaded = True

    def write_until_closed(self) -> None:
        """Commit what waits, again and again, until `stop`. The one function of the writer's thread.

        Should it die of a mistake, whoever waits, or comes later, is told StoreFailed.
        """
        waiting, ending = list[_Waiting](), False
        try:
            while not ending:
                batch = [self._next()]
                while len(batch) < UNITS_PER_COMMIT_MAX and not self._queue.empty():
                    batch.append(self._queue.get())
                ending = None in batch
                waiting = [entry for entry in batch if entry is not None]
                for entry, failure in zip(waiting, self._commit([w.unit for w in waiting]), strict=True):
                    entry.loop.call_soon_threadsafe(_settle, entry.done, failure)
                waiting = []
        finally:
            self._stopped = True
            for untold in waiting:
                self._queue.put(untold)
            self._let_down()

    def _next(self) -> _Waiting | None:
        """Wait for something to write; in the first quiet moment after a commit, tidy up."""
        while self._untidy:
            try:
                return self._queue.get(timeout=QUIET_S)
            except Empty:
                self._tidy()
        return self._queue.get()

    def _tidy(self) -> None:
        """Fold the journal into the database and cut it to nothing, so that what was deleted stands in neither.

        Who reads the file meanwhile, such as a back-up, is not waited for: it is tried again a moment later.
        """
        try:
            self._writer.execute("PRAGMA busy_timeout=0")
            ((busy, *_),) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._writer.execute(_PATIENCE)
            self._untidy = bool(busy)
        except sqlite3.Error as error:
            self._broken = f"The database {self.path.name} could not tidy up ({error}). Stop, check the disk, start."
            self._untidy = False

    def stop(self) -> None:
        """Let the writer's thread end when all that waits is committed."""
        self._queue.put(None)

    def close(self) -> None:
        """Close the file. Call after the writer's thread has ended."""
        self._threaded = False
        self._reader.close()
        self._writer.close()
        self._lock.close()

    def _let_down(self) -> None:
        """Tell all that wait for a writer that has stopped."""
        while True:
            try:
                entry = self._queue.get_nowait()
            except Empty:
                return
            if entry is not None:
                failure = StoreFailed(f"The writer of {self.path.name} has stopped. Stop, look at the log, start.")
                entry.loop.call_soon_threadsafe(_settle, entry.done, failure)

    def _commit(self, units: Sequence[Sequence[Statement]]) -> Sequence[Exception | None]:
        if not units:
            return []
        if self._broken:
            return [StoreFailed(self._broken) for _ in units]
        self._untidy = True
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            outcomes = [self._write(unit) for unit in units]
            self._crash("commit.before")
            self._writer.execute("COMMIT")
            self._crash("commit.after")
        except sqlite3.Error as error:
            # After a failed sync nobody knows what is on the disk: stop, do not retry.
            self._broken = f"The database {self.path.name} could not commit ({error}). Stop, check the disk, start."
            return [StoreFailed(self._broken) for _ in units]
        return outcomes

    def _write(self, unit: Sequence[Statement]) -> Exception | None:
        self._writer.execute("SAVEPOINT unit")
        try:
            for statement in unit:
                _run(self._writer, statement)
        except sqlite3.IntegrityError as error:
            return self._undo(Conflict(f"A row is there already, or does not fit: {error}."))
        except (Conflict, *_UNFIT) as error:
            return self._undo(error)
        self._writer.execute("RELEASE unit")
        return None

    def _undo(self, error: Exception) -> Exception:
        self._writer.execute("ROLLBACK TO unit")
        self._writer.execute("RELEASE unit")
        return error


class SqliteReader:
    """A `Database` of which only `fetch` works: for looking into a store that another process serves."""

    def __init__(self, path: Path) -> None:
        self._reader = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)

    async def commit(self, unit: Sequence[Statement]) -> None:
        """Refuse: nothing is written here."""
        del unit
        raise StoreFailed("This store was opened for reading only.")

    async def fetch(self, sql: str, args: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Return committed rows; see `ports.Database`."""
        return self._reader.execute(sql, args).fetchall()

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


def back_up(source: Path, target: Path) -> None:
    """Copy what is committed in a database, also while a process uses it. A key store is never copied with it."""
    reader = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)
    copy = sqlite3.connect(target)
    try:
        reader.backup(copy)
    finally:
        copy.close()
        reader.close()
    target.chmod(0o600)


def _run(connection: sqlite3.Connection, statement: Statement) -> None:
    touched = connection.executemany(statement.sql, statement.rows).rowcount
    if statement.expect is not None and touched != statement.expect:
        verb = statement.sql.split(maxsplit=3)
        raise Conflict(f"{' '.join(verb[:3])} touched {touched} rows where {statement.expect} were to be there.")


def _settle(done: "asyncio.Future[None]", failure: Exception | None) -> None:
    if done.done():
        return  # the caller was cancelled; the commit stands
    if failure is None:
        done.set_result(None)
    else:
        done.set_exception(failure)


def _own(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_suffix(".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreInUse(
            f"{path.name} is in use by another process. SQLite serves one process: end that one first."
        ) from error
    return lock


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    path.chmod(0o600)
    return connection

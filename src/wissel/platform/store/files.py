"""Rows of files: sealed by their sender, waiting for a message that names them, then for its receiver."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from wissel.infra.sql.ports import Database, Statement, Value
from wissel.platform.store.table import columns, select
from wissel.platform.store.words import Where, Which

FileClass = Literal["post", "parcel", "special"]
NEVER_MS: Final = 2**53  # the end of what has ended: it is looked at no more
_ONE: Final = "partition = ? AND process = ? AND hash = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file without its bytes. `source` and `id` name the message it goes with; empty: none came yet."""

    partition: int
    process: str
    hash: str
    sender: str
    recipient: str
    keyclass: FileClass
    source: str
    id: str
    size: int
    end_ms: int

    @property
    def where(self) -> Where:
        """Which process it belongs to."""
        return Where(self.partition, self.process)

    @property
    def which(self) -> Which:
        """Which message names it."""
        return Which(self.partition, self.process, self.source, self.id)

    @property
    def key(self) -> tuple[int, str, str]:
        """What finds its row."""
        return (self.partition, self.process, self.hash)


class Waiting(NamedTuple):
    """How many files of a sender no message names yet, and how large they are in all."""

    number: int
    size: int


def keep(row: FileRow, sealed: bytes) -> Statement:
    """Insert a file; the same one twice in a process is a conflict."""
    names = columns(FileRow)
    marks = ", ".join("?" * (len(names) + 1))
    values: list[Value] = [getattr(row, name) for name in names]
    sql = f"INSERT INTO files ({', '.join(names)}, sealed) VALUES ({marks})"  # noqa: S608 - names come from code
    return Statement(sql, [(*values, sealed)])


def name(row: FileRow, source: str, message: str, end_ms: int) -> Statement:
    """Give a file to the message that names it; one that another names already, or that has ended, is a conflict."""
    return Statement(
        f"UPDATE files SET source = ?, id = ?, end_ms = ? WHERE {_ONE} AND id = '' AND size > 0",  # noqa: S608 - a constant
        [(source, message, end_ms, *row.key)],
        expect=1,
    )


def end_special(where: Where, end_ms: int) -> Statement:
    """Let what is special in a process end at `end_ms`, unless it ends sooner already."""
    return Statement(
        "UPDATE files SET end_ms = ? WHERE partition = ? AND process = ? AND keyclass = 'special' AND size > 0 "
        "AND end_ms > ?",
        [(end_ms, *where, end_ms)],
    )


def keep_until(where: Where, end_ms: int) -> Statement:
    """Let what waits for the learner's vault end when the copies do that wait beside it."""
    return Statement(
        "UPDATE files SET end_ms = ? WHERE partition = ? AND process = ? AND keyclass = 'parcel'",
        [(end_ms, *where)],
    )


def drop(row: FileRow) -> Statement:
    """Drop a file; one that is gone already is a conflict."""
    return Statement(f"DELETE FROM files WHERE {_ONE}", [row.key], expect=1)  # noqa: S608 - a constant


def empty(row: FileRow) -> Statement:
    """Empty a file that has ended before its message was settled, so that its receiver can be told."""
    return Statement(
        f"UPDATE files SET sealed = ?, size = 0, end_ms = ? WHERE {_ONE} AND size > 0",  # noqa: S608 - a constant
        [(b"", NEVER_MS, *row.key)],
        expect=1,
    )


async def find(database: Database, where: Where, digest: str) -> FileRow | None:
    """Return a file of a process."""
    rows = await select(database, FileRow, "files", f"WHERE {_ONE}", (*where, digest))
    return rows[0] if rows else None


async def named(database: Database, digest: str) -> list[FileRow]:
    """Return the files of this hash that a message names: one for each process that has such a one."""
    return await select(database, FileRow, "files", "WHERE hash = ? AND id <> ''", (digest,))


async def of_message(database: Database, which: Which) -> list[FileRow]:
    """Return the files that a message names."""
    rest = "WHERE partition = ? AND process = ? AND source = ? AND id = ? ORDER BY hash"
    return await select(database, FileRow, "files", rest, which)


async def waiting(database: Database, sender: str) -> Waiting:
    """Return what waits of a sender without a message that names it."""
    rows = await database.fetch("SELECT COUNT(*), SUM(size) FROM files WHERE sender = ? AND id = ''", (sender,))
    return Waiting(int(rows[0][0] or 0), int(rows[0][1] or 0))


async def past_end(database: Database, now_ms: int, limit: int) -> list[FileRow]:
    """Return files whose end has come."""
    return await select(database, FileRow, "files", "WHERE end_ms <= ? ORDER BY end_ms LIMIT ?", (now_ms, limit))


async def sealed(database: Database, row: FileRow) -> bytes:
    """Return the sealed bytes of a file; empty when it has ended or gone."""
    rows = await database.fetch(f"SELECT sealed FROM files WHERE {_ONE}", row.key)  # noqa: S608 - a constant
    return rows[0][0] if rows and isinstance(rows[0][0], bytes) else b""

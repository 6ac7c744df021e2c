"""Read SQLite files without their owner: the file as bytes, and its journal laid over it.

For who looks at a disk, a copy or a back-up: nothing on the disk changes, no lock is asked for.
"""

import sqlite3
from collections.abc import Iterator
from typing import Final, NamedTuple

HEADER: Final = b"SQLite format 3\x00"
_WAL_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24


class RawRow(NamedTuple):
    """One row as the file has it."""

    table: str
    values: dict[str, object]


def images(main: bytes, wal: bytes) -> Iterator[bytes]:
    """Yield the database without its journal, and with it. Yields nothing for what is no SQLite file."""
    if main.startswith(HEADER):
        yield main
    laid = _lay_over(main, wal)
    if laid and laid != main:
        yield laid


def _lay_over(main: bytes, wal: bytes) -> bytes:
    """Return the database as its journal makes it: the frames of this generation, up to the last commit."""
    size = int.from_bytes(wal[8:12])
    if len(wal) < _WAL_HEADER_BYTES or not size:
        return b""
    salts = wal[16:24]
    pages: dict[int, bytes] = {}
    committed: dict[int, bytes] = {}
    for at in range(_WAL_HEADER_BYTES, len(wal) - _FRAME_HEADER_BYTES - size + 1, _FRAME_HEADER_BYTES + size):
        if wal[at + 8 : at + 16] != salts:
            break
        pages[int.from_bytes(wal[at : at + 4])] = wal[at + _FRAME_HEADER_BYTES : at + _FRAME_HEADER_BYTES + size]
        if int.from_bytes(wal[at + 4 : at + 8]):
            committed |= pages
            pages = {}
    if not committed:
        return b""
    last = max(*committed, len(main) // size)
    whole = (committed.get(number, main[(number - 1) * size : number * size]) for number in range(1, last + 1))
    return b"".join(page.ljust(size, b"\x00") for page in whole)


def rows(image: bytes) -> Iterator[RawRow]:
    """Yield every row of every table. Stops where SQLite cannot read a damaged image any further."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.deserialize(image[:18] + b"\x01\x01" + image[20:])  # a database in memory has no WAL
        connection.execute("PRAGMA query_only=ON")
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            cursor = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names out of the file itself
            columns = [str(column[0]) for column in cursor.description]
            for values in cursor:
                yield RawRow(str(table), dict(zip(columns, values, strict=True)))
    except sqlite3.DatabaseError:
        return
    finally:
        connection.close()

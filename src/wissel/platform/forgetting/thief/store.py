"""Read SQLite files without their owner: the file, its journal laid over it, and rows that were deleted.

Works on bytes in memory, so nothing on the disk changes and no lock is asked for.
"""

import re
import sqlite3
from collections.abc import Iterator
from typing import Final, NamedTuple

HEADER: Final = b"SQLite format 3\x00"
_WAL_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
_WRAPPED_BYTES: Final = 60
_SLOT_BYTES_MAX: Final = 9

_CARVED: Final = re.compile(
    rb"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    rb"(memory|post|parcel|number|special)"
    rb"([0-9a-zA-Z:._-]{0,100}?)"
    rb"(\d{4}-\d\d-\d\d)"
)


class Cell(NamedTuple):
    """One BLOB of a row, with the texts of that row."""

    table: str
    column: str
    data: bytes
    texts: tuple[str, ...]


class Wrapped(NamedTuple):
    """A data key in its wrapping, found in a table or carved out of raw bytes."""

    process: str
    cls: str
    scope: str
    day: str
    data: bytes


def images(main: bytes, wal: bytes) -> Iterator[bytes]:
    """Yield the database without its journal, and with it."""
    if main.startswith(HEADER):
        yield main
    laid = _lay_over(main, wal)
    if laid and laid != main:
        yield laid


def _lay_over(main: bytes, wal: bytes) -> bytes:
    """Return the database as its journal makes it: the frames of this generation, up to the last commit."""
    if len(wal) < _WAL_HEADER_BYTES:
        return b""
    size = int.from_bytes(wal[8:12])
    salts = wal[16:24]
    pages: dict[int, bytes] = {}
    committed: dict[int, bytes] = {}
    for at in range(_WAL_HEADER_BYTES, len(wal) - _FRAME_HEADER_BYTES - size + 1, _FRAME_HEADER_BYTES + size):
        if wal[at + 8 : at + 16] != salts:
            break
        pages[int.from_bytes(wal[at : at + 4])] = wal[at + _FRAME_HEADER_BYTES : at + _FRAME_HEADER_BYTES + size]
        if int.from_bytes(wal[at + 4 : at + 8]):
            committed = dict(pages)
    if not committed:
        return b""
    last = max(*committed, len(main) // size)
    whole = (committed.get(number, main[(number - 1) * size : number * size]) for number in range(1, last + 1))
    return b"".join(page.ljust(size, b"\x00") for page in whole)


def cells(image: bytes) -> list[Cell]:
    """Return every BLOB of every table. What SQLite cannot read of a broken image is left to `carve`."""
    found: list[Cell] = []
    with _open(image) as connection:
        for table, columns, rows in _tables(connection):
            for row in rows:
                texts = tuple(value for value in row if isinstance(value, str))
                found += [
                    Cell(table, column, value, texts)
                    for column, value in zip(columns, row, strict=True)
                    if isinstance(value, bytes) and value
                ]
    connection.close()
    return found


def wrapped_keys(image: bytes) -> list[Wrapped]:
    """Return the rows of `data_keys`."""
    with _open(image) as connection:
        try:
            rows = connection.execute("SELECT process, class, scope, day, wrapped FROM data_keys").fetchall()
        except sqlite3.DatabaseError:
            rows = []  # no such table in this file
    connection.close()
    return [Wrapped(*row) for row in rows]


def carve(raw: bytes) -> list[Wrapped]:
    """Return rows of `data_keys` found in raw bytes: free pages, old journal frames, copies.

    The columns lie behind one another; the slot number between day and wrapped key takes 0 to 8 bytes.
    """
    found: list[Wrapped] = []
    for match in _CARVED.finditer(raw):
        process, cls, scope, day = (part.decode() for part in match.groups())
        for gap in range(_SLOT_BYTES_MAX):
            data = raw[match.end() + gap : match.end() + gap + _WRAPPED_BYTES]
            if len(data) == _WRAPPED_BYTES:
                found.append(Wrapped(process, cls, scope, day, data))
    return found


def _open(image: bytes) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(image[:18] + b"\x01\x01" + image[20:])  # a database in memory has no WAL
    connection.execute("PRAGMA query_only=ON")
    return connection


def _tables(connection: sqlite3.Connection) -> Iterator[tuple[str, list[str], list[tuple[object, ...]]]]:
    try:
        names = [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    except sqlite3.DatabaseError:
        return  # not readable as a database
    for name in names:
        try:
            cursor = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - names out of the file itself
            yield name, [str(column[0]) for column in cursor.description], cursor.fetchall()
        except sqlite3.DatabaseError:
            continue  # a damaged or virtual table: the raw scan still sees its bytes

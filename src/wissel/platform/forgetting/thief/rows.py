"""What the thief takes out of a database file: wrapped keys and everything that could be sealed."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from wissel.infra.sql.raw import RawRow

_WRAPPED_BYTES: Final = 60
_SLOT_BYTES_MAX: Final = 9

_CARVED: Final = re.compile(
    rb"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    rb"(memory|post|parcel|number|special)"
    rb"([0-9a-zA-Z:._ -]{0,150}?)"
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


def cells(rows: Iterable[RawRow]) -> list[Cell]:
    """Return every BLOB of these rows."""
    found: list[Cell] = []
    for table, values in rows:
        texts = tuple(value for value in values.values() if isinstance(value, str))
        found += [
            Cell(table, column, value, texts) for column, value in values.items() if isinstance(value, bytes) and value
        ]
    return found


def wrapped_keys(rows: Iterable[RawRow]) -> list[Wrapped]:
    """Return the rows of `data_keys` among these."""
    return [
        Wrapped(str(row["process"]), str(row["class"]), str(row["scope"]), str(row["day"]), row["wrapped"])
        for table, row in rows
        if table == "data_keys" and isinstance(row["wrapped"], bytes)
    ]


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

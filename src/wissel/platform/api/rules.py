"""Pure decisions of the API: how tile paths are read (C2SP tlog-tiles) and whom a log entry concerns."""

import re
from typing import Any, Final, NamedTuple

import msgspec

from wissel.infra.http.errors import Missing

FULL: Final = 256
LEVEL_MAX: Final = 63 // 8  # a tree of 2**64 leaves has no tile above it
_TILE: Final = re.compile(r"((?:x\d{3}/){0,5}\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)


class TilePath(NamedTuple):
    """Tile number and width (256: a full tile)."""

    n: int
    width: int


def read_tile_path(path: str) -> TilePath:
    """Read `x001/x234/067` or `x001/x234/067.p/8`. Raises Missing: there is one way to write each number."""
    found = _TILE.fullmatch(path)
    if found is None:
        raise Missing("There is no such tile.")
    groups = found.group(1).replace("x", "").split("/")
    width = int(found.group(2) or FULL)
    if width > FULL or (found.group(2) and width == FULL) or (len(groups) > 1 and groups[0] == "000"):
        raise Missing("There is no such tile.")
    return TilePath(int("".join(groups)), width)


def concerns(entry: bytes, urn: str) -> bool:
    """Tell whether a log entry names this participant: then it is party to what the entry says."""
    return _names(msgspec.json.decode(entry), urn)


def _names(value: Any, urn: str) -> bool:
    if isinstance(value, dict):
        return any(_names(item, urn) for item in value.values())
    if isinstance(value, list):
        return any(_names(item, urn) for item in value)
    return bool(value == urn)

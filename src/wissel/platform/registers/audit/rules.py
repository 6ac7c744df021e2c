"""The arithmetic of tiles (C2SP tlog-tiles): growing, reading, naming, bundling. Pure.

A tile holds up to 256 hashes of one tree level out of eight; the levels between are computed from it.
"""

import base64
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from wissel.core.tree import HASH_BYTES, HashReader, consistency_path, inclusion_path, leaf_hash, node_hash, root_from
from wissel.messages.verify import Refused, check_note
from wissel.platform.registers.audit.words import Tile, WitnessState

TILE_WIDTH: Final = 256
TILE_LEVELS: Final = 8
TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
PROOF_LINES_MAX: Final = 63
_BLANK: Final = bytes(HASH_BYTES)

TileKey = tuple[int, int]
"""(tile level, number)"""


class Grown(NamedTuple):
    """A tree after appending: its size and the tiles that changed or are new."""

    size: int
    tiles: list[Tile]


class TileTree:
    """One tile with the inner nodes that its hashes complete. A wider tile answers for each narrower one."""

    def __init__(self, hashes: bytes) -> None:
        self.width = len(hashes) // HASH_BYTES
        self._rows = [[hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]]
        while len(self._rows) <= TILE_LEVELS:
            below = self._rows[-1]
            self._rows.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])

    def node(self, level: int, index: int) -> bytes:
        """Return node `index` at `level` (0 to 8) above the tile's own hashes."""
        return self._rows[level][index]

    @property
    def root(self) -> bytes:
        """The one hash over a full tile."""
        return self._rows[TILE_LEVELS][0]


def grow(size: int, edge: Mapping[int, bytes], hashes: Sequence[bytes]) -> Grown:
    """Append leaf hashes to a tree of `size`, whose partial tiles per level are `edge`."""
    tiles = list[Tile]()
    level, start, fresh = 0, size, list(hashes)
    while fresh:
        first, width = divmod(start, TILE_WIDTH)
        row = (edge[level] if width else b"") + b"".join(fresh)
        cut = [row[i : i + TILE_BYTES] for i in range(0, len(row), TILE_BYTES)]
        tiles += [Tile(level, first + i, part) for i, part in enumerate(cut)]
        fresh = [TileTree(part).root for part in cut if len(part) == TILE_BYTES]
        level, start = level + 1, start // TILE_WIDTH
    return Grown(size + len(hashes), tiles)


def edge_of(size: int) -> dict[TileKey, int]:
    """Return the partial tiles of a tree of `size`, with their widths: what an append starts from."""
    return {key: width for key, width in tiles_of(size) if width < TILE_WIDTH}


def tiles_of(size: int) -> Iterable[tuple[TileKey, int]]:
    """Return the last, possibly full, tile of each level of a tree of `size` that has one."""
    level = 0
    while size:
        last = (size - 1) // TILE_WIDTH
        yield (level, last), size - last * TILE_WIDTH
        level, size = level + 1, size // TILE_WIDTH


def place(level: int, index: int) -> tuple[TileKey, int, int]:
    """Return where node (level, index) lies: its tile, the level inside it and the node's number there."""
    tile_level, inside = divmod(level, TILE_LEVELS)
    number, offset = divmod(index << inside, TILE_WIDTH)
    return (tile_level, number), inside, offset >> inside


def reader(trees: Mapping[TileKey, TileTree]) -> HashReader:
    """Return a reader over tiles that are in memory. Raises KeyError or IndexError for what is not."""

    def read(level: int, index: int) -> bytes:
        key, inside, number = place(level, index)
        return trees[key].node(inside, number)

    return read


def needed(walk: Callable[[HashReader], object]) -> dict[TileKey, int]:
    """Return the tiles, with the least width of each, that `walk` reads: it is walked once with blank hashes."""
    wants = dict[TileKey, int]()

    def note(level: int, index: int) -> bytes:
        key, inside, number = place(level, index)
        wants[key] = max(wants.get(key, 0), (number + 1) << inside)
        return _BLANK

    walk(note)
    return wants


def wants_root(size: int) -> dict[TileKey, int]:
    """Return the tiles from which the head of the first `size` leaves follows."""
    return needed(lambda read: root_from(size, read))


def wants_inclusion(indexes: Iterable[int], size: int) -> dict[TileKey, int]:
    """Return the tiles from which inclusion of all `indexes` in a tree of `size` can be shown."""
    return needed(lambda read: [inclusion_path(index, size, read) for index in indexes])


def wants_consistency(old: int, new: int) -> dict[TileKey, int]:
    """Return the tiles from which it can be shown that `new` continues `old`."""
    return needed(lambda read: consistency_path(old, new, read))


def served(level: int, n: int, width: int, size: int) -> bool:
    """Return whether the tree of a published `size` has this tile in this width."""
    inside = 0 <= level < HASH_BYTES and n >= 0 and 0 < width <= TILE_WIDTH
    return inside and n * TILE_WIDTH + width <= size >> (TILE_LEVELS * level)


def number_path(n: int) -> str:
    """Return a tile's number as path elements: 1234067 is `x001/x234/067` (C2SP tlog-tiles)."""
    parts = [f"{n % 1000:03d}"]
    while n := n // 1000:
        parts.append(f"x{n % 1000:03d}")
    return "/".join(reversed(parts))


def tile_path(level: int | None, n: int, width: int) -> str:
    """Return the path of a hash tile, or of an entry bundle when `level` is None."""
    kind = "entries" if level is None else str(level)
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{kind}/{number_path(n)}{partial}"


def bundle(entries: Iterable[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length in 16 bits, big-endian (C2SP tlog-tiles)."""
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def unbundle(data: bytes) -> list[bytes]:
    """Read an entry bundle. Raises ValueError when it does not end where its last entry ends."""
    entries, at = list[bytes](), 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if end > len(data):
            raise ValueError("an entry bundle ends in the middle of an entry")
        entries.append(data[at + 2 : end])
        at = end
    return entries


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Return the RFC 6962 leaf hash of each entry."""
    return [leaf_hash(entry) for entry in entries]


def signed_by(note: str, vkey: str) -> bool:
    """Return whether `note` bears a good signature by `vkey`; a note that is none is not signed either."""
    try:
        check_note(note, vkey)
    except Refused:
        return False
    return True


def cosigned_ms(line: str) -> int:
    """Return when a verified cosignature/v1 line was made: 64 bits of seconds after the 4 bytes of key id."""
    raw = base64.b64decode(line.split(" ")[2])
    return int.from_bytes(raw[4:12]) * 1000


def outvoted(states: Iterable[WitnessState], quorum: int) -> bool:
    """Return whether witnesses know better than the database: a quorum quarrels, and more quarrel than agree.

    What a witness says about its size is not signed, so one alone cannot stop a log that others cosign.
    """
    known = list(states)
    quarrels = sum(bool(state.quarrel) for state in known)
    agree = sum(state.failures == 0 and not state.quarrel for state in known)
    return quarrels >= max(1, quorum) and quarrels > agree


def origin_number(origin: str) -> tuple[str, int]:
    """Return the base of an origin and which log of the platform it names: `x.nl/log/2` is (`x.nl/log`, 2)."""
    base, slash, number = origin.rpartition("/")
    if slash and number.isascii() and number.isdecimal() and int(number) > 1:
        return base, int(number)
    return origin, 1

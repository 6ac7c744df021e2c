"""The tables `log_*`, and `pending_leaves` of the unit of work. Reads see committed rows only."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from wissel.infra.sql.ports import Database, Statement, Value
from wissel.platform.registers.audit.rules import TileKey
from wissel.platform.registers.audit.words import Head, Logged, Tile, WitnessState

_HEAD: Final = "SELECT log, origin, size, root, minimum, state FROM log_state"
_LOGGED: Final = "SELECT log, idx, leaf, leaf_hash, entry, at_ms FROM log_entries"


class _Of(msgspec.Struct):
    process: str | None = None


_OF: Final = msgspec.json.Decoder(_Of)


def number(value: Value) -> int:
    """Return a BIGINT column's value. Raises TypeError when the schema is another."""
    if not isinstance(value, int):
        raise TypeError(f"a number was to be in this column, not {type(value).__name__}")
    return value


def raw(value: Value) -> bytes:
    """Return a BYTEA column's value. Raises TypeError when the schema is another."""
    if not isinstance(value, bytes):
        raise TypeError(f"bytes were to be in this column, not {type(value).__name__}")
    return value


def _head(row: Sequence[Value]) -> Head:
    log, origin, size, root, minimum, state = row
    return Head(number(log), str(origin), number(size), raw(root), number(minimum), state == "open")


def _logged(row: Sequence[Value]) -> Logged:
    log, index, leaf, leaf_hash, entry, at_ms = row
    return Logged(number(log), number(index), raw(leaf), raw(leaf_hash), raw(entry), number(at_ms))


def process_of(entry: bytes) -> str | None:
    """Return the process an entry is about; an entry that is no JSON object of ours is about none."""
    try:
        return _OF.decode(entry).process
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


async def heads(database: Database) -> list[Head]:
    """Return the heads of all logs, the newest first."""
    return [_head(row) for row in await database.fetch(f"{_HEAD} ORDER BY log DESC")]


async def open_head(database: Database) -> Head | None:
    """Return the head of the open log, or None before the first."""
    rows = await database.fetch(f"{_HEAD} WHERE state = ?", ("open",))
    return _head(rows[0]) if rows else None


async def head_of(database: Database, log: int) -> Head | None:
    """Return the head of one log."""
    rows = await database.fetch(f"{_HEAD} WHERE log = ?", (log,))
    return _head(rows[0]) if rows else None


def begin(log: int, origin: str, size: int, root: bytes) -> Statement:
    """Open log number `log`; there is one open log, or the unit fails."""
    return Statement(
        "INSERT INTO log_state (log, origin, size, root, minimum, state) VALUES (?, ?, ?, ?, 0, ?)",
        [(log, origin, size, root, "open")],
    )


def move(head: Head, size: int, root: bytes) -> Statement:
    """Move the head on from exactly where it was read; another sequencer's commit makes the unit fail."""
    return Statement(
        "UPDATE log_state SET size = ?, root = ? WHERE log = ? AND size = ? AND root = ? AND state = ?",
        [(size, root, head.log, head.size, head.root, "open")],
        expect=1,
    )


def close(head: Head) -> Statement:
    """Close a log for ever."""
    return Statement("UPDATE log_state SET state = ? WHERE log = ? AND state = ?", [("closed", head.log, "open")], 1)


async def pending(database: Database, limit: int) -> list[tuple[bytes, bytes, int]]:
    """Return (leaf, entry, at_ms) of what waits and is visible, the oldest first."""
    rows = await database.fetch("SELECT leaf, entry, at_ms FROM pending_leaves ORDER BY at_ms, leaf LIMIT ?", (limit,))
    return [(raw(leaf), raw(entry), number(at_ms)) for leaf, entry, at_ms in rows]


async def oldest_pending_ms(database: Database) -> int | None:
    """Return when the oldest pending leaf was made."""
    at_ms = (await database.fetch("SELECT MIN(at_ms) FROM pending_leaves"))[0][0]
    return None if at_ms is None else number(at_ms)


def take_pending(leaves: Sequence[bytes]) -> Statement:
    """Delete pending rows that get an index in the same unit."""
    return Statement("DELETE FROM pending_leaves WHERE leaf = ?", [(leaf,) for leaf in leaves], len(leaves))


def add_entries(entries: Sequence[Logged]) -> Statement:
    """Write entries at their indexes; an index is given once."""
    return Statement(
        "INSERT INTO log_entries (log, idx, leaf, leaf_hash, entry, at_ms, process) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(e.log, e.idx, e.leaf, e.leaf_hash, e.entry, e.at_ms, process_of(e.entry)) for e in entries],
        expect=len(entries),
    )


def write_tiles(log: int, tiles: Sequence[Tile]) -> Statement:
    """Write tiles that are new or grew."""
    return Statement(
        "INSERT INTO log_tiles (log, level, n, width, hashes) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (log, level, n) DO UPDATE SET width = excluded.width, hashes = excluded.hashes",
        [(log, tile.level, tile.n, tile.width, tile.hashes) for tile in tiles],
        expect=len(tiles),
    )


async def tiles(database: Database, log: int, keys: Sequence[TileKey]) -> dict[TileKey, bytes]:
    """Return the hashes of those of `keys` that exist, as wide as they are now."""
    if not keys:
        return {}
    where = " OR ".join(["(level = ? AND n = ?)"] * len(keys))
    args = [part for key in keys for part in key]
    query = f"SELECT level, n, hashes FROM log_tiles WHERE log = ? AND ({where})"  # noqa: S608 - marks only
    rows = await database.fetch(query, (log, *args))
    return {(number(level), number(n)): raw(hashes) for level, n, hashes in rows}


async def entries_by_leaf(database: Database, leaves: Sequence[bytes]) -> list[Logged]:
    """Return the entries of several leaves with one query, the newest of a leaf last."""
    if not leaves:
        return []
    marks = ", ".join("?" * len(leaves))
    rows = await database.fetch(f"{_LOGGED} WHERE leaf IN ({marks}) ORDER BY log, idx", tuple(leaves))
    return [_logged(row) for row in rows]


async def entries_between(database: Database, log: int, start: int, end: int) -> list[Logged]:
    """Return the entries [start, end) that were not pruned, in order."""
    rows = await database.fetch(f"{_LOGGED} WHERE log = ? AND idx >= ? AND idx < ? ORDER BY idx", (log, start, end))
    return [_logged(row) for row in rows]


async def entries_of_process(database: Database, process: str, after: tuple[int, int], limit: int) -> list[Logged]:
    """Return what the logs say of one process after (log, index), in order."""
    log, idx = after
    rows = await database.fetch(
        f"{_LOGGED} WHERE process = ? AND (log > ? OR (log = ? AND idx > ?)) ORDER BY log, idx LIMIT ?",
        (process, log, log, idx, limit),
    )
    return [_logged(row) for row in rows]


def record(log: int, size: int, note: str) -> Statement:
    """Record a signed checkpoint: from here on it is published. The same one twice is one."""
    return Statement(
        "INSERT INTO log_checkpoints (log, size, note) VALUES (?, ?, ?) ON CONFLICT (log, size) DO NOTHING",
        [(log, size, note)],
    )


async def newest_checkpoint(database: Database, log: int, least: int = 0) -> tuple[int, str] | None:
    """Return (size, note) of the newest published checkpoint of at least `least` leaves."""
    rows = await database.fetch(
        "SELECT size, note FROM log_checkpoints WHERE log = ? AND size >= ? ORDER BY size DESC LIMIT 1", (log, least)
    )
    return (number(rows[0][0]), str(rows[0][1])) if rows else None


async def checkpoints_between(database: Database, log: int, above: int, limit: int) -> list[tuple[int, str]]:
    """Return (size, note) of up to `limit` published checkpoints larger than `above`, in order."""
    rows = await database.fetch(
        "SELECT size, note FROM log_checkpoints WHERE log = ? AND size > ? ORDER BY size LIMIT ?", (log, above, limit)
    )
    return [(number(size), str(note)) for size, note in rows]


async def checkpoints_down(database: Database, log: int, below: int, limit: int) -> list[tuple[int, str]]:
    """Return (size, note) of up to `limit` published checkpoints of at most `below` leaves, the newest first."""
    rows = await database.fetch(
        "SELECT size, note FROM log_checkpoints WHERE log = ? AND size <= ? ORDER BY size DESC LIMIT ?",
        (log, below, limit),
    )
    return [(number(size), str(note)) for size, note in rows]


async def quorum_checkpoint(database: Database, log: int, least: int, quorum: int) -> tuple[int, str] | None:
    """Return the newest published checkpoint of at least `least` leaves that `quorum` witnesses cosigned."""
    rows = await database.fetch(
        "SELECT c.size, c.note FROM log_checkpoints c WHERE c.log = ? AND c.size ="
        " (SELECT size FROM log_cosignatures WHERE log = ? AND size >= ?"
        " GROUP BY size HAVING COUNT(*) >= ? ORDER BY size DESC LIMIT 1)",
        (log, log, least, quorum),
    )
    return (number(rows[0][0]), str(rows[0][1])) if rows else None


def add_cosignature(log: int, size: int, witness: str, line: str, at_ms: int) -> Statement:
    """Keep a verified cosignature; the first one of a witness for a size stands."""
    return Statement(
        "INSERT INTO log_cosignatures (log, size, witness, line, at_ms) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (log, size, witness) DO NOTHING",
        [(log, size, witness, line, at_ms)],
    )


async def cosignatures(database: Database, log: int, size: int) -> list[tuple[str, str]]:
    """Return (witness, line) for one checkpoint."""
    rows = await database.fetch(
        "SELECT witness, line FROM log_cosignatures WHERE log = ? AND size = ? ORDER BY witness", (log, size)
    )
    return [(str(witness), str(line)) for witness, line in rows]


async def newest_cosignatures(database: Database, log: int, limit: int) -> dict[str, int]:
    """Return the time in each witness's newest cosignature, as far as it is among the newest `limit` of them all."""
    rows = await database.fetch(
        "SELECT witness, at_ms FROM log_cosignatures WHERE log = ? ORDER BY size DESC, witness LIMIT ?", (log, limit)
    )
    return {str(witness): number(at_ms) for witness, at_ms in reversed(rows)}


async def witnesses(database: Database, log: int) -> Mapping[str, WitnessState]:
    """Return what is known of each witness of a log."""
    rows = await database.fetch(
        "SELECT witness, size, failures, due_ms, quarrel FROM log_witnesses WHERE log = ?", (log,)
    )
    return {
        str(name): WitnessState(number(size), number(failures), number(due_ms), str(quarrel))
        for name, size, failures, due_ms, quarrel in rows
    }


def keep_witness(log: int, witness: str, state: WitnessState) -> Statement:
    """Keep what is known of a witness."""
    return Statement(
        "INSERT INTO log_witnesses (log, witness, size, failures, due_ms, quarrel) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (log, witness) DO UPDATE SET size = excluded.size, failures = excluded.failures,"
        " due_ms = excluded.due_ms, quarrel = excluded.quarrel",
        [(log, witness, *state)],
    )


async def index_at(database: Database, log: int, at_ms: int) -> int | None:
    """Return the lowest index of an entry made at or after `at_ms`; None when there is none."""
    rows = await database.fetch("SELECT MIN(idx) FROM log_entries WHERE log = ? AND at_ms >= ?", (log, at_ms))
    return None if rows[0][0] is None else number(rows[0][0])


async def count_below(database: Database, log: int, minimum: int, keep: Sequence[bytes]) -> int:
    """Return how many entries stand below `minimum`, besides those of the leaves `keep`."""
    query = f"SELECT COUNT(*) FROM log_entries WHERE log = ? AND idx < ?{_but(keep)}"  # noqa: S608 - marks only
    return number((await database.fetch(query, (log, minimum, *keep)))[0][0])


def _but(keep: Sequence[bytes]) -> str:
    return f" AND leaf NOT IN ({', '.join('?' * len(keep))})" if keep else ""


def forget_entries(log: int, minimum: int, keep: Sequence[bytes] = ()) -> list[Statement]:
    """Delete the entries below `minimum`, except of the leaves `keep`; their hashes stay in the tiles."""
    return [
        Statement(
            "UPDATE log_state SET minimum = ? WHERE log = ? AND minimum < ? AND size >= ?",
            [(minimum, log, minimum, minimum)],
            expect=1,
        ),
        Statement(f"DELETE FROM log_entries WHERE log = ? AND idx < ?{_but(keep)}", [(log, minimum, *keep)]),  # noqa: S608 - marks only
    ]


async def entries_from(database: Database, log: int, start: int) -> list[Logged]:
    """Return all entries from `start` on, whatever the head says."""
    rows = await database.fetch(f"{_LOGGED} WHERE log = ? AND idx >= ? ORDER BY idx", (log, start))
    return [_logged(row) for row in rows]


def pend_again(leaves: Sequence[tuple[bytes, bytes, int]]) -> Statement:
    """Let entries of a closed log wait for an index in the next one."""
    return Statement(
        "INSERT INTO pending_leaves (leaf, entry, at_ms) VALUES (?, ?, ?) ON CONFLICT (leaf) DO NOTHING", list(leaves)
    )


def begin_closed(log: int, origin: str, root: bytes) -> Statement:
    """Name a log of which nothing is left in this database, so that its number and origin are never used again."""
    return Statement(
        "INSERT INTO log_state (log, origin, size, root, minimum, state) VALUES (?, ?, 0, ?, 0, ?)",
        [(log, origin, root, "closed")],
    )

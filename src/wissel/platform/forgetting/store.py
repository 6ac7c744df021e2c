"""Rows of forgetting: wrapped keys, orders to destroy, canaries, and how far the ending of days is."""

from collections.abc import Sequence
from typing import Final, cast

from wissel.core.ids import partition_of
from wissel.infra.sql.ports import Database, Statement, Value
from wissel.platform.forgetting.errors import Loss
from wissel.platform.forgetting.words import (
    CanaryRow,
    CanaryState,
    KeyClass,
    KeyRow,
    OrderRow,
    Reason,
    Watch,
    WatchState,
)

PROCESSES_PER_QUERY_MAX: Final = 10_000
LOSSES_LISTED_MAX: Final = 100_000

_KEY_COLUMNS: Final = (
    "data_keys.partition, data_keys.process, data_keys.class, data_keys.scope, "
    "data_keys.day, data_keys.slot, data_keys.wrapped, data_keys.made_ms"
)
_INSERT_KEY: Final = (
    "INSERT INTO data_keys (partition, process, class, scope, day, slot, wrapped, made_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_ORDER_COLUMNS: Final = "partition, day, slot, process, class, scope, reason, made_ms, ordered_ms"
_ONE_KEY: Final = "partition = ? AND process = ? AND class = ? AND scope = ? AND day = ? AND slot = ?"


def insert_key(row: KeyRow) -> Statement:
    """Keep a wrapped key; a second one of that name is a conflict."""
    return Statement(
        _INSERT_KEY,
        ((row.partition, row.process, row.cls, row.scope, row.day, row.slot, row.wrapped, row.made_ms),),
    )


def delete_keys(rows: Sequence[KeyRow]) -> Statement:
    """Drop wrapped keys; one that was dropped or moved meanwhile is a conflict."""
    return Statement(f"DELETE FROM data_keys WHERE {_ONE_KEY}", [_which(row) for row in rows], expect=len(rows))  # noqa: S608 - a constant


def replace_key(old: KeyRow, new: KeyRow) -> Statement:
    """Put a key under another day and slot; one that was dropped or moved meanwhile is a conflict."""
    return Statement(
        f"UPDATE data_keys SET day = ?, slot = ?, wrapped = ? WHERE {_ONE_KEY}",  # noqa: S608 - a constant
        [(new.day, new.slot, new.wrapped, *_which(old))],
        expect=1,
    )


def insert_orders(rows: Sequence[KeyRow], reason: Reason, ordered_ms: int) -> Statement:
    """Order the slots of these keys zeroed."""
    marks = ", ".join("?" * 9)
    return Statement(
        f"INSERT INTO destroy_orders ({_ORDER_COLUMNS}) VALUES ({marks})",  # noqa: S608 - a constant and marks
        [(r.partition, r.day, r.slot, r.process, r.cls, r.scope, reason, r.made_ms, ordered_ms) for r in rows],
    )


def order_class(partition: int, process: str, cls: KeyClass, reason: Reason, ordered_ms: int) -> list[Statement]:
    """Order all keys of one class of a process destroyed, whichever they are when the unit commits.

    A key that is minted between the two statements (a file's, where commits run side by side) has no order and stays
    until its day passes: a key that goes without one would leave its slot alive and nobody to know it.
    """
    where = "WHERE partition = ? AND process = ? AND class = ?"
    return [
        Statement(
            f"INSERT INTO destroy_orders ({_ORDER_COLUMNS}) SELECT partition, day, slot, process, class, scope, "  # noqa: S608 - constants
            f"CAST(? AS TEXT), made_ms, CAST(? AS BIGINT) FROM data_keys {where}",
            [(reason, ordered_ms, partition, process, cls)],
        ),
        Statement(
            f"DELETE FROM data_keys {where} AND EXISTS (SELECT 1 FROM destroy_orders o "  # noqa: S608 - a constant
            "WHERE o.partition = data_keys.partition AND o.day = data_keys.day AND o.slot = data_keys.slot)",
            [(partition, process, cls)],
        ),
    ]


def delete_orders(rows: Sequence[OrderRow]) -> Statement:
    """Drop orders that are carried out; one that is gone already is a conflict."""
    return Statement(
        "DELETE FROM destroy_orders WHERE partition = ? AND day = ? AND slot = ?",
        [(row.partition, row.day, row.slot) for row in rows],
        expect=len(rows),
    )


def delete_day(day: str) -> Statement:
    """Drop all wrapped keys of a day that ends."""
    return Statement("DELETE FROM data_keys WHERE day = ?", [(day,)])


def keep_canaries(rows: Sequence[CanaryRow]) -> Statement:
    """Keep the canaries of days; one that is there stands."""
    return Statement(
        "INSERT INTO canaries (day, sealed, state) VALUES (?, ?, ?) ON CONFLICT (day) DO NOTHING",
        [(row.day, row.sealed, row.state) for row in rows],
    )


def mark_canary(day: str, state: CanaryState) -> Statement:
    """Say how far the ending of a day is."""
    return Statement("UPDATE canaries SET state = ? WHERE day = ?", [(state, day)], expect=1)


def delete_canary(day: str) -> Statement:
    """Drop the canary of a day that was lost."""
    return Statement("DELETE FROM canaries WHERE day = ?", [(day,)])


def keep_watch(watch: Watch) -> Statement:
    """Keep how far the ending of days is."""
    return Statement(
        "INSERT INTO day_watch (one, state, day, asked_ms, witness_ms, through) VALUES (1, ?, ?, ?, ?, ?) "
        "ON CONFLICT (one) DO UPDATE SET state = excluded.state, day = excluded.day, "
        "asked_ms = excluded.asked_ms, witness_ms = excluded.witness_ms, through = excluded.through",
        [(watch.state, watch.day, watch.asked_ms, watch.witness_ms, watch.through)],
    )


async def keys_of(database: Database, processes: Sequence[str]) -> list[KeyRow]:
    """Return the wrapped keys of up to 10,000 processes in one query."""
    if not processes:
        return []
    marks = ", ".join(["(CAST(? AS BIGINT), CAST(? AS TEXT))"] * len(processes))
    args = [value for process in processes for value in (partition_of(process), process)]
    rows = await database.fetch(
        f"SELECT {_KEY_COLUMNS} FROM (VALUES {marks}) AS w JOIN data_keys "  # noqa: S608 - constants and marks
        "ON data_keys.partition = w.column1 AND data_keys.process = w.column2",
        args,
    )
    return [_key(row) for row in rows]


async def oldest_keys(database: Database, day: str, offset: int, limit: int) -> list[tuple[int, int]]:
    """Return (made_ms, slot) of a day's keys, oldest first."""
    rows = await database.fetch(
        "SELECT made_ms, slot FROM data_keys WHERE day = ? ORDER BY made_ms, slot LIMIT ? OFFSET ?",
        (day, limit, offset),
    )
    return [(_int(made), _int(slot)) for made, slot in rows]


async def days_known(database: Database) -> dict[str, tuple[int, int, int]]:
    """Return, for each day that has keys: how many, the oldest made_ms, the highest slot."""
    rows = await database.fetch("SELECT day, COUNT(*), MIN(made_ms), MAX(slot) FROM data_keys GROUP BY day")
    return {str(day): (_int(count), _int(oldest), _int(top)) for day, count, oldest, top in rows}


async def orders(database: Database, limit: int) -> list[OrderRow]:
    """Return orders to destroy, oldest first."""
    rows = await database.fetch(
        f"SELECT {_ORDER_COLUMNS} FROM destroy_orders ORDER BY ordered_ms, day, slot LIMIT ?",  # noqa: S608 - a constant
        (limit,),
    )
    return [_order(row) for row in rows]


async def oldest_orders(database: Database, offset: int, limit: int) -> list[tuple[int, str, int]]:
    """Return (made_ms, day, slot) of orders, the oldest key first."""
    rows = await database.fetch(
        "SELECT made_ms, day, slot FROM destroy_orders ORDER BY made_ms, day, slot LIMIT ? OFFSET ?", (limit, offset)
    )
    return [(_int(made), str(day), _int(slot)) for made, day, slot in rows]


async def count_orders(database: Database) -> tuple[int, int]:
    """Return how many orders wait, and when the oldest was given (0: none)."""
    rows = await database.fetch("SELECT COUNT(*), MIN(ordered_ms) FROM destroy_orders")
    return _int(rows[0][0]), _int(rows[0][1])


async def canaries(database: Database) -> list[CanaryRow]:
    """Return the canaries whose day is not known dead, oldest first."""
    rows = await database.fetch("SELECT day, sealed, state FROM canaries WHERE state <> 'dead' ORDER BY day")
    return [
        CanaryRow(day=str(day), sealed=cast("bytes", sealed), state=cast("CanaryState", state))
        for day, sealed, state in rows
    ]


async def count_canaries(database: Database) -> dict[str, int]:
    """Return how many canaries there are in each state."""
    rows = await database.fetch("SELECT state, COUNT(*) FROM canaries GROUP BY state ORDER BY state")
    return {str(state): _int(count) for state, count in rows}


async def watch(database: Database) -> Watch:
    """Return how far the ending of days is."""
    rows = await database.fetch("SELECT state, day, asked_ms, witness_ms, through FROM day_watch")
    if not rows:
        return Watch()
    state, day, asked, witness, through = rows[0]
    return Watch(
        state=cast("WatchState", state),
        day=str(day),
        asked_ms=_int(asked),
        witness_ms=_int(witness),
        through=str(through),
    )


async def losses(database: Database, days: Sequence[str]) -> list[Loss]:
    """Return the processes that have keys on these days, with each receiver that still waits for a message."""
    marks = ", ".join("?" * len(days))
    rows = await database.fetch(
        "SELECT DISTINCT data_keys.process, COALESCE(mail.receiver, '') FROM data_keys "  # noqa: S608 - only marks
        "LEFT JOIN mail ON mail.partition = data_keys.partition AND mail.process = data_keys.process "
        f"WHERE data_keys.day IN ({marks}) ORDER BY 1, 2 LIMIT ?",
        (*days, LOSSES_LISTED_MAX),
    )
    return [Loss(str(process), str(receiver)) for process, receiver in rows]


def _which(row: KeyRow) -> tuple[Value, ...]:
    return (row.partition, row.process, row.cls, row.scope, row.day, row.slot)


def _int(value: Value) -> int:
    return int(value or 0)


def _key(row: tuple[Value, ...]) -> KeyRow:
    partition, process, cls, scope, day, slot, wrapped, made = row
    return KeyRow(
        partition=_int(partition),
        process=str(process),
        cls=cast("KeyClass", cls),
        scope=str(scope),
        day=str(day),
        slot=_int(slot),
        wrapped=cast("bytes", wrapped),
        made_ms=_int(made),
    )


def _order(row: tuple[Value, ...]) -> OrderRow:
    partition, day, slot, process, cls, scope, reason, made, ordered = row
    return OrderRow(
        partition=_int(partition),
        day=str(day),
        slot=_int(slot),
        process=str(process),
        cls=cast("KeyClass", cls),
        scope=str(scope),
        reason=cast("Reason", reason),
        made_ms=_int(made),
        ordered_ms=_int(ordered),
    )

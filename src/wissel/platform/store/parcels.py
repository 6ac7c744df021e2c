"""Rows of parcels: sealed copies on their way to vaults."""

from collections.abc import Sequence

from wissel.infra.sql.ports import Database, Statement
from wissel.platform.store.table import insert, select
from wissel.platform.store.words import ParcelRow, Where


def send(rows: Sequence[ParcelRow]) -> Statement:
    """Insert parcels; the same copy for the same party twice is a conflict."""
    return insert("parcels", rows)


async def due(database: Database, now_ms: int, limit: int) -> list[ParcelRow]:
    """Return due parcels in the order of their vaults, so that one request can carry many."""
    return await select(
        database, ParcelRow, "parcels", "WHERE due_ms <= ? ORDER BY host, party, process LIMIT ?", (now_ms, limit)
    )


async def past_end(database: Database, now_ms: int, limit: int) -> list[ParcelRow]:
    """Return parcels that were kept as long as a parcel may be."""
    return await select(database, ParcelRow, "parcels", "WHERE until_ms <= ? LIMIT ?", (now_ms, limit))


async def any_left(database: Database, where: Where) -> bool:
    """Tell whether a copy of this process still waits."""
    return bool(await database.fetch("SELECT 1 FROM parcels WHERE partition = ? AND process = ? LIMIT 1", where))


def keep_until(where: Where, until_ms: int) -> Statement:
    """Give up what waits in a process at `until_ms`."""
    return Statement("UPDATE parcels SET until_ms = ? WHERE partition = ? AND process = ?", [(until_ms, *where)])


def handed_over(rows: Sequence[ParcelRow]) -> Statement:
    """Drop parcels that were handed over or given up; one that is gone already is a conflict."""
    return Statement(
        "DELETE FROM parcels WHERE partition = ? AND process = ? AND party = ? AND commitment = ?",
        [(row.partition, row.process, row.party, row.commitment) for row in rows],
        expect=len(rows),
    )


def postpone(rows: Sequence[ParcelRow], due_ms: int) -> Statement:
    """Try again at `due_ms`; counts an attempt."""
    return Statement(
        "UPDATE parcels SET attempts = attempts + 1, due_ms = ? "
        "WHERE partition = ? AND process = ? AND party = ? AND commitment = ?",
        [(due_ms, row.partition, row.process, row.party, row.commitment) for row in rows],
    )

"""The index of running processes by learner: a row each, from her keyed hash to the process."""

from collections.abc import Sequence

from wissel.infra.sql.ports import Database, Statement
from wissel.platform.store.words import Where


def keep(where: Where, name: bytes) -> Statement:
    """Index a process that begins; a second learner of one process is a conflict."""
    return Statement("INSERT INTO learner_index (partition, process, name) VALUES (?, ?, ?)", [(*where, name)])


def drop(where: Where) -> Statement:
    """Take a process out of the index, if it is in."""
    return Statement("DELETE FROM learner_index WHERE partition = ? AND process = ?", [where])


async def name_of(database: Database, where: Where) -> bytes:
    """Return the name under which a process is indexed, or nothing."""
    rows = await database.fetch("SELECT name FROM learner_index WHERE partition = ? AND process = ?", where)
    return rows[0][0] if rows and isinstance(rows[0][0], bytes) else b""


async def of_names(database: Database, names: Sequence[bytes], limit: int) -> list[Where]:
    """Return the processes under any of these names, the newest first."""
    if not names:
        return []
    marks = ", ".join("?" * len(names))
    rows = await database.fetch(
        "SELECT i.partition, i.process FROM learner_index i JOIN processes p "  # noqa: S608 - only marks
        f"ON p.partition = i.partition AND p.process = i.process WHERE i.name IN ({marks}) "
        "ORDER BY p.started_ms DESC, i.process LIMIT ?",
        (*names, limit),
    )
    return [Where(int(str(partition)), str(process)) for partition, process in rows]

"""What the witness has seen, in a table of the institution's own database."""

from typing import Final

from wissel.infra.sql.ports import Database, Statement
from wissel.institution.witness.words import Seen

SCHEMA: Final = Statement(
    "CREATE TABLE IF NOT EXISTS witness_seen"
    " (origin TEXT PRIMARY KEY, size BIGINT NOT NULL, root BYTEA NOT NULL, note TEXT NOT NULL)"
)


async def seen(database: Database, origin: str) -> Seen | None:
    """Return the head last cosigned for a log, or None when there was none."""
    rows = await database.fetch("SELECT size, root FROM witness_seen WHERE origin = ?", (origin,))
    if not rows:
        return None
    size, root = rows[0]
    if not isinstance(size, int) or not isinstance(root, bytes):
        raise TypeError("the columns of witness_seen are not what the schema says")
    return Seen(size, root)


async def note(database: Database, origin: str) -> str:
    """Return the checkpoint last cosigned, as the log signed it; empty when there was none."""
    rows = await database.fetch("SELECT note FROM witness_seen WHERE origin = ?", (origin,))
    return str(rows[0][0]) if rows else ""


def remember(origin: str, old: Seen | None, new: Seen, note: str) -> Statement:
    """Move from exactly `old` to `new`; if another request was faster the unit fails with Conflict."""
    if old is None:
        return Statement(
            "INSERT INTO witness_seen (origin, size, root, note) VALUES (?, ?, ?, ?)",
            [(origin, new.size, new.root, note)],
        )
    return Statement(
        "UPDATE witness_seen SET size = ?, root = ?, note = ? WHERE origin = ? AND size = ? AND root = ?",
        [(new.size, new.root, note, origin, old.size, old.root)],
        expect=1,
    )

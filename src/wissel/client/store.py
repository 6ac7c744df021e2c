"""The outbox in a database: for senders that commit a message in the same transaction as what it is about."""

from collections.abc import Sequence
from typing import Final

from wissel.client.files import SealedFile
from wissel.client.outbox import Outgoing
from wissel.infra.sql.ports import Database, Statement, Value

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS outbox (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    body BYTEA NOT NULL,
    end_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    acknowledgement TEXT NOT NULL,
    refused TEXT NOT NULL,
    learner TEXT NOT NULL,
    PRIMARY KEY (source, id)
)
"""
FILES: Final = """
CREATE TABLE IF NOT EXISTS outbox_files (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    hash TEXT NOT NULL,
    hers BIGINT NOT NULL,
    special BIGINT NOT NULL,
    jwe BYTEA NOT NULL,
    PRIMARY KEY (source, id, hash)
)
"""
INDEX: Final = "CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due_ms)"

TABLES: Final = ("outbox", "outbox_files")
_COLUMNS: Final = "source, id, body, end_ms, due_ms, attempts, acknowledgement, refused, learner"


def tables() -> list[Statement]:
    """Return what makes the table, for a sender whose migrations do not."""
    return [Statement(SCHEMA), Statement(FILES), Statement(INDEX)]


def keep(message: Outgoing) -> Statement:
    """Return the statement that keeps a message; one that is there takes over what became of it."""
    return Statement(
        f"INSERT INTO outbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - column names of our own
        " ON CONFLICT (source, id) DO UPDATE SET due_ms = excluded.due_ms, attempts = excluded.attempts,"
        " acknowledgement = excluded.acknowledgement, refused = excluded.refused, learner = excluded.learner",
        [tuple(message)],
    )


def book(message: Outgoing) -> Statement:
    """Return the statement that books what became of a message, unless it was let go meanwhile."""
    became = (message.due_ms, message.attempts, message.acknowledgement, message.refused, message.learner)
    return Statement(
        "UPDATE outbox SET due_ms = ?, attempts = ?, acknowledgement = ?, refused = ?, learner = ?"
        " WHERE source = ? AND id = ?",
        [(*became, message.source, message.id)],
    )


def keep_files(message: Outgoing, files: Sequence[SealedFile]) -> list[Statement]:
    """Return the statements that keep the files of a message, for the unit that keeps it first."""
    rows = [(message.source, message.id, each.hash, int(each.hers), int(each.special), each.jwe) for each in files]
    sql = "INSERT INTO outbox_files (source, id, hash, hers, special, jwe) VALUES (?, ?, ?, ?, ?, ?)"
    return [Statement(sql, rows)] if rows else []


def let_go(source: str, message_id: str) -> list[Statement]:
    """Return the statements that drop a message and its files."""
    one = [(source, message_id)]
    return [Statement(f"DELETE FROM {table} WHERE source = ? AND id = ?", one) for table in TABLES]  # noqa: S608 - names of our own


def let_go_all(source: str) -> list[Statement]:
    """Return the statements that drop all messages of a source, and their files."""
    return [Statement(f"DELETE FROM {table} WHERE source = ?", [(source,)]) for table in TABLES]  # noqa: S608 - names of our own


async def read_files(database: Database, source: str, message_id: str) -> list[SealedFile]:
    """Return the files of a message."""
    sql = "SELECT hash, jwe, hers, special FROM outbox_files WHERE source = ? AND id = ? ORDER BY hash"
    rows = await database.fetch(sql, (source, message_id))
    return [
        SealedFile(str(digest), jwe if isinstance(jwe, bytes) else b"", bool(hers), bool(special))
        for digest, jwe, hers, special in rows
    ]


class SqlOutbox:
    """An OutboxStore in a Database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, message: Outgoing, files: Sequence[SealedFile] = ()) -> None:
        """Keep a message and its files, or what became of it; durable when this returns."""
        unit = [book(message)] if message.tried else [keep(message), *keep_files(message, files)]
        await self._database.commit(unit)

    async def files(self, source: str, message_id: str) -> Sequence[SealedFile]:
        """Return the files of a message."""
        return await read_files(self._database, source, message_id)

    async def due(self, now_ms: int, limit: int) -> Sequence[Outgoing]:
        """Return messages that are due."""
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM outbox"  # noqa: S608 - column names of our own
            " WHERE due_ms <= ? AND refused = '' ORDER BY due_ms LIMIT ?",
            (now_ms, limit),
        )
        return [_outgoing(row) for row in rows]

    async def drop(self, source: str, message_id: str) -> None:
        """Let a message go."""
        await self._database.commit(let_go(source, message_id))


def _outgoing(row: tuple[Value, ...]) -> Outgoing:
    source, message_id, body, end_ms, due_ms, attempts, acknowledgement, refused, learner = row
    return Outgoing(
        str(source),
        str(message_id),
        body if isinstance(body, bytes) else b"",
        int(end_ms or 0),
        int(due_ms or 0),
        int(attempts or 0),
        str(acknowledgement),
        str(refused),
        str(learner),
    )

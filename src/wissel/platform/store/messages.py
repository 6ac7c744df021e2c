"""Rows of messages: taken, on their way, ended, copied; and what makes a repeat answer the same."""

from typing import Final, NamedTuple

from wissel.infra.sql.ports import Database, Statement, Value
from wissel.platform.store.table import insert, select
from wissel.platform.store.words import MailRow, MessageRow, Where, Which

SAME_ID_MAX: Final = 100  # an id is unique per source and process; a source that uses one this often harms itself


class Dedup(NamedTuple):
    """What an id was answered with: `digest` tells whether the bytes were the same."""

    digest: bytes
    answer: str


def take(row: MessageRow) -> Statement:
    """Insert a message; the same id or sequence number twice is a conflict."""
    return insert("messages", [row])


def remember(where: Where, key: bytes, seen: Dedup, until_ms: int) -> Statement:
    """Keep what an id was answered with until the day after the end of its message."""
    return Statement(
        "INSERT INTO dedup (partition, process, key, digest, answer, until_ms) VALUES (?, ?, ?, ?, ?, ?)",
        [(*where, key, seen.digest, seen.answer, until_ms)],
    )


async def seen_before(database: Database, where: Where, key: bytes) -> Dedup | None:
    """Return what this id was answered with, if it came before."""
    rows = await database.fetch(
        "SELECT digest, answer FROM dedup WHERE partition = ? AND process = ? AND key = ?", (*where, key)
    )
    return Dedup(*rows[0]) if rows else None  # type: ignore[arg-type]  # typed by the migration


def drop_old_answers(now_ms: int) -> Statement:
    """Drop answers whose messages ended a day ago or more."""
    return Statement("DELETE FROM dedup WHERE until_ms <= ?", [(now_ms,)])


async def last_sequence(database: Database, where: Where, source: str, recipient: str) -> int:
    """Return the highest sequence number between two parties in a process, 0 when there is none."""
    rows = await database.fetch(
        "SELECT MAX(sequence) FROM messages WHERE partition = ? AND process = ? AND source = ? AND recipient = ?",
        (*where, source, recipient),
    )
    return int(rows[0][0] or 0)


async def was_sent_to(database: Database, where: Where, recipient: str) -> bool:
    """Tell whether a message of this process has this recipient."""
    rows = await database.fetch(
        "SELECT 1 FROM messages WHERE partition = ? AND process = ? AND recipient = ? LIMIT 1", (*where, recipient)
    )
    return bool(rows)


async def subject(database: Database, where: Where) -> str:
    """Return the learner of a process, as she is named in it; an empty text when the process is gone."""
    rows = await database.fetch("SELECT subject FROM processes WHERE partition = ? AND process = ?", where)
    return str(rows[0][0]) if rows else ""


def post(row: MailRow) -> list[Statement]:
    """Put a message into its receiver's lane; one that was ended or posted meanwhile is a conflict."""
    return [
        insert("mail", [row]),
        Statement(
            "UPDATE messages SET stage = 'mail' WHERE partition = ? AND process = ? AND source = ? AND id = ? "
            "AND stage = 'taken'",
            [row.which],
            expect=1,
        ),
    ]


async def find(database: Database, which: Which) -> MessageRow | None:
    """Return a message that is not forgotten."""
    rows = await select(
        database,
        MessageRow,
        "messages",
        "WHERE partition = ? AND process = ? AND source = ? AND id = ?",
        which,
    )
    return rows[0] if rows else None


async def heads(database: Database, receiver: str, now_ms: int, limit: int) -> list[MailRow]:
    """Return the heads of a receiver's due lanes, the longest waiting first."""
    return await select(
        database,
        MailRow,
        "mail",
        "WHERE receiver = ? AND due_ms <= ? AND NOT EXISTS (SELECT 1 FROM mail e WHERE e.partition = mail.partition "
        "AND e.process = mail.process AND e.receiver = mail.receiver AND e.position < mail.position) "
        "ORDER BY due_ms, process LIMIT ?",
        (receiver, now_ms, limit),
    )


async def head(database: Database, receiver: str, where: Where, now_ms: int) -> MailRow | None:
    """Return the head of one lane, due or not, unless its end date has passed."""
    rest = "WHERE partition = ? AND process = ? AND receiver = ? ORDER BY position LIMIT 1"
    rows = await select(database, MailRow, "mail", rest, (*where, receiver))
    return rows[0] if rows and rows[0].end_ms > now_ms else None


async def find_mail(database: Database, receiver: str, source: str, message: str) -> list[MailRow]:
    """Return what waits for `receiver` under this id of this source: one row for each process that has such a one."""
    return await select(
        database,
        MailRow,
        "mail",
        "WHERE receiver = ? AND source = ? AND id = ? LIMIT ?",
        (receiver, source, message, SAME_ID_MAX),
    )


async def past_end(database: Database, now_ms: int, limit: int) -> list[MailRow]:
    """Return mail whose end date has passed."""
    return await select(database, MailRow, "mail", "WHERE end_ms <= ? ORDER BY end_ms LIMIT ?", (now_ms, limit))


async def waiting_for(database: Database, receiver: str) -> int:
    """Return how much mail waits for a receiver."""
    rows = await database.fetch("SELECT COUNT(*) FROM mail WHERE receiver = ?", (receiver,))
    return int(rows[0][0] or 0)


def postpone(row: MailRow, due_ms: int) -> Statement:
    """Offer again at `due_ms`; counts an attempt."""
    return Statement(
        "UPDATE mail SET attempts = attempts + 1, due_ms = ? "
        "WHERE partition = ? AND process = ? AND receiver = ? AND position = ?",
        [(due_ms, row.partition, row.process, row.receiver, row.position)],
    )


def wake_lanes(receiver: str, now_ms: int) -> Statement:
    """Make everything that waits for a receiver due now."""
    return Statement("UPDATE mail SET due_ms = ? WHERE receiver = ? AND due_ms > ?", [(now_ms, receiver, now_ms)])


def end(row: MailRow, outcome: str, receipt: bytes, leaf: bytes, at_ms: int) -> list[Statement]:
    """Give a message its final outcome and clear its lane; a second final outcome is a conflict."""
    return [
        drop_mail(row),
        Statement(
            "UPDATE messages SET stage = 'ended', outcome = ?, receipt = ?, outcome_leaf = ?, ended_ms = ? "
            "WHERE partition = ? AND process = ? AND source = ? AND id = ? AND stage = 'mail'",
            [(outcome, receipt, leaf, at_ms, *row.which)],
            expect=1,
        ),
    ]


def hold_back(which: Which, statement: bytes, leaf: bytes, at_ms: int) -> Statement:
    """End a message that is not passed on; one that was posted is a conflict."""
    return Statement(
        "UPDATE messages SET stage = 'ended', outcome = 'undelivered', receipt = ?, outcome_leaf = ?, ended_ms = ? "
        "WHERE partition = ? AND process = ? AND source = ? AND id = ? AND stage = 'taken'",
        [(statement, leaf, at_ms, *which)],
        expect=1,
    )


def close(which: Which) -> Statement:
    """End a message of which nothing can be read any more: no copy can be made. One that has its copies is a conflict.

    An outcome that it had stays; without one it was not delivered.
    """
    return Statement(
        "UPDATE messages SET stage = 'copied', outcome = CASE WHEN outcome = '' THEN 'undelivered' ELSE outcome END "
        "WHERE partition = ? AND process = ? AND source = ? AND id = ? AND stage <> 'copied'",
        [which],
        expect=1,
    )


def drop_mail(row: MailRow) -> Statement:
    """Take a message out of its lane; one that is out already is a conflict."""
    return Statement(
        "DELETE FROM mail WHERE partition = ? AND process = ? AND receiver = ? AND position = ?",
        [(row.partition, row.process, row.receiver, row.position)],
        expect=1,
    )


def shred(row: MessageRow) -> Statement:
    """Empty what is stored of a message under keys that end with its copies."""
    whole = "sealed = ?, receipt = ?, apart = ?" if row.own == "special" else "apart = ?"
    return Statement(
        f"UPDATE messages SET {whole} WHERE partition = ? AND process = ? AND source = ? AND id = ?",  # noqa: S608 - constants
        [(*[b""] * whole.count("?"), *row.which)],
    )


async def taken(database: Database, where: Where) -> list[MessageRow]:
    """Return messages of a process that nobody decided about yet."""
    return await select(
        database, MessageRow, "messages", "WHERE partition = ? AND process = ? AND stage = 'taken'", where
    )


async def overdue(database: Database, now_ms: int, limit: int) -> list[MessageRow]:
    """Return messages whose end date has passed and of which nobody decided yet."""
    return await select(
        database,
        MessageRow,
        "messages",
        "WHERE stage = 'taken' AND end_ms <= ? ORDER BY end_ms LIMIT ?",
        (now_ms, limit),
    )


async def ended(database: Database, now_ms: int, limit: int) -> list[MessageRow]:
    """Return messages whose outcome is known and whose copies are due to be made, oldest first."""
    return await select(
        database,
        MessageRow,
        "messages",
        "WHERE stage = 'ended' AND ended_ms <= ? ORDER BY ended_ms LIMIT ?",
        (now_ms, limit),
    )


def hold_over(which: Which, until_ms: int) -> Statement:
    """Make the copies of a message no sooner than `until_ms`, so that what cannot be copied holds up nobody."""
    return Statement(
        "UPDATE messages SET ended_ms = ? WHERE partition = ? AND process = ? AND source = ? AND id = ? "
        "AND stage = 'ended'",
        [(until_ms, *which)],
    )


def copied(which: Which) -> Statement:
    """Mark that the copies of a message are made and sealed; twice is a conflict."""
    return Statement(
        "UPDATE messages SET stage = 'copied' WHERE partition = ? AND process = ? AND source = ? AND id = ? "
        "AND stage = 'ended'",
        [which],
        expect=1,
    )


async def parties(database: Database, where: Where) -> dict[str, bytes]:
    """Return what is sealed about each party of a process."""
    rows = await database.fetch("SELECT party, sealed FROM parties WHERE partition = ? AND process = ?", where)
    return {str(party): sealed for party, sealed in rows if isinstance(sealed, bytes)}


def keep_party(where: Where, party: str, sealed: bytes) -> Statement:
    """Keep a party's sealed address and sealing key; the first one stands."""
    return Statement(
        "INSERT INTO parties (partition, process, party, sealed) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (partition, process, party) DO NOTHING",
        [(*where, party, sealed)],
    )


def change_party(where: Where, party: str, before: bytes, sealed: bytes) -> Statement:
    """Keep something else about a party than `before`; a conflict when that changed meanwhile."""
    return Statement(
        "UPDATE parties SET sealed = ? WHERE partition = ? AND process = ? AND party = ? AND sealed = ?",
        [(sealed, *where, party, before)],
        expect=1,
    )


async def count(database: Database, table: str) -> int:
    """Return the number of rows of one of the store's tables."""
    known: dict[str, str] = {
        name: f"SELECT COUNT(*) FROM {name}"  # noqa: S608 - a closed list
        for name in ("messages", "mail", "parcels", "events", "timers", "pending_leaves", "processes")
    }
    rows: list[tuple[Value, ...]] = await database.fetch(known[table])
    return int(rows[0][0] or 0)

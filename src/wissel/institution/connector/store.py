"""The connector's book, one per institution: messages received, cases, what goes out, tasks, copies, holds, reach.

Statements are values; the connector commits them together. What goes out lies in lanes (process, receiver): only the
first of a lane that the platform has not acknowledged is composed and sent, so numbers follow each other.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from wissel.client.outbox import Outgoing
from wissel.infra.sql.migrate import Migration
from wissel.infra.sql.ports import Database, Statement, Value
from wissel.institution.connector.words import Case, OpenTask, Reach, Say, Task
from wissel.messages.envelope import Submission
from wissel.messages.files import FileRef

TABLES: Final = Migration(
    1,
    "connector",
    """
CREATE TABLE received (source TEXT NOT NULL, id TEXT NOT NULL, process TEXT NOT NULL, acknowledged TEXT NOT NULL,
    receipt TEXT NOT NULL, end_ms BIGINT NOT NULL, PRIMARY KEY (source, id));
CREATE TABLE cases (process TEXT PRIMARY KEY, body TEXT NOT NULL, end_ms BIGINT NOT NULL);
CREATE TABLE tasks (process TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL, body TEXT NOT NULL,
    due TEXT NOT NULL, PRIMARY KEY (process, what, about));
CREATE TABLE outgoing (position BIGINT PRIMARY KEY, process TEXT NOT NULL, receiver TEXT NOT NULL, kind TEXT NOT NULL,
    payload BYTEA NOT NULL, capability TEXT NOT NULL, id TEXT NOT NULL, body BYTEA, commitment TEXT NOT NULL,
    end_ms BIGINT NOT NULL, due_ms BIGINT NOT NULL, attempts BIGINT NOT NULL, acknowledgement TEXT NOT NULL,
    refused TEXT NOT NULL);
CREATE INDEX outgoing_lane ON outgoing (process, receiver, position);
CREATE TABLE lanes (process TEXT NOT NULL, receiver TEXT NOT NULL, last BIGINT NOT NULL,
    PRIMARY KEY (process, receiver));
CREATE TABLE copies (commitment TEXT PRIMARY KEY, process TEXT NOT NULL, type TEXT NOT NULL, log TEXT NOT NULL,
    end_ms BIGINT NOT NULL);
CREATE INDEX copies_end ON copies (end_ms);
CREATE INDEX copies_process ON copies (process);
CREATE TABLE holds (commitment TEXT NOT NULL, ground TEXT NOT NULL, role TEXT NOT NULL, since TEXT NOT NULL,
    until TEXT NOT NULL, until_ms BIGINT NOT NULL, told TEXT NOT NULL, PRIMARY KEY (commitment, ground));
CREATE TABLE files (hash TEXT PRIMARY KEY, process TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    mediatype TEXT NOT NULL, size BIGINT NOT NULL, end_ms BIGINT NOT NULL);
CREATE TABLE reach (process TEXT PRIMARY KEY, body TEXT NOT NULL, end_ms BIGINT NOT NULL);
""",
)


class Received(NamedTuple):
    """A message that was answered for good: the hash of its acknowledgement, and our receipt."""

    acknowledged: str
    receipt: str


class Hold(NamedTuple):
    """A hold on copies of one process. `told`: empty while the word of it is on its way, "told", or why it was not."""

    process: str
    ground: str
    role: str
    since: str
    until: str
    told: str
    held: tuple[str, ...]


class Waiting(NamedTuple):
    """Something to say that is not composed yet: the head of its lane, and the number it will have."""

    position: int
    process: str
    receiver: str
    kind: str
    payload: bytes
    capability: str
    sequence: int


class KeptFile(NamedTuple):
    """A file that is kept sealed, by the hash of its sealed form."""

    hash: str
    process: str
    kind: str
    name: str
    mediatype: str
    size: int


async def received(database: Database, source: str, message: str) -> Received | None:
    """Return what was answered to a message, or None."""
    sql = "SELECT acknowledged, receipt FROM received WHERE source = ? AND id = ?"
    rows = await database.fetch(sql, (source, message))
    return Received(str(rows[0][0]), str(rows[0][1])) if rows else None


def receive(source: str, message: str, process: str, row: Received, end_ms: int) -> Statement:
    """Book a message's id with the receipt. A second one of the same id is a Conflict."""
    return Statement(
        "INSERT INTO received (source, id, process, acknowledged, receipt, end_ms) VALUES (?, ?, ?, ?, ?, ?)",
        [(source, message, process, row.acknowledged, row.receipt, end_ms)],
    )


async def case(database: Database, process: str) -> Case | None:
    """Return the case of a process, or None."""
    rows = await database.fetch("SELECT body FROM cases WHERE process = ?", (process,))
    return msgspec.json.decode(str(rows[0][0]), type=Case) if rows else None


async def cases(database: Database) -> list[Case]:
    """Return all cases that are here."""
    rows = await database.fetch("SELECT body FROM cases ORDER BY process")
    return [msgspec.json.decode(str(row[0]), type=Case) for row in rows]


def keep_case(found: Case, end_ms: int) -> Statement:
    """Keep a case, new or changed."""
    return Statement(
        "INSERT INTO cases (process, body, end_ms) VALUES (?, ?, ?)"
        " ON CONFLICT (process) DO UPDATE SET body = excluded.body",
        [(found.process, msgspec.json.encode(found).decode(), end_ms)],
    )


def open_tasks(process: str, tasks: Sequence[Task]) -> Statement:
    """Put tasks before a person; the same task again is renewed."""
    return Statement(
        "INSERT INTO tasks (process, what, about, body, due) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (process, what, about) DO UPDATE SET body = excluded.body, due = excluded.due",
        [(process, task.what, task.about, task.text, task.due) for task in tasks],
    )


def close_tasks(process: str, closes: Sequence[tuple[str, str]]) -> Statement:
    """Take tasks away; "*" stands for any subject."""
    rows = [(process, what, about, about) for what, about in closes]
    return Statement("DELETE FROM tasks WHERE process = ? AND what = ? AND (about = ? OR ? = '*')", rows)


async def tasks(database: Database) -> list[OpenTask]:
    """Return what waits for a person."""
    rows = await database.fetch("SELECT process, what, about, body, due FROM tasks ORDER BY process, what, about")
    return [
        OpenTask(process=str(process), what=str(what), about=str(about), text=str(body), due=str(due))
        for process, what, about, body, due in rows
    ]


def queue(process: str, says: Sequence[tuple[Say, str, bytes, str]]) -> Statement:
    """Put things to say at the end of their lanes: (what, receiver's URN, canonical payload, capability)."""
    return Statement(
        "INSERT INTO outgoing (position, process, receiver, kind, payload, capability, id, body, commitment, end_ms,"
        " due_ms, attempts, acknowledgement, refused)"
        " SELECT COALESCE(MAX(position), 0) + 1, ?, ?, ?, ?, ?, '', NULL, '', 0, 0, 0, '', '' FROM outgoing",
        [(process, receiver, say.kind, payload, capability) for say, receiver, payload, capability in says],
    )


def missing(say: Say) -> Task:
    """Return the task for something that cannot be said because nobody is in that role."""
    return Task("nobody", say.to, f"No participant has the role {say.to}: {say.kind} could not be sent.")


async def heads(database: Database, limit: int) -> list[Waiting]:
    """Return the first of each lane that is not composed yet, when nothing before it is on its way."""
    rows = await database.fetch(
        "SELECT o.position, o.process, o.receiver, o.kind, o.payload, o.capability, COALESCE(l.last, 0) + 1"
        " FROM outgoing AS o LEFT JOIN lanes AS l ON l.process = o.process AND l.receiver = o.receiver"
        " WHERE o.body IS NULL AND o.refused = '' AND NOT EXISTS (SELECT 1 FROM outgoing AS e"
        " WHERE e.process = o.process AND e.receiver = o.receiver AND e.position < o.position"
        " AND e.acknowledgement = '' AND e.refused = '') ORDER BY o.position LIMIT ?",
        (limit,),
    )
    return [
        Waiting(_int(row[0]), str(row[1]), str(row[2]), str(row[3]), _bytes(row[4]), str(row[5]), _int(row[6]))
        for row in rows
    ]


def compose(waiting: Waiting, message: Outgoing, commitment: str) -> Statement:
    """Book what is going to be sent, byte for byte, before it is sent."""
    return Statement(
        "UPDATE outgoing SET id = ?, body = ?, commitment = ?, end_ms = ?, due_ms = ?"
        " WHERE position = ? AND body IS NULL",
        [(message.id, message.body, commitment, message.end_ms, message.due_ms, waiting.position)],
        expect=1,
    )


def refuse(waiting: Waiting, code: str) -> Statement:
    """Set something aside that could not be composed; the lane goes on."""
    return Statement("UPDATE outgoing SET refused = ? WHERE position = ?", [(code, waiting.position)])


async def due(database: Database, source: str, now_ms: int, limit: int) -> list[Outgoing]:
    """Return composed messages that are due and not refused, the longest waiting first."""
    rows = await database.fetch(
        "SELECT id, body, end_ms, due_ms, attempts, acknowledgement, refused FROM outgoing"
        " WHERE body IS NOT NULL AND due_ms <= ? AND refused = '' ORDER BY due_ms, position LIMIT ?",
        (now_ms, limit),
    )
    return [
        Outgoing(
            source,
            str(row[0]),
            _bytes(row[1]),
            _int(row[2]),
            _int(row[3]),
            _int(row[4]),
            str(row[5]),
            str(row[6]),
        )
        for row in rows
    ]


def sent(message: Outgoing) -> list[Statement]:
    """Book what became of an attempt; the lane's number moves when the platform has acknowledged."""
    unit = [
        Statement(
            "UPDATE outgoing SET due_ms = ?, attempts = ?, acknowledgement = ?, refused = ? WHERE id = ?",
            [(message.due_ms, message.attempts, message.acknowledgement, message.refused, message.id)],
        )
    ]
    if message.acknowledgement:
        envelope = msgspec.json.decode(message.body, type=Submission).envelope
        unit.append(counted(message.id, int(envelope.sequence)))
    return unit


def counted(message: str, sequence: int) -> Statement:
    """Book that the platform has this number of its lane, however we came to know."""
    return Statement(
        "INSERT INTO lanes (process, receiver, last) SELECT process, receiver, ? FROM outgoing WHERE id = ?"
        " ON CONFLICT (process, receiver) DO UPDATE SET last = excluded.last WHERE excluded.last > lanes.last",
        [(sequence, message)],
    )


async def outgoing(database: Database) -> list[tuple[str, str, str, str]]:
    """Return (process, kind, state, code) of all that is kept because its receipt is not in the vault yet."""
    rows = await database.fetch("SELECT process, kind, body, acknowledgement, refused FROM outgoing ORDER BY position")
    found = []
    for process, kind, body, acknowledgement, refused in rows:
        state = "refused" if refused else "acknowledged" if acknowledgement else "sending" if body else "waiting"
        found.append((str(process), str(kind), state, str(refused)))
    return found


async def process_of(database: Database, message: str) -> str:
    """Return the process of something that went out, or an empty text."""
    rows = await database.fetch("SELECT process FROM outgoing WHERE id = ?", (message,))
    return str(rows[0][0]) if rows else ""


async def payload_of(database: Database, commitment: str) -> bytes:
    """Return the payload of something that went out under this commitment, or nothing."""
    rows = await database.fetch("SELECT payload FROM outgoing WHERE commitment = ?", (commitment,))
    return _bytes(rows[0][0]) if rows else b""


async def refused_capability(database: Database, message: str) -> Waiting | None:
    """Return what went out by a delivery capability under this id, or None."""
    rows = await database.fetch(
        "SELECT position, process, receiver, kind, payload, capability FROM outgoing WHERE id = ? AND capability <> ''",
        (message,),
    )
    for position, process, receiver, kind, payload, capability in rows:
        return Waiting(_int(position), str(process), str(receiver), str(kind), _bytes(payload), str(capability), 1)
    return None


def let_go(commitment: str) -> Statement:
    """Let a message go: the afschrift with its outcome is in the vault."""
    return Statement("DELETE FROM outgoing WHERE commitment = ?", [(commitment,)])


def drop(message: str) -> Statement:
    """Let a message go that was never acknowledged and whose end date has passed."""
    return Statement("DELETE FROM outgoing WHERE id = ?", [(message,)])


def index_copy(commitment: str, process: str, kind: str, log: str, end_ms: int) -> Statement:
    """Note until when a copy may be in the vault."""
    return Statement(
        "INSERT INTO copies (commitment, process, type, log, end_ms) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (commitment) DO NOTHING",
        [(commitment, process, kind, log, end_ms)],
    )


async def has_copy(database: Database, commitment: str) -> bool:
    """Say whether this copy is booked."""
    return bool(await database.fetch("SELECT 1 FROM copies WHERE commitment = ?", (commitment,)))


async def copies_of(database: Database, process: str) -> list[str]:
    """Return the commitments of all copies of a process."""
    rows = await database.fetch("SELECT commitment FROM copies WHERE process = ? ORDER BY commitment", (process,))
    return [str(row[0]) for row in rows]


async def process_of_copy(database: Database, commitment: str) -> str:
    """Return the process of a copy, or an empty text."""
    rows = await database.fetch("SELECT process FROM copies WHERE commitment = ?", (commitment,))
    return str(rows[0][0]) if rows else ""


async def log_of(database: Database, process: str) -> str:
    """Return the origin of the log in which the copies of a process stand, or an empty text."""
    rows = await database.fetch("SELECT MAX(log) FROM copies WHERE process = ?", (process,))
    return str(rows[0][0] or "")


def hold(placed: Hold, until_ms: int) -> Statement:
    """Hold copies past their end date: a named role, a ground, an end date of its own. One that stands is renewed."""
    return Statement(
        "INSERT INTO holds (commitment, ground, role, since, until, until_ms, told) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (commitment, ground) DO UPDATE SET role = excluded.role, since = excluded.since,"
        " until = excluded.until, until_ms = excluded.until_ms, told = excluded.told",
        [
            (commitment, placed.ground, placed.role, placed.since, placed.until, until_ms, placed.told)
            for commitment in placed.held
        ],
    )


async def hold_on(database: Database, process: str, ground: str, now_ms: int) -> Hold | None:
    """Return the live hold on this ground on copies of a process, or None."""
    return next((each for each in await holds(database, now_ms, process) if each.ground == ground), None)


async def holds(database: Database, now_ms: int, process: str = "") -> list[Hold]:
    """Return live holds, of one process or of all."""
    rows = await database.fetch(
        "SELECT c.process, h.ground, h.role, h.since, h.until, h.told, h.commitment FROM holds AS h"
        " JOIN copies AS c ON c.commitment = h.commitment WHERE h.until_ms > ? AND (? = '' OR c.process = ?)"
        " ORDER BY c.process, h.ground, h.until DESC, h.commitment",
        (now_ms, process, process),
    )
    found: dict[tuple[str, str], Hold] = {}
    for of, ground, role, since, until, told, commitment in (map(str, row) for row in rows):
        first = found.setdefault((of, ground), Hold(of, ground, role, since, until, told, ()))
        found[of, ground] = first._replace(held=(*first.held, commitment))
    return list(found.values())


def end_hold(commitments: Sequence[str], ground: str) -> Statement:
    """End a hold on a ground."""
    rows = [(commitment, ground) for commitment in commitments]
    return Statement("DELETE FROM holds WHERE commitment = ? AND ground = ?", rows)


def tell(commitments: Sequence[str], ground: str, until: str, how: str) -> Statement:
    """Note what became of the word about a hold, unless it was given another end date since."""
    rows = [(how, commitment, ground, until) for commitment in commitments]
    return Statement("UPDATE holds SET told = ? WHERE commitment = ? AND ground = ? AND until = ?", rows)


async def ended_copies(database: Database, now_ms: int, limit: int) -> list[str]:
    """Return copies that are past their end date and that no live hold keeps."""
    rows = await database.fetch(
        "SELECT commitment FROM copies AS c WHERE end_ms <= ? AND NOT EXISTS (SELECT 1 FROM holds AS h"
        " WHERE h.commitment = c.commitment AND h.until_ms > ?) ORDER BY end_ms LIMIT ?",
        (now_ms, now_ms, limit),
    )
    return [str(row[0]) for row in rows]


def forget_copy(commitment: str) -> list[Statement]:
    """Drop the index rows of a copy that is gone."""
    return [
        Statement("DELETE FROM holds WHERE commitment = ?", [(commitment,)]),
        Statement("DELETE FROM copies WHERE commitment = ?", [(commitment,)]),
    ]


def forget_past(now_ms: int) -> list[Statement]:
    """Drop what else is past its end: cases with tasks and lanes, messages received, and learners' addresses."""
    over = "SELECT process FROM cases WHERE end_ms <= ?"
    return [
        Statement(f"DELETE FROM tasks WHERE process IN ({over})", [(now_ms,)]),  # noqa: S608 - names of our own
        Statement(f"DELETE FROM lanes WHERE process IN ({over})", [(now_ms,)]),  # noqa: S608 - names of our own
        Statement(
            "DELETE FROM lanes WHERE process LIKE 'later/%' AND NOT EXISTS"
            " (SELECT 1 FROM outgoing WHERE outgoing.process = lanes.process)"
        ),
        Statement("DELETE FROM cases WHERE end_ms <= ?", [(now_ms,)]),
        Statement("DELETE FROM received WHERE end_ms <= ?", [(now_ms,)]),
        Statement("DELETE FROM reach WHERE end_ms <= ?", [(now_ms,)]),
        Statement("DELETE FROM holds WHERE until_ms <= ?", [(now_ms,)]),
    ]


def keep_reach(found: Reach, end_ms: int) -> Statement:
    """Keep how a learner may still be reached."""
    return Statement(
        "INSERT INTO reach (process, body, end_ms) VALUES (?, ?, ?)"
        " ON CONFLICT (process) DO UPDATE SET body = excluded.body, end_ms = excluded.end_ms",
        [(found.process, msgspec.json.encode(found).decode(), end_ms)],
    )


async def reach(database: Database, process: str) -> Reach | None:
    """Return how the learner of a process may still be reached, or None."""
    rows = await database.fetch("SELECT body FROM reach WHERE process = ?", (process,))
    return msgspec.json.decode(str(rows[0][0]), type=Reach) if rows else None


async def reach_by_capability(database: Database, capability_of: str) -> Reach | None:
    """Return the reach whose capability was used by what went out with this commitment, or None."""
    rows = await database.fetch("SELECT capability FROM outgoing WHERE commitment = ?", (capability_of,))
    if not rows or not rows[0][0]:
        return None
    found = await database.fetch("SELECT body FROM reach")
    each = (msgspec.json.decode(str(row[0]), type=Reach) for row in found)
    return next((one for one in each if one.capability == rows[0][0]), None)


def keep_file(process: str, ref: FileRef, end_ms: int) -> Statement:
    """Book that a file is going to be kept, and until when; the first end of a file stands."""
    return Statement(
        "INSERT INTO files (hash, process, kind, name, mediatype, size, end_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (hash) DO NOTHING",
        [(ref.sealed, process, ref.kind, ref.name, ref.mediatype, ref.size, end_ms)],
    )


def end_scans(process: str, end_ms: int) -> Statement:
    """Let the identity scans of a process end then, unless they end sooner."""
    return Statement(
        "UPDATE files SET end_ms = ? WHERE process = ? AND kind = 'identityscan' AND end_ms > ?",
        [(end_ms, process, end_ms)],
    )


def end_files(hashes: Sequence[str], end_ms: int) -> Statement:
    """Let these files end then."""
    return Statement("UPDATE files SET end_ms = ? WHERE hash = ?", [(end_ms, digest) for digest in hashes])


async def ended_files(database: Database, now_ms: int, limit: int) -> list[str]:
    """Return files past their end: all scans, and what no live hold on its process's copies keeps."""
    rows = await database.fetch(
        "SELECT hash FROM files AS f WHERE end_ms <= ? AND (kind = 'identityscan' OR NOT EXISTS (SELECT 1 FROM copies"
        " AS c JOIN holds AS h ON h.commitment = c.commitment WHERE c.process = f.process AND h.until_ms > ?))"
        " ORDER BY end_ms LIMIT ?",
        (now_ms, now_ms, limit),
    )
    return [str(row[0]) for row in rows]


def forget_file(digest: str) -> Statement:
    """Drop the row of a file that is gone."""
    return Statement("DELETE FROM files WHERE hash = ?", [(digest,)])


async def file(database: Database, digest: str) -> KeptFile | None:
    """Return what is known of a file, or None."""
    found = await _files(database, "hash = ?", digest)
    return found[0] if found else None


async def files_of(database: Database, process: str) -> list[KeptFile]:
    """Return the files of a process."""
    return await _files(database, "process = ?", process)


async def _files(database: Database, where: str, value: str) -> list[KeptFile]:
    sql = f"SELECT hash, process, kind, name, mediatype, size FROM files WHERE {where} ORDER BY kind, hash"  # noqa: S608 - constants
    rows = await database.fetch(sql, (value,))
    return [
        KeptFile(str(digest), str(process), str(kind), str(name), str(mediatype), _int(size))
        for digest, process, kind, name, mediatype, size in rows
    ]


def _int(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""

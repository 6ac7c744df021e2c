"""Rows of processes: begin, move, end, and what waits for the engine."""

from collections.abc import Sequence

from wissel.infra.sql.ports import Database, Statement
from wissel.platform.store.table import insert, select
from wissel.platform.store.words import EventRow, Life, ProcessRow, TimerRow, Where


def begin(row: ProcessRow) -> Statement:
    """Insert a process; one that exists is a conflict."""
    return insert("processes", [row])


def move(row: ProcessRow, phase: str, state: bytes, version: str) -> Statement:
    """Write the next state of a running process. A process that moved meanwhile is a conflict."""
    return Statement(
        "UPDATE processes SET phase = ?, state = ?, version = ?, revision = revision + 1 "
        "WHERE partition = ? AND process = ? AND revision = ? AND life = 'running'",
        [(phase, state, version, row.partition, row.process, row.revision)],
        expect=1,
    )


def decide(row: ProcessRow, phase: str) -> Statement:
    """End the running of a process: no transition is left and its state is no more."""
    return Statement(
        "UPDATE processes SET phase = ?, state = ?, life = 'decided', revision = revision + 1 "
        "WHERE partition = ? AND process = ? AND revision = ? AND life = 'running'",
        [(phase, b"", row.partition, row.process, row.revision)],
        expect=1,
    )


def settle(where: Where) -> list[Statement]:
    """Let go of the messages of a decided process: a conflict while one is still under way."""
    partition, process = where
    return [
        still(where, ("decided",)),  # its row lock comes first: where commits run side by side, the next sees all
        Statement(
            "UPDATE processes SET life = 'settled', revision = revision + 1 "
            "WHERE partition = ? AND process = ? AND life = 'decided' AND NOT EXISTS (SELECT 1 FROM messages m "
            "WHERE m.partition = processes.partition AND m.process = processes.process AND m.stage <> 'copied')",
            [(partition, process)],
            expect=1,
        ),
        Statement("DELETE FROM messages WHERE partition = ? AND process = ?", [(partition, process)]),
        Statement("DELETE FROM parties WHERE partition = ? AND process = ?", [(partition, process)]),
        let_go(where),
        Statement(
            "DELETE FROM files WHERE partition = ? AND process = ? AND keyclass <> 'parcel'", [(partition, process)]
        ),
    ]


def forget(where: Where) -> list[Statement]:
    """Drop the last row of a settled process: a conflict while a copy still waits."""
    return [
        Statement(
            "DELETE FROM processes WHERE partition = ? AND process = ? AND life = 'settled' "
            "AND NOT EXISTS (SELECT 1 FROM parcels p WHERE p.partition = processes.partition "
            "AND p.process = processes.process)",
            [where],
            expect=1,
        ),
        let_go(where),
        Statement("DELETE FROM files WHERE partition = ? AND process = ?", [where]),
    ]


def still(where: Where, lives: Sequence[Life]) -> Statement:
    """Hold that a process is in one of `lives` when the unit commits; otherwise the unit is a conflict."""
    marks = ", ".join("?" * len(lives))
    return Statement(
        f"UPDATE processes SET life = life WHERE partition = ? AND process = ? AND life IN ({marks})",  # noqa: S608 - only marks
        [(*where, *lives)],
        expect=1,
    )


async def find(database: Database, where: Where) -> ProcessRow | None:
    """Return a process that is not forgotten."""
    rows = await select(database, ProcessRow, "processes", "WHERE partition = ? AND process = ?", where)
    return rows[0] if rows else None


async def ready_to_settle(database: Database, limit: int) -> list[ProcessRow]:
    """Return decided processes of which every message is ended and copied."""
    return await select(
        database,
        ProcessRow,
        "processes",
        "WHERE life = 'decided' AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.partition = processes.partition "
        "AND m.process = processes.process AND m.stage <> 'copied') AND NOT EXISTS (SELECT 1 FROM events e "
        "WHERE e.partition = processes.partition AND e.process = processes.process) LIMIT ?",
        (limit,),
    )


async def ready_to_forget(database: Database, limit: int) -> list[ProcessRow]:
    """Return settled processes without a copy that still waits."""
    return await select(
        database,
        ProcessRow,
        "processes",
        "WHERE life = 'settled' AND NOT EXISTS (SELECT 1 FROM parcels p WHERE p.partition = processes.partition "
        "AND p.process = processes.process) LIMIT ?",
        (limit,),
    )


async def past_end(database: Database, today: str, limit: int) -> list[ProcessRow]:
    """Return processes whose last day has passed and that do not end by themselves: still running, or set aside."""
    return await select(
        database,
        ProcessRow,
        "processes",
        "WHERE life IN ('running', 'decided') AND end_day < ? AND (life = 'running' OR EXISTS (SELECT 1 "
        "FROM setaside s WHERE s.partition = processes.partition AND s.process = processes.process)) LIMIT ?",
        (today, limit),
    )


async def count_running(database: Database) -> int:
    """Return how many processes are not decided yet."""
    rows = await database.fetch("SELECT COUNT(*) FROM processes WHERE life = 'running'")
    return int(rows[0][0] or 0)


def add_event(row: EventRow) -> Statement:
    """Give the engine something to decide on; the same thing twice is a conflict."""
    return insert("events", [row])


def take_events(rows: Sequence[EventRow]) -> Statement:
    """Take events out: one that somebody else took is a conflict."""
    return Statement(
        "DELETE FROM events WHERE partition = ? AND process = ? AND key = ?",
        [(row.partition, row.process, row.key) for row in rows],
        expect=len(rows),
    )


def drop_event(where: Where, key: str) -> Statement:
    """Drop what waits for the engine under `key`, if it still does."""
    return Statement("DELETE FROM events WHERE partition = ? AND process = ? AND key = ?", [(*where, key)])


async def events_of(database: Database, where: Where) -> list[EventRow]:
    """Return what waits for one process, set aside or not."""
    return await select(database, EventRow, "events", "WHERE partition = ? AND process = ?", where)


async def waiting_events(database: Database, limit: int) -> list[EventRow]:
    """Return events in the order in which they came, leaving out processes that are set aside."""
    return await select(
        database,
        EventRow,
        "events",
        "WHERE NOT EXISTS (SELECT 1 FROM setaside s WHERE s.partition = events.partition "
        "AND s.process = events.process) ORDER BY at_ms, key LIMIT ?",
        (limit,),
    )


def set_timer(where: Where, name: str, due_ms: int) -> Statement:
    """Set or move a timer."""
    return Statement(
        "INSERT INTO timers (partition, process, name, due_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (partition, process, name) DO UPDATE SET due_ms = excluded.due_ms",
        [(*where, name, due_ms)],
    )


def drop_timer(where: Where, name: str) -> Statement:
    """Drop a timer, if it is set."""
    return Statement("DELETE FROM timers WHERE partition = ? AND process = ? AND name = ?", [(*where, name)])


def drop_timers(where: Where) -> Statement:
    """Drop all timers of a process."""
    return Statement("DELETE FROM timers WHERE partition = ? AND process = ?", [where])


def fire_timer(row: TimerRow) -> Statement:
    """Take a due timer out: one that was moved meanwhile is a conflict."""
    return Statement(
        "DELETE FROM timers WHERE partition = ? AND process = ? AND name = ? AND due_ms = ?",
        [(row.partition, row.process, row.name, row.due_ms)],
        expect=1,
    )


async def due_timers(database: Database, now_ms: int, limit: int) -> list[TimerRow]:
    """Return due timers, the oldest first, leaving out processes that are set aside."""
    return await select(
        database,
        TimerRow,
        "timers",
        "WHERE due_ms <= ? AND NOT EXISTS (SELECT 1 FROM setaside s WHERE s.partition = timers.partition "
        "AND s.process = timers.process) ORDER BY due_ms LIMIT ?",
        (now_ms, limit),
    )


def set_aside(where: Where, code: str, at_ms: int) -> Statement:
    """Set a process aside: its decision failed. It waits for `wissel engine retry`."""
    return Statement(
        "INSERT INTO setaside (partition, process, code, at_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (partition, process) DO NOTHING",
        [(*where, code, at_ms)],
    )


def take_up(where: Where) -> Statement:
    """Take a process that was set aside up again."""
    return Statement("DELETE FROM setaside WHERE partition = ? AND process = ?", [where], expect=1)


def let_go(where: Where) -> Statement:
    """Drop the mark that a process was set aside, if it has one: it is over."""
    return Statement("DELETE FROM setaside WHERE partition = ? AND process = ?", [where])


async def aside(database: Database) -> list[tuple[str, str]]:
    """Return (process, error code) of what is set aside."""
    rows = await database.fetch("SELECT process, code FROM setaside ORDER BY at_ms")
    return [(str(process), str(code)) for process, code in rows]

"""The sample SIS: students, registrations and decisions in a small database of its own."""

from collections.abc import Mapping
from typing import Final

import msgspec

from wissel.infra.sql.migrate import Migration, migrate
from wissel.infra.sql.ports import Conflict, Database, Statement, StoreFailed
from wissel.institution.errors import NotDecidable, SystemDown
from wissel.institution.sis.words import Change, Decided, Enrolled, Known, Registration, Requested, Stopped

FIRST_NUMBER: Final = 1_000_000
_ADMISSION: Final = {"admitted": "admitted", "conditional": "admitted", "refused": "refused"}

_TABLES: Final = Migration(
    1,
    "sis",
    """
CREATE TABLE changes (id TEXT PRIMARY KEY, process TEXT NOT NULL);
CREATE TABLE students (number BIGINT PRIMARY KEY, person TEXT NOT NULL, national TEXT NOT NULL,
    process TEXT NOT NULL UNIQUE);
CREATE TABLE registrations (process TEXT PRIMARY KEY, status TEXT NOT NULL, programme TEXT NOT NULL,
    form TEXT NOT NULL, studyyear TEXT NOT NULL, start TEXT NOT NULL, person TEXT NOT NULL, national TEXT NOT NULL,
    student BIGINT);
CREATE TABLE facts (process TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (process, field));
CREATE TABLE decisions (id TEXT PRIMARY KEY, process TEXT NOT NULL, what TEXT NOT NULL, decision TEXT NOT NULL,
    ground TEXT NOT NULL, role TEXT NOT NULL, text TEXT NOT NULL);
""",
)


class SampleSis:
    """A `Sis` that shows how a real one is meant to behave."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Make the tables that are not there yet."""
        await migrate(self._database, [_TABLES])

    async def book(self, change: Change) -> None:
        """Book a change once; see `ports.Sis`."""
        mark = Statement("INSERT INTO changes (id, process) VALUES (?, ?)", [(change.id, change.process)])
        try:
            await self._database.commit([mark, *_statements(change)])
        except Conflict:
            if not await self._database.fetch("SELECT 1 FROM changes WHERE id = ?", (change.id,)):
                raise
        except StoreFailed as failed:
            raise SystemDown("The SIS could not book this; it is tried again later.") from failed

    async def registration(self, process: str) -> Registration | None:
        """Return a registration; see `ports.Sis`."""
        rows = await self._database.fetch(
            "SELECT status, programme, form, studyyear, start, student, (SELECT value FROM facts f"
            " WHERE f.process = registrations.process AND f.field = 'pseudonym') FROM registrations WHERE process = ?",
            (process,),
        )
        if not rows:
            return None
        status, programme, form, studyyear, start, student, pseudonym = (str(value or "") for value in rows[0])
        return Registration(
            process=process,
            status=status,
            programme=programme,
            form=form,
            studyyear=studyyear,
            start=start,
            student=student,
            pseudonym=pseudonym,
        )

    async def counts(self) -> Mapping[str, int]:
        """Return the counts; see `ports.Sis`."""
        found: dict[str, int] = {}
        for table in ("students", "registrations", "decisions", "changes"):
            rows = await self._database.fetch(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - names of our own
            found[table] = int(rows[0][0] or 0)
        enrolled = await self._database.fetch("SELECT COUNT(*) FROM registrations WHERE status = 'enrolled'")
        twice = await self._database.fetch(
            "SELECT COUNT(*) FROM (SELECT 1 FROM decisions WHERE what = 'admission'"
            " GROUP BY process, decision HAVING COUNT(*) > 1) AS doubled"
        )
        return {**found, "enrolled": int(enrolled[0][0] or 0), "twice": int(twice[0][0] or 0)}

    async def check(self) -> str:
        """Say whether the database answers; see `ports.Sis`."""
        await self._database.fetch("SELECT COUNT(*) FROM changes")
        return ""


def _statements(change: Change) -> list[Statement]:
    match change:
        case Requested():
            return [_request(change)]
        case Known():
            return [_know(change)]
        case Decided():
            return _decide(change)
        case Enrolled():
            return _enrol(change)
        case Stopped():
            return [_status(change.process, change.status)]
    raise TypeError(f"the SIS knows no change {type(change).__name__}")


def _request(change: Requested) -> Statement:
    person = msgspec.json.encode(change.person).decode()
    return Statement(
        "INSERT INTO registrations (process, status, programme, form, studyyear, start, person, national, student)"
        " VALUES (?, 'requested', ?, ?, ?, ?, ?, ?, NULL)",
        [(change.process, change.programme, change.form, change.studyyear, change.start, person, change.number)],
    )


def _know(change: Known) -> Statement:
    return Statement(
        "INSERT INTO facts (process, field, value) VALUES (?, ?, ?)"
        " ON CONFLICT (process, field) DO UPDATE SET value = excluded.value",
        [(change.process, change.field, change.value)],
    )


def _decide(change: Decided) -> list[Statement]:
    """Keep a decision. It changes a request: not one that was withdrawn meanwhile, and no enrolment."""
    row = (change.id, change.process, change.what, change.decision, change.ground, change.role, change.text)
    kept = Statement(
        "INSERT INTO decisions (id, process, what, decision, ground, role, text) VALUES (?, ?, ?, ?, ?, ?, ?)", [row]
    )
    if change.what != "admission":
        return [kept]
    status = _ADMISSION.get(change.decision)
    if status is None:
        raise NotDecidable(f"Admission is one of: {', '.join(_ADMISSION)}.", field="decision")
    decided = Statement(
        "UPDATE registrations SET status = CASE WHEN status IN ('withdrawn', 'cancelled', 'enrolled') THEN status"
        " ELSE ? END WHERE process = ?",
        [(status, change.process)],
        expect=1,
    )
    return [kept, decided]


def _enrol(change: Enrolled) -> list[Statement]:
    """Give her a student number, the next one, and enrol her."""
    numbered = Statement(
        "INSERT INTO students (number, person, national, process)"
        " SELECT COALESCE((SELECT MAX(number) FROM students), ?) + 1, person, national, process"
        " FROM registrations WHERE process = ?",
        [(FIRST_NUMBER, change.process)],
        expect=1,
    )
    enrolled = Statement(
        "UPDATE registrations SET status = 'enrolled',"
        " student = (SELECT number FROM students WHERE students.process = registrations.process) WHERE process = ?",
        [(change.process,)],
        expect=1,
    )
    return [numbered, enrolled]


def _status(process: str, status: str) -> Statement:
    return Statement("UPDATE registrations SET status = ? WHERE process = ?", [(status, process)], expect=1)

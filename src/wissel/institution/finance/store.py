"""The sample financial system: one account per registration, in a database of its own or beside the SIS's tables."""

from collections.abc import Mapping
from typing import Final

from wissel.infra.sql.migrate import Migration, migrate
from wissel.infra.sql.ports import Conflict, Database, Statement, StoreFailed
from wissel.institution.errors import SystemDown
from wissel.institution.finance.words import Account, Cancelled, Change, Charged, Mandated

_TABLES: Final = Migration(
    1,
    "finance",
    """
CREATE TABLE fee_changes (id TEXT PRIMARY KEY, process TEXT NOT NULL);
CREATE TABLE fee_accounts (process TEXT PRIMARY KEY, amount_cents BIGINT NOT NULL, basis TEXT NOT NULL,
    studyyear TEXT NOT NULL, cancelled BIGINT NOT NULL);
CREATE TABLE fee_mandates (reference TEXT PRIMARY KEY, process TEXT NOT NULL, amount_cents BIGINT NOT NULL,
    parts BIGINT NOT NULL);
""",
)


class SampleFinance:
    """A `Finance` that shows how a real one is meant to behave. It needs a database of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Make the tables that are not there yet."""
        await migrate(self._database, [_TABLES])

    async def book(self, change: Change) -> None:
        """Book a change once; see `ports.Finance`."""
        mark = Statement("INSERT INTO fee_changes (id, process) VALUES (?, ?)", [(change.id, change.process)])
        try:
            await self._database.commit([mark, *_statements(change)])
        except Conflict:
            if not await self._database.fetch("SELECT 1 FROM fee_changes WHERE id = ?", (change.id,)):
                raise
        except StoreFailed as failed:
            raise SystemDown("The financial system could not book this; it is tried again later.") from failed

    async def account(self, process: str) -> Account | None:
        """Return what is booked; see `ports.Finance`."""
        rows = await self._database.fetch(
            "SELECT amount_cents, basis, studyyear, cancelled FROM fee_accounts WHERE process = ?", (process,)
        )
        if not rows:
            return None
        amount, basis, studyyear, cancelled = rows[0]
        mandates = await self._database.fetch(
            "SELECT reference FROM fee_mandates WHERE process = ? ORDER BY reference DESC LIMIT 1", (process,)
        )
        return Account(
            process=process,
            amount_cents=int(amount or 0),
            basis=str(basis),
            studyyear=str(studyyear),
            mandate=str(mandates[0][0]) if mandates else "",
            cancelled=bool(cancelled),
        )

    async def counts(self) -> Mapping[str, int]:
        """Return the counts; see `ports.Finance`."""
        found = {}
        for name, table in (("accounts", "fee_accounts"), ("mandates", "fee_mandates"), ("changes", "fee_changes")):
            rows = await self._database.fetch(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - names of our own
            found[name] = int(rows[0][0] or 0)
        return found


def _statements(change: Change) -> list[Statement]:
    match change:
        case Charged():
            row = (change.process, change.amount_cents, change.basis, change.studyyear)
            return [
                Statement(
                    "INSERT INTO fee_accounts (process, amount_cents, basis, studyyear, cancelled)"
                    " VALUES (?, ?, ?, ?, 0) ON CONFLICT (process) DO UPDATE SET"
                    " amount_cents = excluded.amount_cents, basis = excluded.basis, studyyear = excluded.studyyear",
                    [row],
                )
            ]
        case Mandated():
            if change.result != "confirmed":
                return []
            values = (change.reference, change.process, change.amount_cents, change.parts)
            sql = "INSERT INTO fee_mandates (reference, process, amount_cents, parts) VALUES (?, ?, ?, ?)"
            return [Statement(sql, [values])]
        case Cancelled():
            return [
                Statement("UPDATE fee_accounts SET cancelled = 1 WHERE process = ?", [(change.process,)]),
                Statement("DELETE FROM fee_mandates WHERE process = ?", [(change.process,)]),
            ]
    raise TypeError(f"the financial system knows no change {type(change).__name__}")

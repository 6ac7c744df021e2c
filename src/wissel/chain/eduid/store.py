"""eduID's book: accounts made by remote creation, and every pseudonym that was ever given."""

from dataclasses import dataclass
from typing import Final

from wissel.chain.eduid.words import EduId, NewEduId
from wissel.chain.errors import Clash
from wissel.infra.sql.ports import Conflict, Database, Statement

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS accounts (
        account TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, givennames TEXT NOT NULL, surname TEXT NOT NULL,
        verification TEXT NOT NULL, brins TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS pseudonyms (
        account TEXT NOT NULL, service TEXT NOT NULL, value TEXT NOT NULL UNIQUE, PRIMARY KEY (account, service))""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account. Those of played people are `person:<ref>` and stand here once somebody touched them."""

    account: str
    email: str
    givennames: str
    surname: str
    verification: str
    brins: tuple[str, ...]


class Book:
    """What eduID keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Make the tables when they are not there."""
        await self._database.commit([Statement(table) for table in _TABLES])

    async def add(self, account: str, new: NewEduId) -> None:
        """Add an account. Raises Clash when the address has one."""
        row = (account, new.email.lower(), new.first_name or new.chosen_name, new.last_name, new.verification)
        insert = "INSERT INTO accounts (account, email, givennames, surname, verification, brins)"
        try:
            await self._database.commit(
                [Statement(f"{insert} VALUES (?, ?, ?, ?, ?, ?)", [(*row, " ".join(new.brin_codes or ()))])]
            )
        except Conflict as error:
            raise Clash("Email already in use") from error

    async def note(self, account: str, known: EduId) -> None:
        """Write what a caller says of an account, made by it or not."""
        upsert = (
            "INSERT INTO accounts (account, email, givennames, surname, verification, brins) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (account) DO UPDATE SET givennames = excluded.givennames, surname = excluded.surname,"
            " verification = excluded.verification, brins = excluded.brins"
        )
        first, brins = known.first_name or known.chosen_name, " ".join(known.brin_codes or ())
        row = (account, known.email.lower(), first, known.last_name, known.verification, brins)
        await self._database.commit([Statement(upsert, [row])])

    async def by_email(self, email: str) -> str:
        """Return the account with this address, or an empty text."""
        rows = await self._database.fetch("SELECT account FROM accounts WHERE email = ?", (email.lower(),))
        return str(rows[0][0]) if rows else ""

    async def account(self, account: str) -> Account | None:
        """Return what was written of an account, or None."""
        rows = await self._database.fetch(
            "SELECT email, givennames, surname, verification, brins FROM accounts WHERE account = ?", (account,)
        )
        if not rows:
            return None
        email, givennames, surname, verification, brins = (str(value) for value in rows[0])
        return Account(
            account=account,
            email=email,
            givennames=givennames,
            surname=surname,
            verification=verification,
            brins=tuple(brins.split()),
        )

    async def pseudonym(self, account: str, service: str, fresh: str) -> str:
        """Return the account's pseudonym at a service; `fresh` becomes it when there is none."""
        insert = "INSERT INTO pseudonyms (account, service, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        await self._database.commit([Statement(insert, [(account, service, fresh)])])
        rows = await self._database.fetch(
            "SELECT value FROM pseudonyms WHERE account = ? AND service = ?", (account, service)
        )
        return str(rows[0][0])

    async def owner(self, value: str) -> str:
        """Return whose pseudonym this is, or an empty text."""
        rows = await self._database.fetch("SELECT account FROM pseudonyms WHERE value = ?", (value,))
        return str(rows[0][0]) if rows else ""

    async def drop(self, value: str) -> None:
        """Forget one pseudonym."""
        await self._database.commit([Statement("DELETE FROM pseudonyms WHERE value = ?", [(value,)], expect=1)])

    async def count(self) -> dict[str, int]:
        """Return how many accounts and pseudonyms there are."""
        rows = await self._database.fetch("SELECT (SELECT COUNT(*) FROM accounts), (SELECT COUNT(*) FROM pseudonyms)")
        return {"accounts": int(str(rows[0][0])), "pseudonyms": int(str(rows[0][1]))}

"""The PSP's book: mandates, what the bank is going to say, and the hints still to be given."""

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from wissel.chain.errors import Clash, NotKnown
from wissel.chain.psp.words import Count, MandateOrder, State
from wissel.infra.sql.ports import Database, Statement, Value

_TABLE: Final = """CREATE TABLE IF NOT EXISTS mandates (
    mandate TEXT PRIMARY KEY, request TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, state TEXT NOT NULL,
    reference TEXT NOT NULL, amount BIGINT NOT NULL, parts BIGINT NOT NULL, linkkey TEXT NOT NULL,
    bank TEXT NOT NULL, bank_ms BIGINT NOT NULL, due_ms BIGINT NOT NULL,
    webhook TEXT NOT NULL, hint_ms BIGINT NOT NULL, hints BIGINT NOT NULL)"""
_COLUMNS: Final = (
    "mandate, request, digest, state, reference, amount, parts, linkkey, bank, bank_ms, due_ms, webhook, hint_ms, hints"
)
_INSERT: Final = (
    f"INSERT INTO mandates ({_COLUMNS}) VALUES ({', '.join('?' * len(_COLUMNS.split(', ')))})"  # noqa: S608 (constant text)
    " ON CONFLICT (request) DO NOTHING"
)
ROWS_MAX: Final = 200  # per step


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateRow:
    """One mandate. `bank` is what the played bank says at `bank_ms`, or "" when it stays silent.

    `hint_ms` is when the webhook is next due, 0 when it need not be told; `hints` how often it was tried. `digest` is
    empty while nobody ordered it: it was cancelled first.
    """

    mandate: str
    request: str
    reference: str
    linkkey: str
    digest: str = ""
    state: State = "cancelled"
    amount: int = 0
    parts: int = 0
    bank: State | Literal[""] = ""
    bank_ms: int = 0
    due_ms: int = 0
    webhook: str = ""
    hint_ms: int = 0
    hints: int = 0


def digest_of(order: MandateOrder) -> str:
    """Return what makes two orders the same."""
    return hashlib.sha256(msgspec.json.encode(order)).hexdigest()


class Book:
    """What the PSP keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Make the table when it is not there."""
        await self._database.commit([Statement(_TABLE)])

    async def create(self, row: MandateRow) -> tuple[MandateRow, bool]:
        """Write a mandate; return the one that stands for this request, and whether it is new. Raises Clash."""
        await self._database.commit([Statement(_INSERT, [_values(row)])])
        standing = (await self._select("request = ?", (row.request,)))[0]
        if standing.digest not in {row.digest, ""}:
            raise Clash("This request id came before with another order. Draw a new id for a new order.")
        return standing, standing.mandate == row.mandate

    async def cancel(self, row: MandateRow, now_ms: int) -> MandateRow:
        """Cancel what stands for a request, or keep `row` so that nothing ever will; return the one that is there."""
        update = (
            "UPDATE mandates SET state = 'cancelled', hint_ms = CASE webhook WHEN '' THEN 0 ELSE ? END"
            " WHERE request = ? AND state IN ('open', 'confirmed')"
        )
        unit = [Statement(_INSERT, [_values(row)]), Statement(update, [(now_ms, row.request)])]
        await self._database.commit(unit)
        return (await self._select("request = ?", (row.request,)))[0]

    async def find(self, mandate: str) -> MandateRow:
        """Return a mandate. Raises NotKnown."""
        rows = await self._select("mandate = ?", (mandate,))
        if not rows:
            raise NotKnown("There is no such mandate.")
        return rows[0]

    async def due(self, now_ms: int) -> list[MandateRow]:
        """Return open mandates on which the bank has something to say, or whose last day has passed."""
        return await self._select("state = 'open' AND ((bank <> '' AND bank_ms <= ?) OR due_ms <= ?)", (now_ms, now_ms))

    async def decide(self, row: MandateRow, state: State, now_ms: int) -> bool:
        """Move an open mandate to `state`, and make its hint due. Return False when it was decided already."""
        hint_ms = now_ms if row.webhook else 0
        update = "UPDATE mandates SET state = ?, hint_ms = ? WHERE mandate = ? AND state = 'open'"
        await self._database.commit([Statement(update, [(state, hint_ms, row.mandate)])])
        return (await self.find(row.mandate)).state == state

    async def hints(self, now_ms: int) -> list[MandateRow]:
        """Return the mandates whose webhook is due."""
        return await self._select("hint_ms > 0 AND hint_ms <= ?", (now_ms,))

    async def hinted(self, row: MandateRow, next_ms: int) -> None:
        """Note that a hint was tried; `next_ms` is when to try again, 0 when it arrived or is given up."""
        update = "UPDATE mandates SET hint_ms = ?, hints = hints + 1 WHERE mandate = ?"
        await self._database.commit([Statement(update, [(next_ms, row.mandate)], expect=1)])

    async def count(self) -> Count:
        """Return how many mandates stand where."""
        rows = await self._database.fetch(
            "SELECT state, COUNT(*), COALESCE(SUM(amount), 0) FROM mandates GROUP BY state"
        )
        counts = {str(state): int(str(number)) for state, number, _ in rows}
        cents = sum(int(str(amount)) for state, _, amount in rows if state == "confirmed")
        names = ("open", "confirmed", "declined", "expired", "cancelled")
        return Count(**{name: counts.get(name, 0) for name in names}, cents=cents)

    async def _select(self, where: str, args: tuple[Value, ...]) -> list[MandateRow]:
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM mandates WHERE {where} ORDER BY mandate LIMIT {ROWS_MAX}",  # noqa: S608 (constant texts)
            args,
        )
        return [_row(row) for row in rows]


def _values(row: MandateRow) -> tuple[Value, ...]:
    return tuple(getattr(row, name) for name in _COLUMNS.split(", "))


def _row(values: tuple[Value, ...]) -> MandateRow:
    return msgspec.convert(dict(zip(_COLUMNS.split(", "), values, strict=True)), MandateRow)

"""DUO's book: the register of enrolments, the onderwijsnummers it gave, and when it was out of order."""

import hashlib
from typing import Final

import msgspec

from wissel.chain.duo.rules import EDUCATION_NUMBERS
from wissel.chain.duo.words import Count, Enrolment, Receipt
from wissel.chain.errors import Clash
from wissel.infra.sql.ports import Conflict, Database, Statement

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS deliveries (
        delivery TEXT PRIMARY KEY, digest TEXT NOT NULL, receipt TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS enrolments (
        bsn TEXT NOT NULL, brin TEXT NOT NULL, programme TEXT NOT NULL, form TEXT NOT NULL, studyyear TEXT NOT NULL,
        start TEXT NOT NULL, ended TEXT NOT NULL, level TEXT NOT NULL, studentnumber TEXT NOT NULL,
        PRIMARY KEY (bsn, brin, programme, form, studyyear, start))""",
    """CREATE TABLE IF NOT EXISTS outages (who TEXT PRIMARY KEY, until_ms BIGINT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS numbers (who TEXT PRIMARY KEY, number BIGINT NOT NULL)""",
)
_RUNNING: Final = (
    "SELECT 1 FROM enrolments"
    " WHERE bsn = ? AND brin = ? AND programme = ? AND form = ? AND studyyear = ? AND ended = ''"
)
_BEGIN: Final = (
    "INSERT INTO enrolments (bsn, brin, programme, form, studyyear, start, ended, level, studentnumber)"
    " VALUES (?, ?, ?, ?, ?, ?, '', ?, ?)"
)
_END: Final = (
    "UPDATE enrolments SET ended = ?"
    " WHERE bsn = ? AND brin = ? AND programme = ? AND form = ? AND studyyear = ? AND ended = ''"
)


class Book:
    """What DUO keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Make the tables when they are not there."""
        await self._database.commit([Statement(table) for table in _TABLES])

    async def receipt(self, delivery: str, enrolment: Enrolment) -> Receipt | None:
        """Return the receipt that this delivery got before, or None. Raises Clash when its content was another."""
        rows = await self._database.fetch("SELECT digest, receipt FROM deliveries WHERE delivery = ?", (delivery,))
        if not rows:
            return None
        if rows[0][0] != _digest(enrolment):
            raise Clash("This delivery id came before with other content. Draw a new id for a new delivery.")
        return msgspec.json.decode(str(rows[0][1]), type=Receipt)

    async def write(self, receipt: Receipt, enrolment: Enrolment) -> tuple[Receipt, bool]:
        """Write delivery and register entry together; return the receipt that stands, and whether it is this one.

        Raises Clash when the register already says otherwise.
        """
        key = (enrolment.bsn, enrolment.brin, enrolment.programme, enrolment.form, enrolment.studyyear)
        if enrolment.kind == "begun" and await self._database.fetch(_RUNNING, key):
            raise Clash("This person is already enrolled in this programme in this study year.")
        begun = (*key, enrolment.start, enrolment.level, enrolment.studentnumber)
        entry = Statement(_BEGIN, [begun]) if enrolment.kind == "begun" else Statement(_END, [(enrolment.end, *key)])
        delivered = Statement(
            "INSERT INTO deliveries (delivery, digest, receipt) VALUES (?, ?, ?)",
            [(receipt.delivery, _digest(enrolment), msgspec.json.encode(receipt).decode())],
        )
        try:
            await self._database.commit([delivered, entry._replace(expect=1)])
        except Conflict as error:
            standing = await self.receipt(receipt.delivery, enrolment)  # the same delivery came twice at once
            if standing is None:
                raise Clash("The register does not allow this: no such enrolment runs, or it stands there.") from error
            return standing, False
        return receipt, True

    async def count(self) -> Count:
        """Return how many deliveries of each kind there are, and how many enrolments run."""
        rows = await self._database.fetch(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN ended <> '' THEN 1 ELSE 0 END), 0) FROM enrolments"
        )
        begun, ended = (int(str(value)) for value in rows[0])
        return Count(begun=begun, ended=ended, enrolled=begun - ended)

    async def down_until(self, who: str, from_now_ms: int) -> int:
        """Return until when DUO is out of order for `who`; the first question sets it to `from_now_ms`."""
        first = Statement(
            "INSERT INTO outages (who, until_ms) VALUES (?, ?) ON CONFLICT (who) DO NOTHING", [(who, from_now_ms)]
        )
        await self._database.commit([first])
        rows = await self._database.fetch("SELECT until_ms FROM outages WHERE who = ?", (who,))
        return int(str(rows[0][0]))

    async def education_number(self, who: str) -> str:
        """Return the onderwijsnummer of someone without a BSN: always the same one."""
        give = Statement(
            "INSERT INTO numbers (who, number) SELECT ?, COALESCE(MAX(number), 0) + 1 FROM numbers WHERE true"
            " ON CONFLICT (who) DO NOTHING",
            [(who,)],
        )
        await self._database.commit([give])
        rows = await self._database.fetch("SELECT number FROM numbers WHERE who = ?", (who,))
        return f"{EDUCATION_NUMBERS}{int(str(rows[0][0])):07}"


def _digest(enrolment: Enrolment) -> str:
    return hashlib.sha256(msgspec.json.encode(enrolment)).hexdigest()

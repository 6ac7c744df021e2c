"""The portal's book: pointers to vaults, and the processes that it began; messages lie in the client's outbox."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from wissel.chain.errors import NotKnown
from wissel.chain.portal.words import Pointer
from wissel.client.files import SealedFile
from wissel.client.outbox import Outgoing
from wissel.client.store import keep, keep_files, let_go_all, tables
from wissel.infra.sql.ports import Database, Statement, Value

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS pointers (ref TEXT PRIMARY KEY, pointer TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS begun (
        process TEXT PRIMARY KEY, ref TEXT NOT NULL, institution TEXT NOT NULL, subject TEXT NOT NULL,
        sequence BIGINT NOT NULL, phase TEXT NOT NULL, gates TEXT NOT NULL, decided BIGINT NOT NULL)""",
)
_COLUMNS: Final = "process, ref, institution, subject, sequence, phase, gates, decided"


class BegunRow(NamedTuple):
    """A process: whose, with whom, her number in it, and where it stood when last seen (`gates` still open)."""

    process: str
    ref: str
    institution: str
    subject: str
    sequence: int
    phase: str = "sending"
    gates: tuple[str, ...] = ()
    decided: bool = False


class Book:
    """What the portal keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Make the tables when they are not there."""
        await self._database.commit([*(Statement(table) for table in _TABLES), *tables()])

    async def point(self, ref: str, pointer: Pointer) -> None:
        """Keep where a learner's vault is."""
        upsert = (
            "INSERT INTO pointers (ref, pointer) VALUES (?, ?)"
            " ON CONFLICT (ref) DO UPDATE SET pointer = excluded.pointer"
        )
        await self._database.commit([Statement(upsert, [(ref, msgspec.json.encode(pointer).decode())])])

    async def pointer(self, ref: str) -> Pointer | None:
        """Return where her vault is, or None when this portal knows of none."""
        rows = await self._database.fetch("SELECT pointer FROM pointers WHERE ref = ?", (ref,))
        return msgspec.json.decode(str(rows[0][0]), type=Pointer) if rows else None

    async def keep(self, row: BegunRow, message: Outgoing, files: Sequence[SealedFile] = ()) -> None:
        """Keep a message, its files and the number it took in its process, in one transaction."""
        upsert = (
            f"INSERT INTO begun ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (constant text)
            " ON CONFLICT (process) DO UPDATE SET sequence = excluded.sequence"
        )
        await self._database.commit([Statement(upsert, [_values(row)]), keep(message), *keep_files(message, files)])

    async def adopt(self, row: BegunRow) -> None:
        """Note a process that was begun on another device; one that is known here stays as it is."""
        insert = f"INSERT INTO begun ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608 (constant text)
        await self._database.commit([Statement(insert, [_values(row)])])

    async def saw(self, row: BegunRow) -> None:
        """Note where a process stands."""
        update = "UPDATE begun SET phase = ?, gates = ?, decided = ? WHERE process = ?"
        await self._database.commit(
            [Statement(update, [(row.phase, " ".join(row.gates), int(row.decided), row.process)], expect=1)]
        )

    async def done(self, subject: str) -> None:
        """Let go of what a decided process sent: its receivers' receipts are in the afschriften."""
        await self._database.commit(let_go_all(subject))

    async def kept(self, subject: str) -> list[Outgoing]:
        """Return what a process sent and may have to send again, byte for byte, oldest first."""
        rows = await self._database.fetch("SELECT id, body FROM outbox WHERE source = ? ORDER BY id", (subject,))
        return [Outgoing(subject, str(name), body, 0, 0) for name, body in rows if isinstance(body, bytes)]

    async def find(self, process: str) -> BegunRow:
        """Return a process that this portal began. Raises NotKnown."""
        rows = await self._select("process = ?", (process,))
        if not rows:
            raise NotKnown("This portal began no such process.")
        return rows[0]

    async def running(self) -> list[BegunRow]:
        """Return the processes that are not decided."""
        return await self._select("decided = 0", ())

    async def all(self) -> list[BegunRow]:
        """Return every process that this portal began."""
        return await self._select("decided >= 0", ())

    async def of(self, ref: str) -> list[BegunRow]:
        """Return the processes that this portal began for a learner."""
        return await self._select("ref = ?", (ref,))

    async def taken(self, subject: str) -> bool:
        """Say whether the platform acknowledged a message of hers."""
        sql = "SELECT 1 FROM outbox WHERE source = ? AND acknowledgement <> '' LIMIT 1"
        return bool(await self._database.fetch(sql, (subject,)))

    async def unsent(self, subject: str) -> int:
        """Return how many messages of hers the platform has neither taken nor refused yet."""
        sql = "SELECT COUNT(*) FROM outbox WHERE source = ? AND acknowledgement = '' AND refused = ''"
        return int(str((await self._database.fetch(sql, (subject,)))[0][0]))

    async def sending(self, subject: str) -> tuple[int, tuple[str, ...]]:
        """Return how many messages of hers are kept, and the codes with which the platform refused some."""
        rows = await self._database.fetch("SELECT refused FROM outbox WHERE source = ?", (subject,))
        return len(rows), tuple(str(refused) for (refused,) in rows if refused)

    async def _select(self, where: str, args: tuple[Value, ...]) -> list[BegunRow]:
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM begun WHERE {where} ORDER BY process",  # noqa: S608 (constant texts)
            args,
        )
        return [_row(row) for row in rows]


def _values(row: BegunRow) -> tuple[Value, ...]:
    return (*row[:6], " ".join(row.gates), int(row.decided))


def _row(values: tuple[Value, ...]) -> BegunRow:
    process, ref, institution, subject, sequence, phase, gates, decided = values
    texts = (str(process), str(ref), str(institution), str(subject))
    return BegunRow(*texts, int(str(sequence)), str(phase), tuple(str(gates).split()), bool(decided))

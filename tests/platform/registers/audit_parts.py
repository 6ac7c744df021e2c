"""What the tests of the audit register share: a store, chance that repeats, a key store, crashes."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from wissel.core.moments import to_ms
from wissel.core.tree import check_inclusion, leaf_hash
from wissel.infra.http.ports import Unreachable
from wissel.infra.sql.migrate import migrate, read_migrations
from wissel.infra.sql.ports import Database, Statement, Value
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.institution.witness.rules import judge, read
from wissel.institution.witness.words import Asked, Refusal, Seen
from wissel.messages.notes import NoteKey, WitnessKey
from wissel.messages.verify import check_note, parse_checkpoint
from wissel.platform.registers.audit.actions.log import AuditLog
from wissel.platform.registers.audit.actions.sequence import Sequencer
from wissel.platform.registers.audit.ports import WitnessAnswer
from wissel.platform.registers.audit.words import Proof, WitnessCard
from wissel.platform.store import MIGRATIONS
from wissel.platform.store.leaves import pending

NOON = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)
ORIGIN = "wissel.example/log"


class Crash(Exception):
    """The process dies here."""


class Dice:
    """Entropy that repeats."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._drawn = 0

    def draw(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(f"{self._seed}/{self._drawn}".encode()).digest(count)


class Kept:
    """A key store that holds the highest checkpoint and, as the real one, refuses a lower one."""

    def __init__(self) -> None:
        self.note = ""

    def checkpoint(self) -> str:
        return self.note

    def keep_checkpoint(self, note: str) -> None:
        new, old = parse_checkpoint(note), parse_checkpoint(self.note) if self.note else None
        assert old is None or old.origin != new.origin or old.size <= new.size
        self.note = note


class Fuse:
    """Burns at the n-th point that it is led past; 0: never."""

    def __init__(self, at: int = 0) -> None:
        self.left = at

    def point(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


class FragileDatabase:
    """A database whose process dies before or after any call."""

    def __init__(self, database: Database, fuse: Fuse) -> None:
        self._database = database
        self._fuse = fuse

    async def commit(self, unit: Sequence[Statement]) -> None:
        self._fuse.point()
        await self._database.commit(unit)
        self._fuse.point()

    async def fetch(self, sql: str, args: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        self._fuse.point()
        return await self._database.fetch(sql, args)


class FragileKept:
    """A key store whose process dies before or after keeping."""

    def __init__(self, kept: Kept, fuse: Fuse) -> None:
        self._kept = kept
        self._fuse = fuse

    def checkpoint(self) -> str:
        return self._kept.checkpoint()

    def keep_checkpoint(self, note: str) -> None:
        self._fuse.point()
        self._kept.keep_checkpoint(note)
        self._fuse.point()


class Rig:
    """One platform's log on one store; `restart` is what a new process would build."""

    def __init__(self, database: Database, kept: Kept, key: NoteKey, quorum: int = 1, batch: int = 4096) -> None:
        self.database, self.kept, self.key, self.quorum, self.batch = database, kept, key, quorum, batch
        self.restart()

    def restart(self, fuse: Fuse | None = None) -> None:
        burning = fuse or Fuse()
        database, kept = FragileDatabase(self.database, burning), FragileKept(self.kept, burning)
        self.log = AuditLog(database, vkey=self.key.vkey, highest=kept, quorum=self.quorum)
        self.sequencer = Sequencer(self.log, key=self.key, highest=kept, batch=self.batch)

    async def pend(self, entries: Sequence[bytes], at: datetime = NOON) -> list[bytes]:
        leaves = [hashlib.sha256(b"leaf" + entry).digest()[:16] for entry in entries]
        unit = [pending(entry, leaf, to_ms(at)) for entry, leaf in zip(entries, leaves, strict=True)]
        await self.database.commit(unit)
        return leaves

    async def run(self, at: datetime = NOON) -> int:
        """Step until nothing is pending; return how many leaves went in."""
        total = 0
        while done := await self.sequencer.step(at):
            total += done
        return total

    async def prove(self, leaves: Sequence[bytes]) -> Proof:
        proof = await self.log.prove(leaves)
        assert proof is not None
        return proof


def entries_of(count: int, start: int = 0) -> list[bytes]:
    return [
        f'{{"event":"process.moved","number":{n},"process":"p{n % 7}"}}'.encode() for n in range(start, start + count)
    ]


class Stores:
    """Opens platform stores in one folder, with the real migrations, and closes them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open = list[SqliteDatabase]()

    async def open(self, name: str) -> SqliteDatabase:
        database = SqliteDatabase(self.folder / name)
        self._open.append(database)
        await migrate(database, read_migrations(MIGRATIONS))
        return database

    async def rig(self, name: str, *, quorum: int = 1, batch: int = 4096) -> Rig:
        rig = Rig(await self.open(name), Kept(), NoteKey.new(ORIGIN, Dice(1)), quorum, batch)
        await rig.log.open(NOON)
        return rig

    async def restored(self, rig: Rig, backup: str) -> Rig:
        """Return the platform as it is after its database was replaced by a back-up; the key store stays."""
        return Rig(await self.open(backup), rig.kept, rig.key, rig.quorum, rig.batch)

    def close(self) -> None:
        for database in self._open:
            database.close()


def check_proof(entry: bytes, proof: str, vkey: str) -> tuple[int, int]:
    """Check a C2SP tlog-proof the slow way; return (index, size of the checkpoint)."""
    head, _, note = proof.partition("\n\n")
    kind, index, *path = head.split("\n")
    assert kind == "c2sp.org/tlog-proof@v1"
    number = int(index.removeprefix("index "))
    check_note(note, vkey)
    checkpoint = parse_checkpoint(note)
    hashes = [base64.b64decode(line, validate=True) for line in path]
    assert check_inclusion(leaf_hash(entry), number, checkpoint.size, hashes, checkpoint.root)
    return number, checkpoint.size


class Played:
    """Witnesses that answer through the real rule of the institution's side, without a store."""

    def __init__(self, names: Sequence[str], log_vkey: str, now: datetime = NOON) -> None:
        self.keys = {f"urn:{name}": WitnessKey.new(f"{name}.example", Dice(100 + n)) for n, name in enumerate(names)}
        self.seen = {urn: Seen() for urn in self.keys}
        self.down = set[str]()
        self.asked = list[str]()
        self.now = now
        self._log_vkey = log_vkey

    def cards(self) -> list[WitnessCard]:
        return [WitnessCard(urn, key.vkey) for urn, key in self.keys.items()]

    async def __call__(self, urn: str, body: str) -> WitnessAnswer:
        self.asked.append(urn)
        if urn in self.down:
            raise Unreachable("no answer")
        asked = read(body)
        assert isinstance(asked, Asked), asked
        judged = judge(self.seen[urn], asked, self._log_vkey)
        if isinstance(judged, Refusal):
            return WitnessAnswer(*judged)
        self.seen[urn] = judged
        return WitnessAnswer(200, self.keys[urn].cosign(asked.checkpoint.body, self.now))

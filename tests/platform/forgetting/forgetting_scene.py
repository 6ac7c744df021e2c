"""What tests of forgetting share: a clock to turn, chance, a platform's disk, and a power cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Self
from unittest import mock

from tests.infra.http_scene import KeptLog

from wissel.core.ids import partition_of
from wissel.infra.sql.migrate import migrate, read_migrations
from wissel.infra.sql.ports import Statement
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.platform.forgetting.actions.days import Days
from wissel.platform.forgetting.actions.destroyer import Destroyer
from wissel.platform.forgetting.actions.keys import Keys
from wissel.platform.forgetting.filestore import FileKeyStore
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.words import DataKey, Fault, KeyClass, KeyRow
from wissel.platform.store import MIGRATIONS

NOON = datetime(2026, 4, 15, 10, tzinfo=UTC)
TODAY = date(2026, 4, 15)
PROCESS = "11111111-2222-8333-8444-555555555555"
OTHER = "99999999-2222-8333-8444-555555555555"


class Chance:
    """Real chance: a slot must be new each time."""

    def draw(self, count: int) -> bytes:
        return os.urandom(count)


@dataclass
class Turned:
    """A clock that moves when it is told to, and that a witness may follow."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    async def read(self) -> datetime:
        return self.at


class Died(BaseException):
    """The process ended at a crash point."""


@dataclass
class Faults:
    """Ends the process at the crash point `at`, once."""

    at: str = ""
    seen: list[str] = field(default_factory=list)

    def __call__(self, point: str) -> None:
        self.seen.append(point)
        if point == self.at:
            self.at = ""
            raise Died(point)


@dataclass
class Scene:
    """A platform's disk with all of this room's parts on it."""

    folder: Path
    clock: Turned
    database: SqliteDatabase
    store: FileKeyStore
    keys: Keys
    destroyer: Destroyer
    days: Days
    witness: Turned
    log: KeptLog

    @classmethod
    async def open(
        cls, folder: Path, *, clock: Turned | None = None, demo: bool = True, crash: Fault | None = None
    ) -> Self:
        clock = clock or Turned()
        database = SqliteDatabase(folder / "wissel.sqlite", crash=crash or _nothing)
        await migrate(database, read_migrations(MIGRATIONS))
        store = FileKeyStore(folder / "keys", Chance(), demo=demo, crash=crash or _nothing)
        keys = Keys(store, database, clock, Chance())
        destroyer = Destroyer(store, database, keys, Chance())
        witness = clock

        async def witnessed() -> datetime | None:
            return scene.witness.at

        log = KeptLog()
        days = Days(store, database, keys, Chance(), database_clock=clock.read, witness_clock=witnessed, journal=log)
        scene = cls(folder, clock, database, store, keys, destroyer, days, witness, log)
        return scene

    def close(self) -> None:
        self.database.close()
        self.store.close()

    async def keep(
        self, text: str, *, process: str = PROCESS, cls: KeyClass = "post", scope: str = "", day: date = TODAY
    ) -> DataKey:
        """Seal a text into a parties row, with a new key, in one unit."""
        minted = self.keys.mint(process, partition_of(process), cls, scope, day)
        sealed = minted.key.seal(text.encode(), place(process, scope, cls))
        row = (partition_of(process), process, f"{cls}/{scope}", sealed)
        insert = Statement("INSERT INTO parties (partition, process, party, sealed) VALUES (?, ?, ?, ?)", [row])
        await self.database.commit([minted.statement, insert])
        return minted.key

    async def rows(self, *processes: str) -> list[KeyRow]:
        return await self.keys.rows(processes or (PROCESS,))

    async def leaves(self) -> list[bytes]:
        found = await self.database.fetch("SELECT entry FROM pending_leaves ORDER BY at_ms")
        return [entry for (entry,) in found if isinstance(entry, bytes)]

    async def events(self) -> list[str]:
        return [entry.split(b'"event":"')[1].split(b'"')[0].decode() for entry in await self.leaves()]

    async def pass_day(self) -> int:
        """Step until the ending of days has nothing more to do now; return how many days ended."""
        return sum([await self.days.step(self.clock.at) for _ in range(4)])


def _nothing(_point: str) -> None:
    return


class Platter:
    """What of a folder would still be there after a power cut: only what was synced, under names that were synced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._contents: dict[int, bytes] = {}
        self._names: dict[Path, dict[str, int]] = {}

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Follow every fsync under the folder."""
        fsync = os.fsync

        def followed(descriptor: int) -> None:
            fsync(descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path.is_dir():
                self._names[path] = {entry.name: entry.stat().st_ino for entry in path.iterdir()}
            else:
                # Through /proc, because the descriptor may be open for writing only, or its file unlinked.
                self._contents[os.fstat(descriptor).st_ino] = Path(f"/proc/self/fd/{descriptor}").read_bytes()

        with mock.patch("os.fsync", followed):
            yield

    def restore(self, target: Path) -> Path:
        """Write what survived into `target`."""
        self._copy(self._folder, target)
        return target

    def _copy(self, source: Path, target: Path) -> None:
        target.mkdir()
        for name, inode in self._names.get(source, {}).items():
            if (source / name).is_dir():
                self._copy(source / name, target / name)
            else:
                (target / name).write_bytes(self._contents.get(inode, b""))

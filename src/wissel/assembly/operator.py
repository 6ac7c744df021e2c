"""What the operator of the platform does from the command line. Except for looking, the platform must be stopped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from wissel.assembly.clocks import DemoClock, SystemClock, SystemEntropy
from wissel.assembly.identity import check_identity
from wissel.assembly.platform import Platform, database_clock, open_platform, retention, with_adapter
from wissel.assembly.settings import PlatformSettings
from wissel.core.clock import Clock
from wissel.core.errors import WisselError
from wissel.core.ids import partition_of
from wissel.infra.sql.sqlite import SqliteDatabase, SqliteReader
from wissel.infra.telemetry.log import SilentLog
from wissel.messages.notes import NoteKey, trust_file
from wissel.messages.participant import Card
from wissel.platform.forgetting.actions.days import operator_continue
from wissel.platform.forgetting.actions.inspection import inspect
from wissel.platform.forgetting.errors import KeyStoreLost
from wissel.platform.forgetting.filestore import FileKeyStore
from wissel.platform.forgetting.layout import FileKeyReader
from wissel.platform.forgetting.ports import KeyStore
from wissel.platform.forgetting.words import ForgettingReport
from wissel.platform.participants.errors import CardInvalid
from wissel.platform.registers.audit.actions.check import Check, Found
from wissel.platform.registers.audit.actions.export import Exported, export
from wissel.platform.registers.audit.actions.prune import Due, due, prune
from wissel.platform.registers.audit.actions.reopen import Reopened, next_origin, reopen
from wissel.platform.store import processes
from wissel.platform.store.words import Where

CLOSED: Final = "closed-logs"


class NothingThere(WisselError):
    """There is no platform's store where the settings say."""

    code: ClassVar[str] = "nothing-there"
    status: ClassVar[int] = 404


def clock_of(settings: PlatformSettings) -> Clock:
    """Return the platform's clock: the machine's, or the demo's."""
    return DemoClock(Path(settings.clock)) if settings.demo and settings.clock else SystemClock()


@asynccontextmanager
async def opened(settings: PlatformSettings, *, fresh: bool = False) -> AsyncIterator[Platform]:
    """Open the platform's store for one piece of work. Raises StoreInUse while it is being served.

    With `fresh` a store is made where there is none, else NothingThere.
    """
    data = Path(settings.data)
    if fresh:
        data.mkdir(parents=True, exist_ok=True)
    else:
        _there(data)
    database = SqliteDatabase(data / "wissel.sqlite")
    try:
        keystore = FileKeyStore(data / "keys", SystemEntropy(), demo=settings.demo)
        try:
            yield await open_platform(settings, database, keystore, clock_of(settings), SilentLog())
        finally:
            keystore.close()
    finally:
        database.close()


def _there(data: Path) -> None:
    if not (data / "wissel.sqlite").exists():
        raise NothingThere(f"There is no platform's store in {data}.")


async def register(settings: PlatformSettings, file: Path) -> tuple[str, int]:
    """Register or renew the participant whose card is in `file`; return its URN and how many keys were new."""
    try:
        card = msgspec.json.decode(file.read_bytes(), type=Card)
    except msgspec.MsgspecError as error:
        raise CardInvalid(f"{file.name} is not a card: {error}.") from None
    async with opened(settings, fresh=True) as platform:
        now = platform.clock.now()
        return card.urn, await platform.participants.register(with_adapter(card, platform.identity, now), now)


async def revoke(settings: PlatformSettings, kid: str) -> None:
    """Revoke a participant's key from now on. Raises ParticipantUnknown."""
    async with opened(settings) as platform:
        await platform.participants.revoke(kid, platform.clock.now())


async def check_log(settings: PlatformSettings) -> list[Found]:
    """Rebuild every log from its entries and tiles. Raises LogInconsistent for the first thing that does not fit."""
    async with opened(settings) as platform:
        check = Check(platform.audit)
        while await check.step(platform.clock.now()):
            pass
        return check.found


async def export_log(settings: PlatformSettings, target: Path) -> Exported:
    """Write the log, entries included, below `target`. Only for who may read all entries."""

    def write(path: str, data: bytes) -> None:
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    async with opened(settings) as platform:
        witnesses = [card.witness for card in platform.participants.cards() if card.witness]
        vkeys = [*closed_logs(platform.keystore), platform.identity.log.vkey]
        return await export(platform.audit, write, platform.clock.now(), vkeys=vkeys, witnesses=witnesses)


async def prune_log(settings: PlatformSettings, *, dry: bool) -> list[Due]:
    """Prune entries under the policy of the settings, or only look what would go. Raises PruneRefused."""
    async with opened(settings) as platform:
        policy, now = retention(settings), platform.clock.now()
        keep = await platform.participants.leaves()
        if dry:
            return await due(platform.audit, policy, now, keep)
        return await prune(platform.audit, policy, now, platform.entropy, keep)


def closed_logs(keystore: KeyStore) -> list[str]:
    """Return the verifier keys of logs that were closed; they stay in every trust file."""
    return msgspec.json.decode(keystore.secret(CLOSED) or b"[]", type=list[str])


async def reopen_log(settings: PlatformSettings) -> Reopened:
    """Close the log after a restore of older data, and start a new one that names its last checkpoint."""
    data, entropy = Path(settings.data), SystemEntropy()
    _there(data)
    database = SqliteDatabase(data / "wissel.sqlite")
    keystore = FileKeyStore(data / "keys", entropy, demo=settings.demo)
    try:
        await check_identity(keystore, database, reopening=True)
        key = NoteKey.new(await next_origin(database, keystore, settings.origin), entropy)
        closed = closed_logs(keystore)
        before = keystore.secret("log")
        if before is not None and (vkey := NoteKey.load(before).vkey) not in closed:
            keystore.keep_secret(CLOSED, msgspec.json.encode([*closed, vkey]))
        keystore.keep_secret("log", key.dump())
        now = clock_of(settings).now()
        return await reopen(database, key=key, highest=keystore, entropy=entropy, now=now)
    finally:
        keystore.close()
        database.close()


async def trust(settings: PlatformSettings) -> bytes:
    """Return the trust file of now: every log of this platform, the witnesses on the cards, and the quorum."""
    async with opened(settings) as platform:
        witnesses = [card.witness for card in platform.participants.cards() if card.witness]
        vkeys = [*closed_logs(platform.keystore), platform.identity.log.vkey]
        return trust_file({vkey.partition("+")[0]: vkey for vkey in vkeys}, witnesses, settings.quorum)


async def inspect_forgetting(settings: PlatformSettings) -> ForgettingReport:
    """Look at what can still be read; the platform may be running."""
    data = Path(settings.data)
    _there(data)
    reader = SqliteReader(data / "wissel.sqlite")
    try:
        return await inspect(FileKeyReader(data / "keys"), reader, clock_of(settings).now())
    finally:
        reader.close()


async def continue_forgetting(settings: PlatformSettings, through: date) -> None:
    """Say, as an operator who looked at the clocks, that days up to and including `through` may be destroyed."""
    async with opened(settings) as platform:
        now, clock = platform.clock.now(), database_clock(platform.clock)
        await operator_continue(platform.database, clock, through, now, platform.entropy)


async def losses(settings: PlatformSettings) -> KeyStoreLost | None:
    """Return what the key store lost, by process and receiver; None when it has everything."""
    async with opened(settings) as platform:
        return platform.keys.lost


async def write_off(settings: PlatformSettings) -> int:
    """Give up what the key store lost, so that the platform accepts again; return how many days it was."""
    async with opened(settings) as platform:
        return await platform.keys.write_off(platform.clock.now())


async def retry(settings: PlatformSettings, process: str) -> None:
    """Take a process that was set aside up again. Raises NothingThere when it was not set aside."""
    async with opened(settings) as platform:
        if process not in dict(await processes.aside(platform.database)):
            raise NothingThere(f"No process {process} was set aside; `wissel engine aside` lists those that were.")
        await platform.database.commit([processes.take_up(Where(partition_of(process), process))])


async def set_aside(settings: PlatformSettings) -> list[tuple[str, str]]:
    """Return (process, error code) of what is set aside; the platform may be running."""
    _there(Path(settings.data))
    reader = SqliteReader(Path(settings.data) / "wissel.sqlite")
    try:
        return await processes.aside(reader)
    finally:
        reader.close()

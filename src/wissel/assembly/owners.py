"""What all owners' processes share: their clock, log, network and how they end."""

import asyncio
import errno
import resource
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from litestar.types import ASGIApp

from wissel.assembly.clocks import DemoClock, SystemClock, SystemEntropy
from wissel.assembly.crash import Crash, crash_at, never
from wissel.assembly.runner import Job, WriterThread, run_jobs
from wissel.assembly.settings import OwnerSettings, SettingWrong, allowed
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.files.disk import DiskFolder
from wissel.infra.http.outbound import AiohttpHttp
from wissel.infra.http.ports import Http
from wissel.infra.http.serve import Bound, Site, bind, serve
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.infra.telemetry.log import JsonLog, Log
from wissel.messages.participant import Card


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One owner's process: its clock, chance, network, log and the resources that are closed at its end."""

    clock: Clock
    entropy: Entropy
    http: Http
    log: Log
    resources: ExitStack
    threads: bool = True
    crash: Crash = never

    def database(self, file: Path) -> SqliteDatabase:
        """Open a SQLite file until the process ends, with a writer thread of its own unless all runs in one thread."""
        database = SqliteDatabase(file, crash=self.crash)
        if self.threads:
            return self.resources.enter_context(WriterThread(database))
        self.resources.callback(database.close)
        return database


class App(NamedTuple):
    """One application of an owner, and the port that it must answer at."""

    name: str
    app: ASGIApp
    port: int


class Parts(NamedTuple):
    """What an owner's process serves and does."""

    apps: list[App]
    jobs: list[Job]


@asynccontextmanager
async def owner(settings: OwnerSettings) -> AsyncIterator[Owner]:
    """Open what an owner's process works with; close it at the end."""
    clock = demo_clock(settings.clock) if settings.clock else SystemClock()
    crash = crash_at(settings.crash, demo=bool(settings.clock))
    with ExitStack() as resources:
        log = JsonLog(clock, line_writer(settings.log, resources))
        async with AiohttpHttp(allowed(settings.allow)) as http:
            yield Owner(clock=clock, entropy=SystemEntropy(), http=http, log=log, resources=resources, crash=crash)


def line_writer(file: str, resources: ExitStack) -> Callable[[str], None]:
    """Return what writes a log line: to a file that is appended to, or to standard output. Raises SettingWrong."""
    try:
        stream = Path(file).open("a", encoding="utf-8") if file else sys.stdout  # noqa: SIM115 - closed by `resources`
    except OSError as error:
        raise SettingWrong(f"Setting log: {file} cannot be written: {error.strerror}.", field="log") from None
    if file:
        resources.callback(stream.close)

    def write(line: str) -> None:
        stream.write(line + "\n")
        stream.flush()

    return write


async def run_owner(name: str, settings: OwnerSettings, build: Callable[[Owner], Awaitable[Parts]]) -> None:
    """Open, build, serve and work until the process is asked to end (SIGINT or SIGTERM). Raises SettingWrong.

    From here on the process leaves no core file: its memory holds keys and people.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        Path(settings.data).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingWrong(f"Setting data: {settings.data} cannot be made: {error.strerror}.", field="data") from None
    async with owner(settings) as mine:
        parts = await build(mine)
        sites = [Site(each.name, each.app, _bind(each.port, settings.host)) for each in parts.apps]
        await _work(name, sites, parts.jobs, mine)


def demo_clock(file: str) -> Clock:
    """Return the clock of a demo. Raises SettingWrong when its file is not there."""
    if not Path(file).is_file():
        raise SettingWrong(f"Setting clock: there is no file {file}.", field="clock")
    return DemoClock(Path(file))


def _bind(port: int, host: str) -> Bound:
    try:
        return bind(port, host=host)
    except OSError as error:
        reason = "somebody else listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise SettingWrong(f"Setting port: {host}:{port} cannot be taken: {reason}.", field="port") from None


async def _work(name: str, sites: Sequence[Site], jobs: Sequence[Job], mine: Owner) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def started(ports: Mapping[str, int]) -> None:
        mine.log.write("owner.started", owner=name, **{key.replace(".", "_"): port for key, port in ports.items()})

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(sites, stop=stop, started=started))
        tasks.create_task(run_jobs(jobs, mine.clock, mine.log, stop))


def folder(path: Path, scratch: Path) -> DiskFolder:
    """Return a folder of small files, made when it is not there; `scratch` is where files are written first."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    return DiskFolder(path, scratch)


def read_cards(file: str) -> list[Card]:
    """Read the public list of participants. Raises SettingWrong."""
    try:
        return msgspec.json.decode(Path(file).read_bytes(), type=list[Card])
    except OSError as error:
        raise SettingWrong(f"Setting cards: {file} cannot be read: {error.strerror}.", field="cards") from None
    except msgspec.MsgspecError as error:
        raise SettingWrong(f"Setting cards: {file} is not a list of cards: {error}.", field="cards") from None


def as_toml(settings: msgspec.Struct) -> str:
    """Return settings as a TOML file that `read_settings` reads."""
    plain: dict[str, Any] = msgspec.to_builtins(settings)
    tables = {name: value for name, value in plain.items() if isinstance(value, dict)}
    lines = [f"{name} = {_toml(value)}" for name, value in plain.items() if name not in tables]
    for name, table in tables.items():
        for key, value in table.items():
            if isinstance(value, dict):
                lines += ["", f"[{name}.{key}]", *(f"{inner} = {_toml(each)}" for inner, each in value.items())]
        flat = {key: value for key, value in table.items() if not isinstance(value, dict)}
        if flat:
            lines += ["", f"[{name}]", *(f"{_toml(key)} = {_toml(value)}" for key, value in flat.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    return msgspec.json.encode(value).decode()  # JSON texts, numbers, booleans and lists of them are TOML too

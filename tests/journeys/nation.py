"""The whole nation in one process: every owner's real code, over HTTP in memory, on a clock that steps."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar
from tests.journeys.parties import SeededEntropy, SteppedClock

from wissel.assembly.chain import build_played
from wissel.assembly.clocks import set_demo_time
from wissel.assembly.demo import play
from wissel.assembly.demo.processes import commands
from wissel.assembly.demo.setup import START, Scene, prepare
from wissel.assembly.institution import build_connector
from wissel.assembly.learner import build_vaults
from wissel.assembly.owners import Owner, Parts
from wissel.assembly.platform import build_platform
from wissel.assembly.runner import Job
from wissel.assembly.settings import (
    ChainSettings,
    ConnectorSettings,
    PlatformSettings,
    VaultsSettings,
    read_settings,
)
from wissel.infra.http.memory import MemoryHttp
from wissel.infra.http.ports import Request, Response
from wissel.messages.verify import open_copy, parse_json

KINDS: dict[str, tuple[type[Any], Callable[[Any, Owner], Awaitable[Parts]]]] = {
    "serve": (PlatformSettings, build_platform),
    "connector": (ConnectorSettings, build_connector),
    "vaults": (VaultsSettings, build_vaults),
    "play": (ChainSettings, build_played),
}


class Lines:
    """A log that remembers."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    def write(self, event: str, **fields: Any) -> None:
        """Remember one line."""
        self.said.append((event, fields))


class Network:
    """The one network of the nation; applications join it when they are built."""

    def __init__(self) -> None:
        self.apps: dict[str, Any] = {}
        self.down: set[str] = set()

    async def send(self, request: Request) -> Response:
        """Carry a call."""
        reachable = {base: app for base, app in self.apps.items() if base not in self.down}
        return await MemoryHttp(reachable).send(request)


@dataclass
class Life:
    """One owner's process, as far as this one plays it: what it does, and what it must close."""

    number: int
    command: str
    file: Path
    jobs: list[Job] = field(default_factory=list)
    resources: ExitStack = field(default_factory=ExitStack)


@dataclass
class Nation:
    """All owners, and the means to let time pass."""

    scene: Scene
    clock: SteppedClock
    network: Network
    log: Lines
    seed: int
    lives: dict[str, Life] = field(default_factory=dict)
    doors: AsyncExitStack = field(default_factory=AsyncExitStack)
    jobs: list[Job] = field(default_factory=list)  # of owners that a test adds

    async def start(self, name: str) -> None:
        """Start an owner: build it from its settings file, as its process would."""
        life = self.lives[name]
        kind, build = KINDS[life.command]
        mine = Owner(
            clock=self.clock,
            entropy=SeededEntropy(self.seed * 1000 + life.number),
            http=self.network,
            log=self.log,
            resources=life.resources,
            threads=False,
        )
        parts = await build(read_settings(kind, life.file, {}), mine)
        for each in parts.apps:
            if isinstance(each.app, Litestar):
                await self.doors.enter_async_context(each.app.lifespan())
            self.network.apps[f"http://127.0.0.1:{each.port}"] = each.app
        life.jobs = parts.jobs
        life.number += 100  # another start draws other numbers

    def stop(self, name: str) -> None:
        """End an owner: nobody answers at its ports, and its files are closed."""
        life = self.lives[name]
        life.jobs = []
        life.resources.close()
        self.network.apps.pop(self.scene.address(name), None)

    async def operate(self, *words: str, later: timedelta = timedelta(0)) -> str:
        """Run an operator's command on the platform's store, stopped for it and started again; return what it said."""
        self.stop("platform")
        set_demo_time(self.scene.clock, self.clock.now() + later)
        config = str(self.lives["platform"].file)
        command = [sys.executable, "-m", "wissel.cli", words[0], "--config", config, *words[1:]]
        done = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await done.communicate()
        assert done.returncode == 0, said.decode()
        await self.clock.sleep(10)  # the command's own clock ran on
        await self.start("platform")
        return said.decode()

    async def round(self) -> int:
        """Let every owner do what is due, once."""
        jobs = [job for life in self.lives.values() for job in life.jobs] + self.jobs
        return sum([await job.step(self.clock.now()) for job in jobs])

    async def until(self, event: str, process: str, rounds: int = 400) -> None:
        """Let seconds pass until the platform's log says `event` of a process."""
        for _ in range(rounds):
            if any(name == event and said.get("process") == process for name, said in self.log.said):
                return
            await self.round()
            await self.clock.sleep(0.5)
        tail = "\n".join(
            f"{name} {said}" for name, said in self.log.said if name != "http.answered" or said["status"] > 304
        )
        message = f"{event} of {process} did not come in {rounds} rounds:\n{tail}"
        raise AssertionError(message)

    async def pass_days(self, days: int, rounds: int = 12) -> None:
        """Let days pass, a day at a time; everybody does what is due in each."""
        for _ in range(days):
            await self.clock.sleep(timedelta(days=1).total_seconds())
            for _ in range(rounds):
                await self.round()
                await self.clock.sleep(1)

    async def settle(self, rounds: int = 30) -> None:
        """Let some seconds pass."""
        for _ in range(rounds):
            await self.round()
            await self.clock.sleep(1)

    async def learner(self, ref: str) -> play.Learner:
        """Let a learner move into her vault."""
        return await play.move_in(self.scene, self.network, ref)

    async def enrol(self, learner: play.Learner | play.Guest, wish: play.Wish | None = None) -> str:
        """Let her ask to enrol; return the process."""
        return await play.enrol(self.scene, self.network, learner, wish or play.Wish())

    async def desk(self, house: str, what: str, body: dict[str, Any] | None = None) -> Any:
        """Speak to the people's door of an institution."""
        token = (self.scene.data / "institutions" / house / "keys" / "desk.txt").read_text().strip()
        url = f"{self.scene.address(house)}/{house}/desk{what}"
        raw = b"" if body is None else msgspec.json.encode(body)
        method = "GET" if body is None else "POST"
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        answer = await self.network.send(Request(method, url, headers, raw))
        assert answer.status < 300, answer.body
        return msgspec.json.decode(answer.body) if answer.body else {}

    def copies(self, owner: str) -> list[dict[str, Any]]:
        """Return every afschrift in an owner's vault ("learners/x", "institutions/noord"), opened."""
        place = self.scene.data / owner
        jwk = parse_json((place / "keys" / "seal.json").read_bytes())
        return [msgspec.json.decode(open_copy(file.read_bytes(), jwk)) for file in sorted((place / "vault").iterdir())]


@asynccontextmanager
async def nation(data: Path, *, seed: int = 1, pushed: tuple[str, ...] = ()) -> AsyncIterator[Nation]:
    """Run the whole nation of the demo in this process, from its start on 15 April 2026."""
    scene = await prepare(data, pace=0.0, pushed=pushed)
    made = Nation(scene, SteppedClock(START), Network(), Lines(), seed)
    with ExitStack() as resources:
        async with made.doors:
            for number, (name, (command, file)) in enumerate(commands(scene).items()):
                made.lives[name] = Life(number, command, file)
                resources.callback(made.lives[name].resources.close)
                await made.start(name)
            yield made

"""The whole nation in one process, in which owners die at their commits and between two writes of the key store.

Death is an exception that nothing catches: from then on nothing of the dead owner reaches its disk, and who called
it gets no answer. It is started again on its own folder. Far more deaths than real processes could die, and each
one can be had again by its seed.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from litestar import Litestar
from tests.journeys.nation import KINDS, Lines, Network
from tests.journeys.parties import SeededEntropy, SteppedClock

from wissel.assembly.demo.processes import commands
from wissel.assembly.demo.setup import START, Scene, prepare
from wissel.assembly.owners import Owner
from wissel.assembly.runner import Job, run_once
from wissel.assembly.settings import read_settings
from wissel.core.entropy import Entropy
from wissel.infra.http.ports import Request, Response, Unreachable


class Died(BaseException):
    """As SIGKILL: no handler of the owner's own runs on."""


@dataclass(slots=True, kw_only=True)
class Fate:
    """When one owner dies: at each crash point with the same chance, once it is `armed`."""

    chance: random.Random
    share: float = 0.0
    dead: bool = False
    deaths: Counter[str] = field(default_factory=Counter)

    def __call__(self, point: str) -> None:
        """Pass a point, or die there. The dead stay dead: what still runs of them may not write."""
        if not self.dead and self.chance.random() < self.share:
            self.dead = True
            self.deaths[point] += 1
        if self.dead:
            raise Died(point)


class Wires(Network):
    """The network: whoever dies while answering leaves the caller without an answer."""

    async def send(self, request: Request) -> Response:
        """Carry a call."""
        try:
            return await super().send(request)
        except Died:
            raise Unreachable("No answer came (the other side is gone).") from None


@dataclass(slots=True, kw_only=True)
class Life:
    """One owner: its folder stays, its process comes and goes."""

    command: str
    file: Path
    fate: Fate
    entropy: Entropy
    jobs: list[Job] = field(default_factory=list)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def serve(self, app: Litestar) -> None:
        """Let an application be up until `stack` closes; in a task of its own, for lives do not nest."""
        up, down = asyncio.Event(), asyncio.Event()

        async def live() -> None:
            async with app.lifespan():
                up.set()
                await down.wait()

        async def end() -> None:
            down.set()
            await task

        task, started = asyncio.create_task(live()), asyncio.create_task(up.wait())
        self.stack.push_async_callback(end)
        await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()


@dataclass(kw_only=True)
class Mortals:
    """All owners, and the means to let time pass."""

    scene: Scene
    clock: SteppedClock
    wires: Wires
    log: Lines
    lives: dict[str, Life]

    def arm(self, share: float, *names: str) -> None:
        """From now on these owners die at each crash point with this chance; 0 for all is peace."""
        for name in names or self.lives:
            self.lives[name].fate.share = share

    async def round(self) -> None:
        """Let every owner do what is due, once; who is dead is started again first."""
        for name, life in self.lives.items():
            if life.fate.dead:
                await self.start(name)
            for job in life.jobs:
                try:
                    await run_once(job, self.clock, self.log)
                except Died:
                    break
        await self.clock.sleep(0.5)

    async def start(self, name: str) -> None:
        """Start an owner on its own folder, after whatever was there is gone. At its start nobody dies here."""
        life = self.lives[name]
        await life.stack.aclose()
        share, life.fate.share, life.fate.dead = life.fate.share, 0.0, False
        kind, build = KINDS[life.command]
        resources = life.stack.enter_context(ExitStack())
        mine = Owner(
            clock=self.clock,
            entropy=life.entropy,
            http=self.wires,
            log=self.log,
            resources=resources,
            threads=False,
            crash=life.fate,
        )
        parts = await build(read_settings(kind, life.file, {}), mine)
        for each in parts.apps:
            if isinstance(each.app, Litestar):
                await life.serve(each.app)
            self.wires.apps[f"http://127.0.0.1:{each.port}"] = each.app
        life.jobs, life.fate.share = parts.jobs, share

    async def end(self) -> None:
        """End everybody in order."""
        self.arm(0.0)
        for life in self.lives.values():
            await life.stack.aclose()


@asynccontextmanager
async def mortals(data: Path, *, seed: int, first_port: int) -> AsyncIterator[Mortals]:
    """Run the nation of the demo in this process, from its start on 15 April 2026."""
    scene = await prepare(data, pace=0.0, first_port=first_port)
    lives = {
        name: Life(
            command=command,
            file=file,
            fate=Fate(chance=random.Random(seed * 100 + number)),  # noqa: S311 - to be had again
            entropy=SeededEntropy(seed * 1000 + number),
        )
        for number, (name, (command, file)) in enumerate(commands(scene).items())
    }
    made = Mortals(scene=scene, clock=SteppedClock(START), wires=Wires(), log=Lines(), lives=lives)
    try:
        for name in lives:
            await made.start(name)
        yield made
    finally:
        await made.end()

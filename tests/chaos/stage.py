"""The owners' processes while some of them die: each is killed by its plan and started again at once."""

import asyncio
import signal
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, NamedTuple, Self

from tests.chaos.plan import Kill

from wissel.assembly.demo.processes import OwnerFailed, commands, end, start
from wissel.assembly.demo.setup import Scene

ARMED_S_MAX: Final = 10.0  # a crash point that was not passed so often by then: killed at that moment
LOOK_S: Final = 0.05
FOREVER: Final = 2.0  # more than all of the work
RANDOM: Final = "random moment"


class Death(NamedTuple):
    """What happened: who died, how (a named point, or a random moment), and how long that took."""

    owner: str
    how: str
    after_s: float


@dataclass(slots=True, kw_only=True)
class Stage:
    """Runs all owners for as long as the block lasts. `share` is how much of the work has begun, 0 to 1."""

    scene: Scene
    plan: dict[str, list[Kill]]
    share: float = 0.0
    deaths: list[Death] = field(default_factory=list)
    orderly: int = 0
    _living: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _keepers: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._keepers = [asyncio.create_task(self._keep(name), name=f"keep {name}") for name in commands(self.scene)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await end(list(self._living.values()))

    def due(self, share: float) -> int:
        """Return how many are to have died when so much of the work has begun."""
        return sum(kill.share <= share for kills in self.plan.values() for kill in kills)

    def check(self) -> None:
        """Raise what went wrong with a process that was not to end."""
        for keeper in self._keepers:
            if keeper.done() and not keeper.cancelled() and (error := keeper.exception()):
                raise error

    async def _keep(self, name: str) -> None:
        """Live through all deaths of one owner, and then until the end."""
        process = None
        for kill in self.plan.get(name, []):
            if self.share < kill.share or not kill.point:
                process = process or await self._start(name, "")
                await self._live(name, process, kill.share)
            if kill.point:
                process = await self._arm(name, process, kill.crash)
            if process is not None:
                await self._die(process, kill)
            process = None
        await self._live(name, process or await self._start(name, ""), FOREVER)

    async def _live(self, name: str, process: asyncio.subprocess.Process, share: float) -> None:
        """Wait until so much of the work has begun. Raises OwnerFailed when the process ends by itself."""
        while self.share < share:
            if process.returncode is not None:
                raise OwnerFailed(self._last_words(name, process.returncode))
            await asyncio.sleep(LOOK_S)

    async def _arm(
        self, name: str, process: asyncio.subprocess.Process | None, crash: str
    ) -> asyncio.subprocess.Process:
        """Start an owner that is going to kill itself; one that lives is asked to end first, as for an upgrade."""
        if process is not None:
            await end([process])
            self.orderly += 1
        return await self._start(name, crash)

    async def _start(self, name: str, crash: str) -> asyncio.subprocess.Process:
        command, file = commands(self.scene)[name]
        process = await start(command, file, {"WISSEL_CRASH": crash} if crash else {})
        self._living[name] = process
        return process

    async def _die(self, process: asyncio.subprocess.Process, kill: Kill) -> None:
        born = time.monotonic()
        try:
            await asyncio.wait_for(process.wait(), ARMED_S_MAX if kill.point else kill.after_s)
            how = kill.point
        except TimeoutError:
            process.kill()
            await process.wait()
            how = RANDOM
        if process.returncode != -signal.SIGKILL or not how:
            raise OwnerFailed(self._last_words(kill.owner, process.returncode))
        self.deaths.append(Death(kill.owner, how, time.monotonic() - born))

    def _last_words(self, name: str, code: int | None) -> str:
        file = commands(self.scene)[name][1].with_suffix(".err")
        lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"The process of {name} ended by itself ({code}): {' / '.join(lines[-3:])}"

"""The demo from beginning to end."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wissel.assembly.clocks import SystemClock
from wissel.assembly.demo import play
from wissel.assembly.demo.people import decide_by_hand
from wissel.assembly.demo.processes import commands, running
from wissel.assembly.demo.proof import Proof, count, look_as_thief, read_log, verify_all
from wissel.assembly.demo.screen import Screen
from wissel.assembly.demo.seize import marks_of, rob_afterwards, rob_while_running, take_backup
from wissel.assembly.demo.setup import Scene, first_port, prepare
from wissel.core.clock import Clock
from wissel.infra.http.outbound import AiohttpHttp
from wissel.infra.http.ports import Http
from wissel.platform.forgetting.thief.words import Loot

HOUSE: Final = "noord"
VISIT_S: Final = 0.5  # between two visits of who downloads: a week, played faster
ENDED: Final = 130  # 128 + SIGINT: what a shell expects of who was asked to end
QUIET_S: Final = 1.0  # destroying keys follows forgetting within a moment


@dataclass(slots=True, kw_only=True)
class Taken:
    """What a seizure takes along the way."""

    seize: bool
    markers: tuple[str, ...]
    backup: Path | None = None
    control: Loot | None = None

    def notice(self, scene: Scene, said: Mapping[str, Any]) -> None:
        """Take last night's back-up, and the control, once something was said that is not over yet."""
        if self.seize and self.backup is None and said["event"] == "message.ended":
            self.backup = take_backup(scene)
            self.control = rob_while_running(scene, self.markers)


async def demo_main(data: Path, *, once: bool, seize: bool, learner: str) -> int:
    """Run the demo; return the exit code: 0 when the story ended as it should and nothing is left of it.

    Ctrl-C, SIGTERM and the end of the terminal stop every process that was started.
    """
    taken = Taken(seize=seize, markers=marks_of(learner))  # whom nobody knows is refused before anything starts
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, me.cancel if me else loop.stop)
    with first_port() as first:
        scene = await prepare(data, pace=0.5 if once else 1.0, first_port=first)
        screen = Screen(scene.cards)
        try:
            return await _demo(scene, screen, taken, once=once, learner=learner)
        except asyncio.CancelledError:
            screen.console.print("\nEnded before the story did. Every process that was started is stopped.")
            return ENDED


async def _demo(scene: Scene, screen: Screen, taken: Taken, *, once: bool, learner: str) -> int:
    screen.where(scene, len(commands(scene)))
    allow = frozenset(("127.0.0.1", port) for port in scene.ports.values())
    clock = SystemClock()
    begun = clock.now()
    async with AiohttpHttp(allow) as http, running(scene):
        screen.begins(learner, (clock.now() - begun).total_seconds())
        proof = await _one(scene, http, screen, learner, taken)
        if not once:
            _judge(scene, screen, proof)
            screen.look(_doors(scene))
            screen.console.print("\nEverything stays up. Press Ctrl-C to end it.")
            await _interrupted()
    if once:
        _judge(scene, screen, proof)  # with every process ended: no network, no platform
    else:
        screen.console.print("\nEverything is stopped. The folders stay as they are until the next demo.")
    if taken.seize:
        return _seized(scene, screen, taken, proof)
    return 0 if proof.good else 1


def _judge(scene: Scene, screen: Screen, proof: Proof) -> None:
    """Look at what is left, as an auditor and as a thief, and say where to look further."""
    verify_all(scene, proof)
    look_as_thief(scene, proof)
    screen.summary(proof)
    data, wissel = _shown(scene.data), _shown(Path(sys.argv[0]))
    hints = {
        "The proof of every copy, without the platform:": f"{wissel} verify {data}/*/*/vault/*",
        "What the platform can still read:": f"{wissel} inspect --config {data}/platform/wissel.toml forgetting",
    }
    if proof.newest:
        show = f"{wissel} show --language en {data}/{proof.newest}"
        hints = {"Her last copy, for a person to read (--language nl for Dutch):": show, **hints}
    screen.look(hints)


def _doors(scene: Scene) -> dict[str, str]:
    base, data = scene.address("platform"), _shown(scene.data)
    desk = f"{data}/institutions/{HOUSE}/profile/wissel.toml"
    pages = ("/v1/openapi.json", "/v1/participants", "/log/checkpoint")
    return {
        "The public API, who may speak, and the audit log:": "  ".join(base + page for page in pages),
        "What waits for people at the institution:": f"{_shown(Path(sys.argv[0]))} connector --config {desk} tasks",
    }


def _shown(path: Path) -> str:
    """Return a path as one would type it here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _seized(scene: Scene, screen: Screen, taken: Taken, proof: Proof) -> int:
    if taken.backup is None or taken.control is None:
        screen.console.print("[red]No back-up could be taken while the enrolment ran.[/]")
        return 1
    loot = rob_afterwards(scene, taken.backup, taken.markers)
    screen.loot(taken.control, loot, scene)
    return 0 if loot.nothing and taken.control.readings and proof.good else 1


async def _one(scene: Scene, http: Http, screen: Screen, ref: str, taken: Taken) -> Proof:
    clock, proof = SystemClock(), Proof()
    begun = clock.now()
    learner = await play.move_in(scene, http, ref) if play.has_vault(ref) else play.arrive(scene, ref)
    process = await play.enrol(scene, http, learner, play.Wish())
    person = asyncio.create_task(decide_by_hand(scene, clock, HOUSE, ref))
    person.add_done_callback(lambda done: None if done.cancelled() else screen.by_hand(done.result()))
    async with _coming_back(scene, http, clock, ref):
        async for said in play.follow(scene.data / "platform" / "log.jsonl", process, ref):
            count(proof, said)
            screen.line(said)
            taken.notice(scene, said)
    await person
    await _at_home(scene, http, learner)
    proof.seconds = (clock.now() - begun).total_seconds()
    await clock.sleep(QUIET_S)
    await read_log(scene, http, proof)
    return proof


@asynccontextmanager
async def _coming_back(scene: Scene, http: Http, clock: Clock, ref: str) -> AsyncIterator[None]:
    """Let who has no vault come back to the portal now and then to download, as long as the story lasts."""

    async def visit() -> None:
        while play.comes_back(ref):
            await clock.sleep(VISIT_S)
            await play.download(scene, http, ref)

    visits = asyncio.create_task(visit())
    try:
        yield
    finally:
        visits.cancel()
        with suppress(asyncio.CancelledError):
            await visits


async def _at_home(scene: Scene, http: Http, learner: play.Learner | play.Guest) -> None:
    """Let her software tell her vault how long each copy is kept, or take home what still waits at the portal."""
    owner = learner.owner if isinstance(learner, play.Learner) else play.owner_of(learner, http)
    if owner is not None:
        await owner.tend()
    elif play.comes_back(learner.ref):
        while await play.download(scene, http, learner.ref):
            pass


async def _interrupted() -> None:
    """Wait until somebody asks this program to end."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task:
            task.uncancel()

"""The demo from beginning to end."""

import asyncio
import signal
from pathlib import Path
from typing import Final

from wissel.assembly.clocks import SystemClock
from wissel.assembly.demo import play
from wissel.assembly.demo.processes import running
from wissel.assembly.demo.proof import Proof, count, look_as_thief, read_log, verify_all
from wissel.assembly.demo.screen import Screen
from wissel.assembly.demo.setup import Scene, prepare
from wissel.infra.http.outbound import AiohttpHttp
from wissel.infra.http.ports import Http

QUIET_S: Final = 1.0  # destroying keys follows forgetting within a moment


async def demo_main(data: Path, *, once: bool, seize: bool, learner: str) -> int:
    """Run the demo; return the exit code."""
    scene = await prepare(data, pace=0.5 if once else 1.0)
    screen = Screen(scene.cards)
    screen.where(scene)
    allow = frozenset(("127.0.0.1", port) for port in scene.ports.values())
    async with AiohttpHttp(allow) as http, running(scene):
        proof = await _one(scene, http, screen, learner)
        screen.summary(proof)
        if not once:
            screen.console.print("Everything stays up. Press Ctrl-C to end it.")
            await _interrupted()
    return 0 if proof.good else 1


async def _one(scene: Scene, http: Http, screen: Screen, ref: str) -> Proof:
    clock, proof = SystemClock(), Proof()
    begun = clock.now()
    learner = await play.move_in(scene, http, ref)
    process = await play.enrol(scene, http, learner, play.Wish())
    async for said in play.follow(scene.data / "platform" / "log.jsonl", process):
        count(proof, said)
        screen.line(said)
    proof.seconds = (clock.now() - begun).total_seconds()
    await clock.sleep(QUIET_S)
    await read_log(scene, http, proof)
    verify_all(scene, proof)
    look_as_thief(scene, proof)
    return proof


async def _interrupted() -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()

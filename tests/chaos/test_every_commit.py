"""Owners die at their commits, again and again, while learners enrol; the books are counted afterwards."""

import os
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.chaos.books import Findings
from tests.chaos.mortal import Mortals, mortals
from tests.chaos.plan import PROGRAMMES, Errand, errands
from tests.chaos.run import Chaos, look

from wissel.assembly.clocks import set_demo_time
from wissel.assembly.demo.play import move_in

ROUNDS_MAX = 3000
SEED = 1
SHARE = 0.07  # the chance to die at each crash point
MORTAL = ("platform", "noord", "land", "chain", "portal")


async def enrol(here: Mortals, chaos: Chaos, todo: list[Errand]) -> None:
    """Let these enrol side by side, until the platform has forgotten them all."""
    for _ in range(ROUNDS_MAX):
        todo = [one for one in todo if not await chaos.ask_to_enrol(one)]
        await here.round()
        if not todo and await chaos.over():
            return
    pytest.fail(f"not over; the platform holds {await chaos.left()}; {here.log.said[-20:]}")


async def test_deaths_at_any_commit_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    todo = errands(4)
    async with mortals(tmp_path / "data", seed=SEED, first_port=10_000 + os.getpid() % 1000 * 20) as here:
        chaos = Chaos(scene=here.scene, http=here.wires, until=time.monotonic() + 300)
        for number, wish in enumerate(PROGRAMMES):
            await move_in(here.scene, here.wires, f"everything-fine-{500 + number}")
            await enrol(here, chaos, [Errand(f"everything-fine-{500 + number}", wish)])
        for ref in {one.ref for one in todo}:
            await move_in(here.scene, here.wires, ref)
        here.arm(SHARE, *MORTAL)
        await enrol(here, chaos, todo)
        deaths = Counter({name: here.lives[name].fate.deaths.total() for name in MORTAL})
        points = here.lives["platform"].fate.deaths
        scene, now = here.scene, here.clock.now()
    set_demo_time(scene.clock, now)
    findings = Findings()
    await look(scene, chaos.begun, findings)
    assert not findings.troubles, "\n".join(findings.troubles)
    assert findings.verified == findings.copies > 0
    assert deaths["platform"] >= 50
    assert all(deaths[name] for name in MORTAL)
    assert points["commit.before"] >= 20
    assert points["commit.after"] >= 20

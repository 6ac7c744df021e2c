"""Whatever happens in whatever order: what was destroyed stays dead, what was not lives, no slot is used twice."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.platform.forgetting.forgetting_scene import TODAY, Died, Faults, Scene

from wissel.core.ids import partition_of
from wissel.core.moments import end_of
from wissel.infra.sql.sqlite import back_up
from wissel.platform.forgetting import rules
from wissel.platform.forgetting.errors import KeyGone
from wissel.platform.forgetting.shred import order_destroy
from wissel.platform.forgetting.words import KeyRow, Slot

POINTS = (
    "slots.written",
    "slots.synced",
    "slots.zeroing",
    "slots.zeroed",
    "day.made",
    "day.marked",
    "day.key.destroyed",
    "commit.before",
    "commit.after",
)
T = TypeVar("T")


class Forgetting(RuleBasedStateMachine):
    """A platform with a back-up, an operator and bad luck. `living` and `dead` are what must be so."""

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.root = Path(tempfile.mkdtemp())
        self.faults = Faults()
        self.scene = self.run(Scene.open(self.root / "platform", crash=self.faults))
        self.handed: set[tuple[date, int]] = set()
        self.follow()
        self.living: dict[str, KeyRow] = {}
        self.dead: list[KeyRow] = []
        self.unsure: list[KeyRow] = []  # ordered or under way when the process died
        self.backup: dict[str, KeyRow] | None = None
        self.count = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def follow(self) -> None:
        """Watch every slot that the store hands out."""
        reserve = self.scene.store.reserve

        def watched(day: date, count: int) -> list[Slot]:
            slots = reserve(day, count)
            fresh = {(day, slot.number) for slot in slots}
            assert len(fresh) == count
            assert not fresh & self.handed, "a slot number was handed out twice"
            self.handed |= fresh
            return slots

        self.scene.store.reserve = watched  # type: ignore[method-assign]  # to watch

    def restart(self) -> None:
        self.faults.at = ""
        clock = self.scene.clock
        self.scene.close()
        self.scene = self.run(Scene.open(self.root / "platform", clock=clock, crash=self.faults))
        self.follow()
        self.run(self.scene.keys.check())

    def or_die(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Run work that may meet the armed crash point; then the process starts again."""
        try:
            return self.run(work)
        except Died:
            self.restart()
            return None

    @rule(point=st.sampled_from(POINTS))
    def arm(self, point: str) -> None:
        self.faults.at = point

    @rule(ahead=st.integers(0, 3))
    def mint(self, ahead: int) -> None:
        self.count += 1
        process = f"{self.count:08x}-2222-8333-8444-555555555555"
        day = self.today() + timedelta(days=ahead)
        key = self.or_die(self.scene.keep("text", process=process, day=day))
        if key is not None:
            self.living[process] = key.row

    @rule(data=st.data())
    @precondition(lambda self: bool(self.living))
    def order(self, data: st.DataObject) -> None:
        process = data.draw(st.sampled_from(sorted(self.living)))
        row = self.living.pop(process)
        self.unsure.append(row)
        self.or_die(self.scene.database.commit(order_destroy([row], "settled", self.scene.clock.at)))

    @rule(data=st.data(), ahead=st.integers(0, 3))
    @precondition(lambda self: bool(self.living))
    def move(self, data: st.DataObject, ahead: int) -> None:
        process = data.draw(st.sampled_from(sorted(self.living)))
        row = self.living.pop(process)
        self.unsure.append(row)

        async def moved() -> KeyRow:
            made = self.scene.keys.move(row, self.today() + timedelta(days=ahead), self.scene.clock.at)
            await self.scene.database.commit(made.statements)
            return made.key.row

        fresh = self.or_die(moved())
        if fresh is not None:
            self.living[process] = fresh

    @rule()
    def destroy(self) -> None:
        if self.or_die(self.scene.destroyer.step(self.scene.clock.at)) is not None:
            self.settle()

    def settle(self) -> None:
        """What was unsure is known now: a row that is still in the database lives, the rest is dead."""
        there = {(row.day, row.slot) for row in self.run(self.scene.rows(*(row.process for row in self.unsure)))}
        for row in self.unsure:
            if (row.day, row.slot) in there:
                self.living[row.process] = row
            else:
                self.dead.append(row)
        self.unsure = []

    @rule()
    def a_day_passes(self) -> None:
        """Time goes on by 24 hours, and the platform works on until nothing more is due, whatever dies meanwhile."""
        self.scene.clock.at += timedelta(hours=24)
        for _ in range(12):
            self.or_die(self.scene.keys.step(self.scene.clock.at))
            self.or_die(self.scene.days.step(self.scene.clock.at))
        for process, row in list(self.living.items()):
            if self.over(row):
                self.dead.append(self.living.pop(process))
        self.dead += [row for row in self.unsure if self.over(row)]
        self.unsure = [row for row in self.unsure if not self.over(row)]

    @rule()
    def restarts(self) -> None:
        self.restart()

    @rule()
    @precondition(lambda self: not self.unsure)
    def night(self) -> None:
        """Make the back-up of the night."""
        back_up(self.root / "platform" / "wissel.sqlite", self.root / "last-night.sqlite")
        self.backup = dict(self.living)

    @rule()
    @precondition(lambda self: self.backup is not None and not self.unsure)
    def restore(self) -> None:
        """Put last night's database back: the key store is never restored with it."""
        self.faults.at = ""
        clock = self.scene.clock
        self.scene.close()
        folder = self.root / "platform"
        for name in ("wissel.sqlite-wal", "wissel.sqlite-shm"):
            (folder / name).unlink(missing_ok=True)
        shutil.copyfile(self.root / "last-night.sqlite", folder / "wissel.sqlite")
        self.scene = self.run(Scene.open(folder, clock=clock, crash=self.faults))
        self.follow()
        self.run(self.scene.keys.check())
        destroyed = {(row.day, row.slot) for row in self.dead}
        self.living = {
            process: row for process, row in (self.backup or {}).items() if (row.day, row.slot) not in destroyed
        }
        self.unsure = []

    def today(self) -> date:
        return TODAY + (self.scene.clock.at.date() - TODAY)

    def over(self, row: KeyRow) -> bool:
        return end_of(row.end_day) + rules.GRACE <= self.scene.clock.at

    @invariant()
    def what_was_destroyed_stays_dead(self) -> None:
        for row in getattr(self, "dead", []):
            self.scene.keys.evict(row.day, [])  # nothing of ours: the platform itself must have let go of it
            try:
                self.scene.keys.unwrap(row)
            except KeyGone:
                continue
            raise AssertionError(f"{row} was destroyed and opens")

    @invariant()
    def what_lives_can_be_read(self) -> None:
        living = getattr(self, "living", {})
        for row in living.values():
            assert row.partition == partition_of(row.process)
            self.scene.keys.unwrap(row)

    def teardown(self) -> None:
        if hasattr(self, "scene"):
            self.scene.close()
            self.loop.close()
            shutil.rmtree(self.root)


TestForgetting = Forgetting.TestCase
TestForgetting.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)

"""Rounds: take what is due, decide, and commit every process's unit, all in one sync."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from wissel.core.errors import WisselError
from wissel.core.moments import to_ms
from wissel.infra.sql.ports import Conflict, Statement
from wissel.messages.process import Process
from wissel.platform.engine.turn import Turn
from wissel.platform.exchange import ending
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.patience import CONFLICTS_MAX, Patience
from wissel.platform.forgetting.words import KeyRing
from wissel.platform.store import processes
from wissel.platform.store.words import EventRow, ProcessRow, TimerRow, Where

EVENTS_PER_ROUND_MAX: Final = 256


class Due(NamedTuple):
    """What waits for one process."""

    events: list[EventRow]
    timers: list[TimerRow]


class Engine:
    """Runs stories. `stories` by kind of process."""

    def __init__(self, desk: Desk, stories: Mapping[str, Process]) -> None:
        self._desk = desk
        self._stories = stories
        self._conflicts = Patience[Where](desk.entropy)

    async def step(self, now: datetime) -> int:
        """Run one round and return how many events and timers it took."""
        due = await self._due(now)
        if not due:
            return 0
        keys = await self._desk.keys.load([where.process for where in due])
        done = await asyncio.gather(*(self._run(where, waiting, keys, now) for where, waiting in due.items()))
        return sum(done)

    async def retry(self, process: Where) -> None:
        """Take a process that was set aside up again. Raises Conflict when it was not."""
        await self._desk.database.commit([processes.take_up(process)])

    async def _due(self, now: datetime) -> dict[Where, Due]:
        database = self._desk.database
        due: dict[Where, Due] = {}
        for event in await processes.waiting_events(database, EVENTS_PER_ROUND_MAX):
            due.setdefault(Where(event.partition, event.process), Due([], [])).events.append(event)
        for timer in await processes.due_timers(database, to_ms(now), EVENTS_PER_ROUND_MAX):
            due.setdefault(Where(timer.partition, timer.process), Due([], [])).timers.append(timer)
        return due

    async def _run(self, where: Where, due: Due, keys: KeyRing, now: datetime) -> int:
        """Run one process's part of a round; the edge at which a failing decision is caught."""
        try:
            unit = await self._unit(where, due, keys, now)
            await self._desk.database.commit(unit)
        except Conflict as conflict:  # it moved meanwhile and the next round sees it as it is; or it never fits
            if self._conflicts.failed(where, now) >= CONFLICTS_MAX:
                await self._set_aside(where, conflict, now)
            return 0
        except Exception as error:  # noqa: BLE001 - the edge of the engine: the process is set aside, with an alarm
            await self._set_aside(where, error, now)
            return 0
        self._conflicts.passed(where)
        return len(due.events) + len(due.timers)

    async def _unit(self, where: Where, due: Due, keys: KeyRing, now: datetime) -> list[Statement]:
        row = await processes.find(self._desk.database, where)
        if row is None:
            return _drop(due)
        turn = await Turn.begin(self._desk, row, self._story(row), keys, now)
        for timer in due.timers:
            turn.wake(timer)
        for event in due.events:
            await turn.hear(event)
        return turn.unit()

    def _story(self, row: ProcessRow) -> Process:
        story = self._stories[row.kind]
        if story.version != row.version:
            raise LookupError(f"no {row.kind} of version {row.version} in this release")
        return story

    async def _set_aside(self, where: Where, error: Exception, now: datetime) -> None:
        code = error.code if isinstance(error, WisselError) else type(error).__name__
        self._conflicts.passed(where)
        await self._desk.database.commit(ending.set_aside(self._desk, where, code, now))


def _drop(due: Due) -> list[Statement]:
    """Return what clears events of a process that is gone."""
    unit = [processes.take_events(due.events)] if due.events else []
    return unit + [processes.fire_timer(timer) for timer in due.timers]

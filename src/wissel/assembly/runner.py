"""Runs background work: each `step(now)` again and again, at once while there is work, slower when there is none."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from threading import Thread
from typing import Final, NamedTuple

from wissel.core.clock import Clock
from wissel.infra.http.door import log_failure
from wissel.infra.sql.ports import StoreFailed
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.infra.telemetry.log import Log

IDLE_S: Final = 0.02
FAILED_S: Final = 1.0


class Job(NamedTuple):
    """A named step and how long it rests when there was nothing to do."""

    name: str
    step: Callable[[datetime], Awaitable[int]]
    rest_s: float = IDLE_S


async def run_jobs(jobs: Sequence[Job], clock: Clock, log: Log, stop: asyncio.Event) -> None:
    """Run every job until `stop` is set. A step that fails is logged and tried again; a failed store ends all."""
    async with asyncio.TaskGroup() as tasks:
        for job in jobs:
            tasks.create_task(_run(job, clock, log, stop), name=job.name)


async def _run(job: Job, clock: Clock, log: Log, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            rest = await run_once(job, clock, log)
        except StoreFailed:
            stop.set()
            raise
        await _rest(rest, stop)


async def run_once(job: Job, clock: Clock, log: Log) -> float:
    """Take one step and return how many seconds to rest. A step that fails is logged; a failed store goes through."""
    try:
        return 0.0 if await job.step(clock.now()) else job.rest_s
    except StoreFailed:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of the process: the work is tried again
        log_failure(log, error, f"job {job.name}")
        return FAILED_S


async def _rest(seconds: float, stop: asyncio.Event) -> None:
    if not seconds:
        await asyncio.sleep(0)
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


class WriterThread:
    """The thread that runs a SQLite store's one writer, for as long as the `with` block lasts."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._thread = Thread(target=database.write_until_closed, name=f"writer {database.path.name}", daemon=True)

    def __enter__(self) -> SqliteDatabase:
        self._database.attach()
        self._thread.start()
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.stop()
        self._thread.join(timeout=10)
        self._database.close()

"""A clock that stands still, chance that repeats, and applications on real ports of this machine."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from litestar.types import ASGIApp

from wissel.infra.http.outbound import AiohttpHttp
from wissel.infra.http.serve import Bound, Site, bind, serve
from wissel.infra.telemetry.log import Plain

NOON = datetime(2026, 4, 15, 12, tzinfo=UTC)


class StillClock:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.forward(seconds)

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class CountedEntropy:
    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._count = 0

    def draw(self, count: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{self._seed}{self._count}".encode()).digest(count)


class KeptLog:
    def __init__(self) -> None:
        self.lines: list[dict[str, Plain]] = []

    def write(self, event: str, **fields: Plain) -> None:
        self.lines.append({"event": event, **fields})


@asynccontextmanager
async def served(apps: Mapping[str, tuple[ASGIApp, Bound]]) -> AsyncIterator[AiohttpHttp]:
    """Serve applications and give an Http that may reach them and nothing else."""
    stop, up = asyncio.Event(), asyncio.Event()
    sites = [Site(name, app, bound) for name, (app, bound) in apps.items()]
    running = asyncio.create_task(serve(sites, stop=stop, started=lambda _: up.set()))
    ready = asyncio.create_task(up.wait())
    await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    allow = frozenset((bound.host, bound.port) for _, bound in apps.values())
    try:
        async with AiohttpHttp(allow) as http:
            yield http
    finally:
        ready.cancel()
        stop.set()
        await running


__all__ = ["NOON", "CountedEntropy", "KeptLog", "StillClock", "bind", "served"]

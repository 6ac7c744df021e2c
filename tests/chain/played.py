"""What the tests of the played chain share: a clock that jumps, repeatable chance, a network of applications."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wissel.chain.people import People, Person
from wissel.chain.world import World
from wissel.infra.http.ports import Http, Request, Response, Unreachable
from wissel.infra.sql.sqlite import SqliteDatabase

START = datetime(2026, 4, 15, 8, 0, tzinfo=UTC)


class JumpingClock:
    """Sleeping moves the clock and returns at once."""

    def __init__(self, now: datetime = START) -> None:
        self.moment = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class CountedEntropy:
    """Repeatable bytes from a seed and a counter."""

    def __init__(self, seed: str = "chain") -> None:
        self._seed = seed.encode()
        self._drawn = 0

    def draw(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            self._drawn += 1
            data += hashlib.sha256(self._seed + self._drawn.to_bytes(8)).digest()
        return data[:count]


class LateHttp:
    """An `Http` that is handed in before what it speaks to is there."""

    def __init__(self) -> None:
        self.inner: Http = NoNetwork()

    async def send(self, request: Request) -> Response:
        return await self.inner.send(request)


class NoNetwork:
    """An `Http` that nobody answers."""

    async def send(self, request: Request) -> Response:
        raise Unreachable("Nobody is there.")


def world(
    clock: JumpingClock | None = None, http: Http | None = None, extra: tuple[Person, ...] = (), pace: float = 0
) -> World:
    return World(clock or JumpingClock(), CountedEntropy(), http or NoNetwork(), People(extra), pace)


def database(folder: Path, name: str = "book") -> SqliteDatabase:
    return SqliteDatabase(folder / f"{name}.sqlite")

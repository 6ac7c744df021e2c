"""Real time, and demo time: the same clock moved by an offset that lies in a file outside every owner's folder."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(seconds)


class DemoClock:
    """The machine's clock plus an offset of whole seconds that the demo alone writes.

    The file is looked at again at most every 50 ms of real time, so a jump reaches every process at once.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = timedelta()
        self._seen = -1
        self._looked = datetime.fromtimestamp(0, UTC)

    def now(self) -> datetime:
        """Return the moment it is in the demo, UTC."""
        real = datetime.now(UTC)
        if real - self._looked > timedelta(milliseconds=50):
            self._look()
            self._looked = real
        return real + self._offset

    async def sleep(self, seconds: float) -> None:
        """Wait in real time: the demo's clock runs as fast as any other, it only stands elsewhere."""
        await asyncio.sleep(seconds)

    def _look(self) -> None:
        try:
            changed = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed != self._seen:
            self._offset = timedelta(seconds=int(self._file.read_text(encoding="ascii")))
            self._seen = changed


def set_demo_time(file: Path, moment: datetime) -> None:
    """Make it `moment` in the demo, for every process that reads `file`."""
    offset = round((moment - datetime.now(UTC)).total_seconds())
    fresh = file.with_suffix(".new")
    fresh.write_text(str(offset), encoding="ascii")
    fresh.replace(file)


class SystemEntropy:
    """The machine's random source."""

    def draw(self, count: int) -> bytes:
        """Return `count` unpredictable bytes."""
        return os.urandom(count)

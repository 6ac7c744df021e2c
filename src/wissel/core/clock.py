"""Time is handed in: nothing below `assembly` asks the machine what time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from, and where waiting is done."""

    def now(self) -> datetime:
        """Return the present moment: timezone-aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of this clock's own time (a virtual clock may return at once)."""
        ...

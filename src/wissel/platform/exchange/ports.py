"""What the exchange needs from rooms on other floors, no more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from wissel.platform.registers.audit.words import Proof


class Log(Protocol):
    """What the exchange asks of the audit register."""

    async def stalled(self, now: datetime) -> bool:
        """Tell whether a leaf waits longer than it may, or the log is read-only: then nothing is accepted."""
        ...

    def size(self) -> int:
        """Return the size of the newest published checkpoint."""
        ...


class Prover(Protocol):
    """Who proves that leaves are in the log."""

    async def prove(self, leaves: Sequence[bytes]) -> Proof | None:
        """Return the proofs, or None while one of the leaves is not in a published tree yet."""
        ...

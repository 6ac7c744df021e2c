"""What can be wrong with keys, and what to do about it."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from wissel.core.errors import WisselError


class ForgettingError(WisselError):
    """The root of this room's errors."""

    code: ClassVar[str] = "forgetting"


class KeyGone(ForgettingError):
    """The key was destroyed: its day passed, or its slot was zeroed. What it sealed is unreadable for ever."""

    code: ClassVar[str] = "key-gone"
    status: ClassVar[int] = 410


class SealBroken(ForgettingError):
    """Sealed bytes do not open under this key at this place: they were changed, or put somewhere else."""

    code: ClassVar[str] = "seal-broken"
    status: ClassVar[int] = 500


class DayPassed(ForgettingError):
    """A key was asked for an end day that has passed, or that lies further ahead than any may."""

    code: ClassVar[str] = "end-day-out-of-range"
    status: ClassVar[int] = 422


class DayTooEarly(ForgettingError):
    """A day was to be destroyed while an older one is alive. Days are destroyed oldest first."""

    code: ClassVar[str] = "day-too-early"
    status: ClassVar[int] = 409


class KeyStoreInUse(ForgettingError):
    """Another process owns this key store."""

    code: ClassVar[str] = "key-store-in-use"
    status: ClassVar[int] = 503


class KeyStoreDamaged(ForgettingError):
    """The key store's files are not what they must be, or a write did not read back as written."""

    code: ClassVar[str] = "key-store-damaged"
    status: ClassVar[int] = 503


class VirtualClockRefused(ForgettingError):
    """A virtual clock was to drive a key store that was not made for a demo: it could erase real data."""

    code: ClassVar[str] = "virtual-clock-refused"
    status: ClassVar[int] = 503


class CheckpointLower(ForgettingError):
    """A checkpoint was to be kept that is lower than the one kept for the same log, or of another tree of its size."""

    code: ClassVar[str] = "checkpoint-lower"
    status: ClassVar[int] = 409


class Loss(NamedTuple):
    """One process that can no longer be read, and a receiver that waits for it (empty when nobody does)."""

    process: str
    receiver: str


class KeyStoreLost(ForgettingError):
    """The database knows keys that the key store does not have. The platform must not accept anything.

    `days` are the end days at fault, `lost` the processes on them with their receivers. Senders keep a message
    until they hold its receiver's receipt, and send again.
    """

    code: ClassVar[str] = "key-store-lost"
    status: ClassVar[int] = 503

    def __init__(self, days: Sequence[str], lost: Sequence[Loss]) -> None:
        processes = len({loss.process for loss in lost})
        super().__init__(
            f"The key store lacks keys of {len(days)} days ({', '.join(days[:3])}{', …' if len(days) > 3 else ''}); "  # noqa: PLR2004 - three examples are enough
            f"{processes} processes cannot be read. Mount the right key store, or write the loss off."
        )
        self.days = tuple(days)
        self.lost = tuple(lost)

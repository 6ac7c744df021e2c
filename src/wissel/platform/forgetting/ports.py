"""The key store: the few bytes outside every database on which all reading depends.

It is replicated, never archived, never copied with the database. Every write is durable when the call returns.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Protocol

from wissel.platform.forgetting.words import Slot, SlotCount

DatabaseClock = Callable[[], Awaitable[datetime]]
"""What time the database has; `Clock` itself on SQLite and in a demo."""

WitnessClock = Callable[[], Awaitable[datetime | None]]
"""The time that a quorum of witnesses has reached by their newest cosignatures, or None while fewer have told."""


class KeyReader(Protocol):
    """What can be asked without owning the key store."""

    @property
    def demo(self) -> bool:
        """Whether this store was made for a demo: only then may a virtual clock drive it."""
        ...

    def days(self) -> list[date]:
        """Return the days that are alive, oldest first."""
        ...

    def passed(self) -> date | None:
        """Return the newest day destroyed; every day up to it is dead."""
        ...

    def day_key(self, day: date) -> bytes:
        """Return the 32 bytes of a day. Raises KeyGone."""
        ...

    def slot(self, day: date, number: int) -> bytes:
        """Return the 32 bytes of a slot. Raises KeyGone when it is zero or absent."""
        ...

    def count(self, day: date) -> SlotCount:
        """Return how many slots a day has and how many of them are zeroed."""
        ...


class KeyStore(KeyReader, Protocol):
    """The store as its one owner has it."""

    def make_day(self, day: date) -> bool:
        """Make a day alive; False when it is already. Raises DayPassed for a day up to the newest destroyed."""
        ...

    def reserve(self, day: date, count: int) -> list[Slot]:
        """Hand out `count` slots of a living day. A number is handed out once in the life of the store."""
        ...

    def zero(self, day: date, numbers: Sequence[int]) -> None:
        """Zero slots for ever and read them back. Slots that are zero or gone already are well.

        Raises OSError or KeyStoreDamaged when it is not certain that they are; ask again then.
        """
        ...

    def destroy_day(self, day: date) -> None:
        """Destroy a day's key and all its slots; again is well. Raises DayTooEarly while an older day is alive."""
        ...

    def secret(self, name: str) -> bytes | None:
        """Return a named secret (signing keys, the log's key), or None when there is none."""
        ...

    def keep_secret(self, name: str, data: bytes) -> None:
        """Keep a named secret; an older one of that name is overwritten with zeros."""
        ...

    def drop_secret(self, name: str) -> None:
        """Destroy a named secret; one that is not there is well."""
        ...

    def checkpoint(self) -> str:
        """Return the highest checkpoint note ever kept, or an empty text."""
        ...

    def keep_checkpoint(self, note: str) -> None:
        """Keep a checkpoint note. Raises CheckpointLower when one that it contradicts is kept for the same origin."""
        ...

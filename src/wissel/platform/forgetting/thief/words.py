"""What the thief came home with."""

from dataclasses import dataclass, field
from typing import NamedTuple


class OpenedKey(NamedTuple):
    """A data key that came out of its wrapping, and the file where the wrapped form was."""

    process: str
    cls: str
    scope: str
    file: str
    secret: bytes


class Reading(NamedTuple):
    """Something that was sealed and could be read. `process` is whose key opened it."""

    process: str
    cls: str
    file: str
    table: str
    column: str
    plain: bytes


class MarkerHit(NamedTuple):
    """A text that should be nowhere, found in a file or in a reading; `form` is how it was written."""

    where: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loot:
    """All that could be read, and how hard was tried."""

    keys: tuple[OpenedKey, ...] = field(repr=False)
    readings: tuple[Reading, ...] = field(repr=False)
    hits: tuple[MarkerHit, ...]
    files: int
    day_keys: int
    slots: int
    wrapped: int
    sealed: int
    tries: int
    left_out: int  # combinations of a key with another day's slots that were too many to try; 0: all were tried

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to be had."""
        return not (self.keys or self.readings or self.hits)

    def of(self, process: str) -> tuple[tuple[OpenedKey, ...], tuple[Reading, ...]]:
        """Return what was had of one process."""
        return (
            tuple(key for key in self.keys if key.process == process),
            tuple(reading for reading in self.readings if reading.process == process),
        )

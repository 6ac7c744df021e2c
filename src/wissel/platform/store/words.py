"""Rows that cross the store's threshold, as frozen values."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Life = Literal["running", "decided", "settled"]
Stage = Literal["taken", "mail", "ended", "copied"]
OwnKey = Literal["", "post", "special"]


class Where(NamedTuple):
    """A process and the partition that owns it: how every hot row is found."""

    partition: int
    process: str


class Which(NamedTuple):
    """One message: ids are unique per (source, process)."""

    partition: int
    process: str
    source: str
    id: str

    @property
    def scope(self) -> str:
        """What names it within its process: an id alone may be another source's too."""
        return f"{self.source} {self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRow:
    """A process that is not forgotten. `state` is sealed under `memory`; empty once it is decided.

    `opening` is what a message to the learner leans on: the commitment of her request, or the hash of a capability.
    """

    partition: int
    process: str
    kind: str
    version: str
    phase: str
    life: Life
    subject: str
    portal: str
    institution: str
    opening: str
    state: bytes
    revision: int
    started_ms: int
    end_day: str

    @property
    def where(self) -> Where:
        """Where this process lives."""
        return Where(self.partition, self.process)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message under way. `sealed`, `apart` and `receipt` are ciphertext; `apart` holds national numbers.

    `own` is the class of the key of its own under which `sealed` and `receipt` lie; empty: the process's `post`.
    """

    partition: int
    process: str
    source: str
    id: str
    recipient: str
    type: str
    sequence: int
    commitment: str
    own: OwnKey
    sealed: bytes
    apart: bytes
    receipt: bytes
    stage: Stage
    outcome: str
    accepted_ms: int
    ended_ms: int
    end_ms: int
    leaf: bytes
    outcome_leaf: bytes

    @property
    def which(self) -> Which:
        """Which message this is."""
        return Which(self.partition, self.process, self.source, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """Something that waits for the engine. kind: message or outcome."""

    partition: int
    process: str
    key: str
    kind: Literal["message", "outcome"]
    name: str
    source: str
    id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRow:
    """A timer that is due."""

    partition: int
    process: str
    name: str
    due_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRow:
    """A message that waits for its receiver, in the lane (receiver, process), at `position`."""

    partition: int
    process: str
    receiver: str
    position: int
    source: str
    id: str
    attempts: int
    due_ms: int
    end_ms: int

    @property
    def which(self) -> Which:
        """Which message this mail carries."""
        return Which(self.partition, self.process, self.source, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelRow:
    """A sealed copy on its way to a vault. `host` is a keyed hash of the vault's host."""

    partition: int
    process: str
    party: str
    commitment: str
    host: bytes
    sealed: bytes
    attempts: int
    due_ms: int
    until_ms: int

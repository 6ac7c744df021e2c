"""The words in which a process speaks to the engine: events in, a decision of values out.

A process is pure: no clock, I/O or chance. `assembly` hands processes to the engine, which knows them only
by the protocol below (architecture section 5).
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Protocol

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a process.

    kind "message": `name` is the message type, `data` its decoded payload struct.
    kind "timer":   `name` is the timer's name, `id` is "<process>/<timer>/<due ms>".
    kind "outcome": a message of this process got its final outcome; `name` is
                    "<message type>/accepted", ".../rejected" or ".../undelivered", `id` the message's id.
    `acr` is the identity provider's assurance of a learner's message, else empty.
    """

    kind: Literal["message", "timer", "outcome"]
    name: str
    id: str
    at: datetime
    source: str = ""
    recipient: str = ""
    data: Any = None
    acr: str = ""


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """The platform says something itself, as the processor of this process."""

    type: str
    recipient: str
    data: Any
    enddate: date | None = None  # None: the longest that the message-type table allows
    first: bool = False  # it goes before what waits for the receiver in this process: it takes some of that back


class Pass(msgspec.Struct, frozen=True):
    """The event's own message goes on to its recipient."""


class Wake(msgspec.Struct, frozen=True):
    """Set the timer `name` (replacing one of that name) to the moment `at`."""

    name: str
    at: datetime


class Unwake(msgspec.Struct, frozen=True):
    """Drop the timer `name` if it is set."""

    name: str


class Status(msgspec.Struct, frozen=True):
    """The request's status code changes: a state-change leaf, so reports survive forgetting.

    `dimensions`: institution, programme, form, level, studyyear, intake. No person in it.
    """

    old: str
    new: str
    dimensions: Mapping[str, str]


class EndScans(msgspec.Struct, frozen=True):
    """The learner is verified: what was sent to show who she is ends at `at`, if nothing ended it before."""

    at: datetime


class Finish(msgspec.Struct, frozen=True):
    """No transition is left: the process is decided. `outcome` is a status code."""

    outcome: str


Effect = Send | Pass | Wake | Unwake | Status | EndScans | Finish


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What one event led to. `state` is any msgspec struct; the engine seals its JSON under `memory`.

    `label` and `phase` go into the audit leaf, so the quality inspector can replay the table without content.
    `open` names the gates still open, for the learner's and the demo's view (no personal data).
    """

    label: str
    phase: str
    state: msgspec.Struct
    effects: tuple[Effect, ...] = ()
    open: tuple[str, ...] = ()


class Process(Protocol):
    """What the engine asks of a story."""

    @property
    def name(self) -> str:
        """Which kind of process this is."""
        ...

    @property
    def version(self) -> str:
        """Which version of its table this is."""
        ...

    @property
    def starts(self) -> str:
        """Which message type begins it."""
        ...

    def decide(self, process: str, state: bytes | None, event: Event, settings: Mapping[str, Any]) -> Decision:
        """Run one transition. `state` is the JSON of the last decision's state, or None at the start.

        `settings` is platform-needed data without persons: {"institution": {...}, "parties": {role: urn}}.
        Raises ProcessError when the event cannot happen in this phase.
        """
        ...

"""An objection reaches the institution's facility, or it is known that it did not (WHW 7.59a: its receipt decides)."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from wissel.messages.process import Decision, Effect, Event, Finish, Pass
from wissel.platform.processes.errors import ProcessError

STARTS: Final = "nl.wissel.objection.received.v1"

Phase = Literal["new", "passed", "received", "notreceived"]

# (phase, event, label) -> (phase, effects)
TABLE: Final[Mapping[tuple[str, str, str], tuple[Phase, tuple[Effect, ...]]]] = {
    ("new", STARTS, "received"): ("passed", (Pass(),)),
    ("passed", STARTS, "noted"): ("passed", (Pass(),)),
    ("passed", f"{STARTS}/accepted", "received"): ("received", (Finish(outcome="RECEIVED"),)),
    ("passed", f"{STARTS}/rejected", "not received"): ("notreceived", (Finish(outcome="NOTRECEIVED"),)),
    ("passed", f"{STARTS}/undelivered", "not received"): ("notreceived", (Finish(outcome="NOTRECEIVED"),)),
}
_LABELS: Final[Mapping[tuple[str, str], str]] = {(phase, event): label for phase, event, label in TABLE}


class State(msgspec.Struct, frozen=True):
    """Where the objection is; its content is not remembered."""

    phase: Phase


class Objection:
    """The engine's view of an objection."""

    name: Final = "objection"
    version: Final = "1"
    starts: Final = STARTS

    def decide(self, process: str, state: bytes | None, event: Event, settings: Mapping[str, Any]) -> Decision:
        """Run one transition. Raises ProcessError for an event that it does not know. `settings` is not read."""
        del settings
        phase: Phase = msgspec.json.decode(state, type=State).phase if state is not None else "new"
        label = _LABELS.get((phase, event.name))
        if label is None:
            raise ProcessError(f"Objection {process} in phase {phase!r} does not know {event.name!r}.")
        to, effects = TABLE[phase, event.name, label]
        return Decision(label=label, phase=to, state=State(to), effects=effects)

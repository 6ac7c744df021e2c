"""What one enrolment remembers while it runs: its gates, and little else. Sealed under `memory`, gone when decided."""

from typing import Final, Literal, TypeVar, get_args

import msgspec

from wissel.messages.fields import Form, GateName, Level
from wissel.messages.payments import PaymentChoice
from wissel.messages.process import Event
from wissel.platform.processes.errors import ProcessError

Said = TypeVar("Said")

Phase = Literal["new", "collecting", "admitted", "ready", "registered", "refused", "withdrawn", "closed"]
GateState = Literal["open", "asked", "met", "notmet", "waived", "notneeded"]
Progress = Literal["no", "sent", "done"]

GATES: Final[tuple[GateName, ...]] = get_args(GateName)
OPTIONAL: Final[tuple[GateName, ...]] = ("requirements", "studychoice", "language", "residence")
RUNNING: Final[tuple[Phase, ...]] = ("collecting", "admitted", "ready")
FINAL: Final[tuple[Phase, ...]] = ("registered", "refused", "withdrawn", "closed")

HOLDS: Final = frozenset({"met", "waived", "notneeded"})


def said(event: Event, kind: type[Said]) -> Said:
    """Return what a message says. Raises ProcessError when its payload is not of the kind that its type names."""
    if not isinstance(event.data, kind):
        raise ProcessError(f"{event.name} came without the payload that its type names.")
    return event.data


def gate_of(timer: str) -> GateName:
    """Return the gate of a timer "deadline/<gate>". Raises ProcessError for a timer of something else."""
    found = next((name for name in GATES if timer == f"deadline/{name}"), None)
    if found is None:
        raise ProcessError(f"The timer {timer!r} belongs to no gate.")
    return found


class Gate(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One gate: how it stands, on whose word (a role), the message that shows it, and the day it is due."""

    state: GateState = "open"
    who: str = ""
    evidence: str = ""
    due: str = ""

    @property
    def holds(self) -> bool:
        """Met, waived or not needed."""
        return self.state in HOLDS

    @property
    def decided(self) -> bool:
        """Nothing but a new word of the institution changes it."""
        return self.holds or self.state == "notmet"


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """The fee in force: the id of the message that stated it, and the amount in cents with costs."""

    statement: str
    amount: int


class State(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One request for enrolment. `learner` and `institution` are its two parties (URNs).

    `confirmed` and `reported`: how far the proof of enrolment and the register delivery are. `payment` is her choice,
    kept until the mandate is asked. `timers` are the wake-ups that are set: name -> milliseconds since 1970.
    """

    phase: Phase
    status: str
    institution: str
    learner: str
    studyyear: str
    programme: str
    form: Form
    start: str
    level: Level | None = None  # None: the card does not know the programme
    admits: tuple[str, ...] = ()
    late: bool = False
    gates: dict[GateName, Gate]
    payment: PaymentChoice
    fee: Fee | None = None
    mandate: str = ""  # the order at the PSP that stands: asked for, or confirmed
    payernamed: bool = False
    confirmed: Progress = "no"
    reported: Progress = "no"
    overdue: str = ""  # the day by which the institution should have enrolled her, once all gates hold
    remind: str = ""  # the day of the next reminder to the learner
    timers: dict[str, int] = {}

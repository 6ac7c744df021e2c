"""The payloads of one enrolment (inschrijving) and of what may follow it: objection and notice."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from wissel.core.academic import study_year
from wissel.messages.fields import (
    Bsn,
    Code,
    Day,
    Digest,
    Form,
    GateName,
    Id,
    Language,
    Level,
    Line,
    MaybeDay,
    MonthStart,
    Name,
    Objection,
    OpenGate,
    Payload,
    Sector,
    Text,
    Year,
)
from wissel.messages.files import FileRef
from wissel.messages.grounds import GroundCode
from wissel.messages.identity import Person
from wissel.messages.payments import PaymentChoice


class Document(Payload, frozen=True, kw_only=True):
    """A small document inside the message. `base64` is standard base64 (RFC 4648 section 4), with padding."""

    mediatype: Annotated[str, msgspec.Meta(max_length=100)]
    sha256: Digest
    base64: Annotated[str, msgspec.Meta(min_length=1, max_length=400_000)]


class ForeignDiploma(Payload, frozen=True, kw_only=True):
    """A diploma that DUO's register does not hold; the institution judges it (WHW 7.28)."""

    name: Line
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)")]
    language: Language
    year: Annotated[int, msgspec.Meta(ge=1930, le=2100)]
    school: Line
    file: FileRef | None = None


class EnrolmentRequested(Payload, frozen=True, kw_only=True):
    """Learner to institution: I want to enrol in this programme. Starts the process.

    `start` is the first day she wants: 1 September, or the first of a month (WHW 7.32(4)). `bsn` travels apart;
    it is empty for who has none. `files` are what she shows: a photo, or a scan where her identity is judged by hand.
    """

    studyyear: Year
    programme: Code
    form: Form
    start: MonthStart
    person: Person
    payment: PaymentChoice
    bsn: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{9})?$(?!\n)")] = ""
    foreigndiplomas: Annotated[tuple[ForeignDiploma, ...], msgspec.Meta(max_length=5)] = ()
    motivation: Text = ""
    files: Annotated[tuple[FileRef, ...], msgspec.Meta(max_length=5)] = ()

    def __post_init__(self) -> None:
        """Hold the first day to the study year (WHW 7.32(4))."""
        super().__post_init__()
        year = study_year(self.studyyear)
        if not year.first <= date.fromisoformat(self.start) <= year.last:
            raise ValueError("`start` lies outside `studyyear`")


class StatedGate(Payload, frozen=True, kw_only=True):
    """One gate that the institution sets for this learner, and how it stands.

    `ground` is the article or published requirement; `until` the day by which it must be met.
    """

    gate: OpenGate
    state: Literal["needed", "notneeded", "met", "waived"]
    ground: Line
    until: MaybeDay = ""
    text: Text = ""


class GatesStated(Payload, frozen=True, kw_only=True):
    """Institution to learner: the gates it sets.

    Of requirements, study-choice check, language and residence, one that is not named here is not needed.
    """

    gates: Annotated[tuple[StatedGate, ...], msgspec.Meta(max_length=7)]


class GateAsked(Payload, frozen=True, kw_only=True):
    """Platform to institution: this gate is yours to judge, and why."""

    gate: GateName
    why: Literal["unproven", "differs", "unknown", "noanswer", "declined", "noconsent"]


class GateDecided(Payload, frozen=True, kw_only=True):
    """Institution to learner: a gate is met, not met, or waived. `objection` is required when not met."""

    gate: OpenGate
    decision: Literal["met", "notmet", "waived"]
    ground: Line
    role: Line
    text: Text = ""
    objection: Objection | None = None

    def __post_init__(self) -> None:
        """Hold a negative decision to what WHW 7.59a asks of it."""
        super().__post_init__()
        if self.decision == "notmet" and (self.objection is None or not self.text):
            raise ValueError("a gate that is not met needs a reason in `text`, and `objection`")


class AdmissionDecided(Payload, frozen=True, kw_only=True):
    """Institution to learner: admitted, conditionally admitted, or refused. Admitted is not enrolled.

    A refusal has a `ground` of the closed table, a reason (`text`) and `objection`; a conditional admission names
    its `conditions`. `role` is who decided: a role, never a name.
    """

    decision: Literal["admitted", "conditional", "refused"]
    role: Line
    ground: GroundCode | None = None
    text: Text = ""
    evidence: Annotated[tuple[Id, ...], msgspec.Meta(max_length=20)] = ()
    conditions: Annotated[tuple[OpenGate, ...], msgspec.Meta(max_length=7)] = ()
    objection: Objection | None = None

    def __post_init__(self) -> None:
        """Hold a refusal to what WHW 7.37 and 7.59a ask of it."""
        super().__post_init__()
        if self.decision == "refused" and (self.ground is None or self.objection is None or not self.text):
            raise ValueError("a refusal needs a ground, a reason in `text`, and `objection`")
        if self.decision == "conditional" and not self.conditions:
            raise ValueError("a conditional admission names its `conditions`")


class HeldGate(Payload, frozen=True, kw_only=True):
    """A gate that holds: how, on whose word, and the message that shows it."""

    gate: GateName
    state: Literal["notneeded", "met", "waived"]
    who: Line
    evidence: Id


class EnrolmentReady(Payload, frozen=True, kw_only=True):
    """Platform to institution: all gates hold. Enrol her, report it to DUO, and send the proof of enrolment."""

    studyyear: Year
    programme: Code
    form: Form
    start: MonthStart
    gates: Annotated[tuple[HeldGate, ...], msgspec.Meta(max_length=8)]


class EnrolmentConfirmed(Payload, frozen=True, kw_only=True):
    """Institution to learner: the proof of enrolment (bewijs van inschrijving), which states her rights (WHW 7.33(2)).

    The PDF is either inside (`document`) or beside (`file`) the message.
    """

    studentnumber: Code
    name: Line
    birthdate: Day
    institution: Line
    brin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}[A-Z]{2}$(?!\n)")]
    programme: Code
    title: Line
    form: Form
    level: Level
    sector: Sector
    studyyear: Year
    start: MonthStart
    end: Day
    rights: Annotated[tuple[Line, ...], msgspec.Meta(min_length=1, max_length=20)]
    document: Document | None = None
    file: FileRef | None = None


class EnrolmentReported(Payload, frozen=True, kw_only=True):
    """Institution to DUO: the register delivery of an enrolment (WRO 12, 14; BRO 18). `bsn` travels apart.

    Who has no BSN is reported under the onderwijsnummer (WHW 7.39(2)-(5)).
    """

    bsn: Bsn
    studentnumber: Code
    brin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}[A-Z]{2}$(?!\n)")]
    programme: Code
    form: Form
    level: Level
    studyyear: Year
    start: MonthStart


class EnrolmentWithdrawn(Payload, frozen=True, kw_only=True):
    """Learner to institution: I withdraw my request. She owes no reason."""

    text: Text = ""


class ReminderSent(Payload, frozen=True, kw_only=True):
    """Platform to learner: this gate is still open, and by when it should be met."""

    gate: GateName
    due: Day


class DeadlinePassed(Payload, frozen=True, kw_only=True):
    """Platform to institution: a day passed and the gate is open. Nothing lapses; the institution is asked.

    "enrolment": all gates hold, but the enrolment is not confirmed and reported yet.
    """

    gate: GateName | Literal["enrolment"]
    due: Day


class StatementQuestioned(Payload, frozen=True, kw_only=True):
    """Platform to institution: what you stated does not follow from the rule named; state it again or decide."""

    statement: Id
    rule: Line
    text: Text


class ConsentGiven(Payload, frozen=True, kw_only=True):
    """Learner to institution: consent, separate per receiver and purpose, and as easy to take back (GDPR 7).

    `scope` "payer" is the written consent of WHW 7.37(3) and names the third party that pays.
    """

    scope: Literal["payer", "share"]
    given: bool
    party: Name
    purpose: Line
    until: Day
    receiver: Annotated[str, msgspec.Meta(max_length=120)] = ""


class ObjectionReceived(Payload, frozen=True, kw_only=True):
    """Learner to institution: I object to this decision; `afschriften` are the copies that show it (their hashes)."""

    decision: Id
    text: Text
    afschriften: Annotated[tuple[Digest, ...], msgspec.Meta(min_length=1, max_length=50)]


class NoticeSent(Payload, frozen=True, kw_only=True):
    """Institution to learner: a notice, also long after the process was forgotten (by delivery capability)."""

    title: Line
    text: Text
    document: Document | None = None
    concerns: Annotated[str, msgspec.Meta(max_length=100)] = ""

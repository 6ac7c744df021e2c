"""Every message type: who may say it to whom, why, on what ground, how long it may exist, what is inside.

`docs/messages.md` and `docs/schemas/` are made from this table (`make docs`).
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar, Final, Literal

import msgspec

from wissel.core.academic import study_year, study_year_of
from wissel.core.errors import WisselError
from wissel.messages import enrolment, holds, identity, payments
from wissel.messages.envelope import DataClass
from wissel.messages.fields import Payload
from wissel.messages.participant import Role

Party = Role | Literal["learner"]
PayloadType = type[Payload]


class Unknown(WisselError):
    """No such message type."""

    code: ClassVar[str] = "message-type-unknown"
    status: ClassVar[int] = 422


class Malformed(WisselError):
    """A payload does not have the shape of its type. `field` is the JSON pointer at fault."""

    code: ClassVar[str] = "payload-malformed"
    status: ClassVar[int] = 422


class Term(msgspec.Struct, frozen=True):
    """The longest a message may exist: `days` after it was sent, or after the end of the study year it is about."""

    days: int
    after: Literal["sent", "studyyear"]


class MessageType(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the catalogue.

    `process` is the process it belongs to (empty: plain), `starts` whether it begins one. `ground` is the article,
    `controller` the role that answers for the data, `activity` its article 30 entry. `copies` are the parties that get
    an afschrift beside the learner; `learner` is "now", or the legal ground for "later" or "not".
    `status` is the status code that it leads to. `apart` are payload fields that are sealed under a key of their own.
    """

    type: str
    senders: tuple[Party, ...]
    recipient: Party
    payload: PayloadType
    purpose: str
    ground: str
    controller: Role
    activity: str
    term: Term
    process: str = ""
    starts: bool = False
    dataclass: DataClass = "personal"
    copies: tuple[Literal["sender", "recipient"], ...] = ("sender", "recipient")
    learner: str = "now"
    status: str = ""
    apart: tuple[str, ...] = ()


# Terms: domain/enrolment-rules.md section 7 (proposed automatic end dates).
_REQUEST: Final = Term(42, "studyyear")  # withdrawn or rejected: 31 Aug of the study year + 6 weeks objection
_SHORT: Final = Term(30, "sent")  # ordinary message: acknowledged + 30 days
_FACT: Final = Term(731, "studyyear")  # enrolment facts: end of enrolment + 2 years
_MANDATE: Final = Term(426, "studyyear")  # mandate evidence: last collection + 14 months
_TOLD: Final = Term(90, "sent")  # what tells of a hold; its role, ground and end date stand in the log


def _row(
    kind: str,
    route: tuple[Party, Party],
    payload: PayloadType,
    *,
    purpose: str,
    ground: str,
    term: Term,
    controller: Role = "institution",
    process: str = "enrolment",
    starts: bool = False,
    dataclass: DataClass = "personal",
    status: str = "",
    apart: tuple[str, ...] = (),
) -> MessageType:
    return MessageType(
        type=f"nl.wissel.{kind}.v1",
        senders=(route[0],),
        recipient=route[1],
        payload=payload,
        purpose=purpose,
        ground=ground,
        controller=controller,
        activity=f"urn:wissel:activity:{kind.replace('.', '-')}",
        term=term,
        process=process,
        starts=starts,
        dataclass=dataclass,
        status=status,
        apart=apart,
    )


_ROWS: Final = (
    _row(
        "enrolment.requested",
        ("learner", "institution"),
        enrolment.EnrolmentRequested,
        purpose="to enrol in a programme",
        ground="WHW 7.31a, 7.32; RATHO 4.1",
        term=_REQUEST,
        starts=True,
        status="REQREGISTRATION",
        apart=("bsn",),
    ),
    _row(
        "identity.asked",
        ("platform", "duo"),
        identity.IdentityAsked,
        purpose="to verify who applies",
        ground="RATHO 4.1(3); WHW 7.52",
        term=_SHORT,
        apart=("bsn",),
    ),
    _row(
        "identity.answered",
        ("duo", "institution"),
        identity.IdentityAnswered,
        purpose="to verify who applies",
        ground="RATHO 4.1(3); WHW 7.31e",
        term=_REQUEST,
        controller="duo",
        apart=("educationnumber",),
    ),
    _row(
        "education.asked",
        ("platform", "duo"),
        identity.EducationAsked,
        purpose="to see which prior education the register holds",
        ground="WRO 5(2)(g), 20(3)",
        term=_SHORT,
        apart=("bsn",),
    ),
    _row(
        "education.answered",
        ("duo", "institution"),
        identity.EducationAnswered,
        purpose="to judge prior education and the basis of the fee",
        ground="WRO 20(3)(6); WHW 7.24, 7.45a",
        term=_REQUEST,
        controller="duo",
    ),
    _row(
        "residence.asked",
        ("institution", "ind"),
        identity.ResidenceAsked,
        purpose="to see whether the stay is lawful on the first day",
        ground="WHW 7.32(5)",
        term=_SHORT,
    ),
    _row(
        "residence.answered",
        ("ind", "institution"),
        identity.ResidenceAnswered,
        purpose="to see whether the stay is lawful on the first day",
        ground="WHW 7.32(5)",
        term=_REQUEST,
        controller="ind",
    ),
    _row(
        "diploma.asked",
        ("institution", "nuffic"),
        identity.DiplomaAsked,
        purpose="to value a foreign diploma",
        ground="WHW 7.28",
        term=_SHORT,
    ),
    _row(
        "diploma.answered",
        ("nuffic", "institution"),
        identity.DiplomaAnswered,
        purpose="to value a foreign diploma",
        ground="WHW 7.28",
        term=_REQUEST,
    ),
    _row(
        "eduid.asked",
        ("platform", "eduid"),
        identity.EduidAsked,
        purpose="to give her one student identity",
        ground="GDPR 6 (to be settled with SURF)",
        term=_SHORT,
    ),
    _row(
        "eduid.linked",
        ("eduid", "institution"),
        identity.EduidLinked,
        purpose="to know her at this institution by a pseudonym",
        ground="GDPR 6 (to be settled with SURF)",
        term=_REQUEST,
        controller="eduid",
    ),
    _row(
        "gates.stated",
        ("institution", "learner"),
        enrolment.GatesStated,
        purpose="to say which requirements apply",
        ground="WHW 7.24-7.32, 7.37",
        term=_REQUEST,
    ),
    _row(
        "gate.asked",
        ("platform", "institution"),
        enrolment.GateAsked,
        purpose="to put a requirement before the institution",
        ground="RATHO 4.1(4)-(5); WHW 7.37(1)",
        term=_REQUEST,
    ),
    _row(
        "gate.decided",
        ("institution", "learner"),
        enrolment.GateDecided,
        purpose="to decide on one requirement",
        ground="WHW 7.25, 7.28, 7.31b-d, 7.32(5), 7.37",
        term=_REQUEST,
    ),
    _row(
        "fee.stated",
        ("institution", "learner"),
        payments.FeeStated,
        purpose="to state the tuition fee",
        ground="WHW 7.43, 7.45a-7.46; UB 2.2-2.3b",
        term=_MANDATE,
    ),
    _row(
        "mandate.asked",
        ("platform", "psp"),
        payments.MandateAsked,
        purpose="to ask a mandate for the tuition fee",
        ground="WHW 7.37(2), 7.47",
        term=_REQUEST,
    ),
    _row(
        "mandate.confirmed",
        ("psp", "institution"),
        payments.MandateConfirmed,
        purpose="to prove that the fee will be paid",
        ground="WHW 7.37(2)",
        term=_MANDATE,
    ),
    _row(
        "mandate.cancelled",
        ("platform", "psp"),
        payments.MandateCancelled,
        purpose="to take back a mandate that stands no more",
        ground="WHW 7.37(2), 7.43(1)",
        term=_MANDATE,
    ),
    _row(
        "admission.decided",
        ("institution", "learner"),
        enrolment.AdmissionDecided,
        purpose="to decide on admission",
        ground="WHW 7.37, 7.30b, 7.31b-d, 7.59a",
        term=_REQUEST,
        status="REJECTED when refused",
    ),
    _row(
        "enrolment.ready",
        ("platform", "institution"),
        enrolment.EnrolmentReady,
        purpose="to say that all requirements are met",
        ground="WHW 7.37(1)",
        term=_REQUEST,
    ),
    _row(
        "enrolment.confirmed",
        ("institution", "learner"),
        enrolment.EnrolmentConfirmed,
        purpose="to prove the enrolment",
        ground="WHW 7.33(2)",
        term=_FACT,
        status="REGISTERED",
    ),
    _row(
        "enrolment.reported",
        ("institution", "duo"),
        enrolment.EnrolmentReported,
        purpose="to deliver the enrolment to the register",
        ground="WRO 12, 14; BRO 18; WHW 7.52",
        term=_FACT,
        status="REGISTERED",
        apart=("bsn",),
    ),
    _row(
        "enrolment.withdrawn",
        ("learner", "institution"),
        enrolment.EnrolmentWithdrawn,
        purpose="to withdraw a request",
        ground="WHW 7.32, 7.42(1)",
        term=_REQUEST,
        status="WITHDRAWN",
    ),
    _row(
        "reminder.sent",
        ("platform", "learner"),
        enrolment.ReminderSent,
        purpose="to remind of an open requirement",
        ground="WHW 7.37(1)",
        term=_SHORT,
    ),
    _row(
        "deadline.passed",
        ("platform", "institution"),
        enrolment.DeadlinePassed,
        purpose="to ask what to do after a deadline",
        ground="WHW 7.37(1)",
        term=_REQUEST,
    ),
    _row(
        "statement.questioned",
        ("platform", "institution"),
        enrolment.StatementQuestioned,
        purpose="to have a statement corrected",
        ground="WHW 7.48(5)",
        term=_REQUEST,
    ),
    _row(
        "consent.given",
        ("learner", "institution"),
        enrolment.ConsentGiven,
        purpose="to consent, or to take consent back",
        ground="GDPR 6(1)(a), 7; WHW 7.37(3)",
        term=_FACT,
    ),
    _row(
        "objection.received",
        ("learner", "institution"),
        enrolment.ObjectionReceived,
        purpose="to object to a decision",
        ground="WHW 7.59a",
        term=Term(365, "sent"),
        process="objection",
        starts=True,
        dataclass="special",
    ),
    _row(
        "notice.sent",
        ("institution", "learner"),
        enrolment.NoticeSent,
        purpose="to tell the learner something about her enrolment",
        ground="WHW 7.33, 7.42(5)",
        term=Term(90, "sent"),
        process="",
    ),
    _row(
        "hold.placed",
        ("institution", "learner"),
        holds.HoldPlaced,
        purpose="to say which messages are kept longer, and why",
        ground="GDPR 5(1)(e), 13(2)(a)",
        term=_TOLD,
        process="",
    ),
    _row(
        "hold.ended",
        ("institution", "learner"),
        holds.HoldEnded,
        purpose="to say that messages are not kept longer any more",
        ground="GDPR 5(1)(e), 13(2)(a)",
        term=_TOLD,
        process="",
    ),
)

CATALOGUE: Final[Mapping[str, MessageType]] = {row.type: row for row in _ROWS}


def lookup(kind: str) -> MessageType:
    """Return the row of a message type. Raises Unknown."""
    row = CATALOGUE.get(kind)
    if row is None:
        raise Unknown(f"There is no message type {kind!r}; docs/messages.md lists them all.", field="/type")
    return row


def decode(kind: str, raw: bytes | msgspec.Raw) -> Payload:
    """Read a payload whole. Raises Unknown, or Malformed with the JSON pointer of the field at fault.

    The sentence names the field and the rule, never the value.
    """
    row = lookup(kind)
    try:
        return msgspec.json.decode(raw, type=row.payload)
    except msgspec.DecodeError as error:
        sentence, pointer = _explain(str(error))
        raise Malformed(f"{kind}: {sentence}", field=pointer) from None
    except UnicodeDecodeError:
        raise Malformed(f"{kind}: a string is not UTF-8.", field="/data") from None


_QUOTED: Final = re.compile(r"(unknown field|enum value) [`'][^`']*.*")
_SAID: Final = {
    "unknown field": "there is a field that this type does not have",
    "enum value": "the value is none of those that the schema names",
}


def _explain(text: str) -> tuple[str, str]:
    """Split msgspec's text, which names the path as `$.a[0].b`, into a sentence and a JSON pointer below /data.

    Where it quotes what was sent, our own words stand instead: that may be personal data.
    """
    sentence, _, path = text.partition(" - at `$")
    pointer = path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
    quoted = _QUOTED.search(sentence)
    return f"{_SAID[quoted[1]] if quoted else sentence}.", f"/data{pointer}"


def longest(row: MessageType, sent: date, studyyear: str = "") -> date:
    """Return the last day that a message of this type, sent on the Dutch day `sent`, may have as its end date.

    A message is about the study year that runs, or about the one that follows. `studyyear` says which; without it the
    later one bounds it.
    """
    if row.term.after == "sent":
        return sent + timedelta(days=row.term.days)
    about = study_year_of(sent).following
    if studyyear:
        about = min(about, study_year(studyyear))
    return about.last + timedelta(days=row.term.days)


def about(data: Payload) -> str:
    """Return the study year that a payload names as its own, or an empty text."""
    return str(getattr(data, "studyyear", ""))

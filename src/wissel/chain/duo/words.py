"""Questions to DUO and its answers, on the wire."""

from typing import Annotated, Literal

import msgspec

from wissel.messages.fields import Bsn, Code, Day, Form, Level, MonthStart, Name, Year
from wissel.messages.identity import Degree, Diploma

Brin = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}[A-Z]{2}$(?!\n)")]
Delivery = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)")]


class IdentityQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Is this person in the BRP as she says? RATHO 4.1(3). `bsn` may be empty: then DUO looks for nobody."""

    bsn: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{9})?$(?!\n)")] = ""
    givennames: Name
    surname: Name
    prefix: Annotated[str, msgspec.Meta(max_length=30)] = ""
    birthdate: Day


class IdentityAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`verified`; `differs` in the named fields; `unknown`: no such number.

    `educationnumber` is an onderwijsnummer, given when no BSN was (WHW 7.31e(3)).
    """

    result: Literal["verified", "differs", "unknown"]
    fields: tuple[str, ...] = ()
    educationnumber: str = ""


class EducationQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose diplomas, and since when degrees matter for the fee (WHW 7.45a: 1 September 1991)."""

    bsn: Bsn
    birthdate: Day
    degreessince: Day = "1991-09-01"


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """A diploma that is not there yet: she sits her final exams."""

    kind: str
    school: str
    day: str


class EducationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the register holds of her. Empty lists: nothing. `expected`: final exams under way."""

    diplomas: tuple[Diploma, ...] = ()
    degrees: tuple[Degree, ...] = ()
    expected: tuple[Expected, ...] = ()


class Enrolment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One delivery to the register of enrolments: begun, or ended (WRO 12, 14; WHW 7.42(5)).

    An ending carries `end`, the first day on which she is not enrolled, and `reason`.
    """

    kind: Literal["begun", "ended"] = "begun"
    bsn: Bsn
    studentnumber: Code
    brin: Brin
    programme: Code
    form: Form
    level: Level
    studyyear: Year
    start: MonthStart
    end: Annotated[str, msgspec.Meta(pattern=r"^(20[0-9]{2}-(0[1-9]|1[0-2])-01)?$(?!\n)")] = ""
    reason: Annotated[str, msgspec.Meta(max_length=40)] = ""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """DUO's receipt of a delivery: its own number and when it was written."""

    delivery: str
    number: str
    kind: Literal["begun", "ended"]
    registered: str


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What the book holds, without a person: for who wants to count afterwards."""

    begun: int
    ended: int
    enrolled: int

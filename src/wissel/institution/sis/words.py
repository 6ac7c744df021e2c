"""What the connector tells the SIS. Each change has an `id`: the message or decision that it follows from."""

import msgspec

from wissel.messages.fields import Form
from wissel.messages.identity import Person


class Change(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Something to book: `id` makes it happen once, `process` says whose registration it is."""

    id: str
    process: str


class Requested(Change, frozen=True, kw_only=True):
    """A learner asks to enrol. `number` is her BSN or onderwijsnummer, or empty."""

    person: Person
    number: str
    programme: str
    form: Form
    studyyear: str
    start: str


class Known(Change, frozen=True, kw_only=True):
    """Something about her became known: `field` is "identity", "pseudonym", "number" and so on."""

    field: str
    value: str


class Decided(Change, frozen=True, kw_only=True):
    """The institution decided: on "admission" or on a gate. `role` is who, never a name."""

    what: str
    decision: str
    ground: str
    role: str
    text: str = ""


class Enrolled(Change, frozen=True, kw_only=True):
    """All requirements hold: she is enrolled from the first day of her registration."""


class Stopped(Change, frozen=True, kw_only=True):
    """The registration ends before it began: "withdrawn", "refused" or "cancelled"."""

    status: str


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """One registration as the SIS has it. `student` is empty until she is enrolled.

    `pseudonym` is who she is here by eduID, empty while that is not known.
    """

    process: str
    status: str
    programme: str
    form: str
    studyyear: str
    start: str
    student: str
    pseudonym: str = ""

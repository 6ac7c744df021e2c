"""The words of the connector: a case, what a message leads to, and what waits for a person."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from wissel.institution.finance.words import Change as FeeChange
from wissel.institution.sis.words import Change, Registration
from wissel.messages.enrolment import EnrolmentRequested
from wissel.messages.envelope import Envelope
from wissel.messages.fields import OpenGate, Payload
from wissel.messages.identity import Degree

GateView = Literal["needed", "asked", "met", "waived", "notmet", "notneeded"]


class Case(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the connector knows of one request. It goes when the request's end date has passed.

    `opening` is the commitment of her request: the grant of every message to her. `gates` are those that the
    institution itself set or was asked about. `done` numbers what the institution did, so that a crash repeats nothing.
    """

    process: str
    subject: str
    opening: str
    log: str
    enddate: str
    late: bool
    request: EnrolmentRequested
    identity: str = ""
    number: str = ""
    pseudonym: str = ""  # who she is here, by eduID; the delivery header brings it
    answered: bool = False  # DUO said what its register holds
    diplomas: tuple[str, ...] = ()
    degrees: tuple[Degree, ...] = ()
    gates: dict[OpenGate, GateView] = {}
    fee: bool = False
    admission: str = ""
    payment: str = ""
    confirmed: bool = False
    ended: str = ""
    done: int = 0


class Heard(NamedTuple):
    """A message that was verified: its envelope, payload and base64url commitment, and when the platform took it."""

    envelope: Envelope
    data: Payload
    commitment: str
    received: datetime

    @property
    def cause(self) -> str:
        """Under what the SIS and the financial system book what follows: ids are unique per source only."""
        return f"{self.envelope.source}/{self.envelope.id}"


class Say(NamedTuple):
    """Something the institution says in this process: `to` is "learner" or the role of an organisation."""

    kind: str
    to: str
    data: Payload


class Task(NamedTuple):
    """What waits for a person: `what` is a stable word, `about` a gate, type or code; `text` says what to do."""

    what: str
    about: str
    text: str
    due: str = ""


class Done(NamedTuple):
    """What one message leads to. `closes` are tasks, as (what, about), that are no longer waiting.

    `then` is asked for more to say once the SIS has booked: it is given the registration. `reject` is a stable
    code when the receiver cannot do anything with the message.
    """

    case: Case | None = None
    sis: tuple[Change, ...] = ()
    finance: tuple[FeeChange, ...] = ()
    says: tuple[Say, ...] = ()
    tasks: tuple[Task, ...] = ()
    closes: tuple[tuple[str, str], ...] = ()
    then: Callable[[Registration], tuple[Say, ...]] | None = None
    reject: str = ""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How a learner may still be reached after her process: the platform's sealed delivery capability."""

    process: str
    capability: str
    log: str
    until: str
    withdrawn: bool = False


class OpenTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task as a person sees it."""

    process: str
    what: str
    about: str
    text: str
    due: str

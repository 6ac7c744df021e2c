"""The parties of one enrolment, played around the pure process: what they hear, they answer, in any order."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from wissel.core.ids import uuid7_from
from wissel.messages.catalogue import CATALOGUE, decode
from wissel.messages.enrolment import (
    AdmissionDecided,
    EnrolmentConfirmed,
    EnrolmentReported,
    EnrolmentRequested,
    EnrolmentWithdrawn,
    GateDecided,
    GatesStated,
    StatedGate,
)
from wissel.messages.fields import Objection, Payload
from wissel.messages.identity import (
    Address,
    Diploma,
    EducationAnswered,
    EduidLinked,
    IdentityAnswered,
    Person,
)
from wissel.messages.payments import FeeStated, MandateAsked, MandateConfirmed, PaymentChoice
from wissel.messages.process import Decision, Event, Finish, Pass, Send, Unwake, Wake
from wissel.platform.processes.enrolment import Enrolment

PROCESS: Final = "01890000-0000-8000-8000-000000000001"
LEARNER: Final = "urn:wissel:learner:01890000-0000-7000-8000-0000000000aa"
PARTIES: Final = {
    "platform": "urn:nld:oin:00000099000000000001:systeem:wissel",
    "institution": "urn:nld:oin:00000007000001XX0000:systeem:sis",
    "duo": "urn:nld:oin:00000099000000000002:systeem:duo",
    "ind": "urn:nld:oin:00000099000000000003:systeem:ind",
    "nuffic": "urn:nld:oin:00000099000000000004:systeem:nuffic",
    "psp": "urn:nld:oin:00000099000000000005:systeem:psp",
    "eduid": "urn:nld:oin:00000099000000000006:systeem:eduid",
    "learner": LEARNER,
}
SETTINGS: Final[dict[str, Any]] = {
    "institution": {
        "brin": "01XX",
        "programmes": [
            {
                "code": "34401",
                "name": "Waterbouwkunde",
                "form": "fulltime",
                "level": "bachelor",
                "sector": "hbo",
                "admits": ["havo", "vwo", "mbo4"],
            }
        ],
        "colour": "blue",
    },
    "parties": {role: urn for role, urn in PARTIES.items() if role not in {"institution", "learner"}},
}
HIGH: Final = "https://refeds.org/assurance/IAP/high"
DAY_ONE: Final = datetime(2026, 4, 15, 9, 0, tzinfo=UTC)


def kind(short: str) -> str:
    return f"nl.wissel.{short}.v1"


def the_request(**changes: Any) -> EnrolmentRequested:
    request = EnrolmentRequested(
        studyyear="2026-27",
        programme="34401",
        form="fulltime",
        start="2026-09-01",
        person=Person(
            givennames="Noor Anna",
            surname="Waterman",
            birthdate="2007-02-03",
            address=Address(street="Sluiskade", number="1", postcode="0000 AA", city="Dijkdorp", country="NL"),
            nationality="NL",
            email="noor@example.org",
        ),
        payment=PaymentChoice(way="instalments", iban="NL00TEST0000000000", holder="N.A. Waterman"),
        bsn="999990019",
    )
    return msgspec.structs.replace(request, **changes)


def the_fee(**changes: Any) -> FeeStated:
    fee = FeeStated(
        studyyear="2026-27",
        basis="statutory",
        article="WHW 7.45a",
        annual=250_000,
        amount=250_000,
        costs=2400,
        source="fictitious",
        fictitious=True,
    )
    return msgspec.structs.replace(fee, **changes)


def the_gates(*needed: Any) -> GatesStated:
    return GatesStated(gates=tuple(StatedGate(gate=name, state="needed", ground="studiegids 2026") for name in needed))


def the_refusal(ground: Any = "education") -> AdmissionDecided:
    return AdmissionDecided(
        decision="refused",
        role="admission board",
        ground=ground,
        text="The mathematics of your profile does not suffice.",
        objection=Objection(until="2026-06-10", where="https://school.example/bezwaar", how="By letter."),
    )


def the_admission(**changes: Any) -> AdmissionDecided:
    return msgspec.structs.replace(AdmissionDecided(decision="admitted", role="admission board"), **changes)


def the_proof() -> EnrolmentConfirmed:
    return EnrolmentConfirmed(
        studentnumber="s100",
        name="N.A. Waterman",
        birthdate="2007-02-03",
        institution="Hogeschool Dijkdorp",
        brin="01XX",
        programme="34401",
        title="Waterbouwkunde",
        form="fulltime",
        level="bachelor",
        sector="hbo",
        studyyear="2026-27",
        start="2026-09-01",
        end="2027-08-31",
        rights=("to take part in education and examinations (WHW 7.34)",),
    )


def the_report() -> EnrolmentReported:
    return EnrolmentReported(
        bsn="999990019",
        studentnumber="s100",
        brin="01XX",
        programme="34401",
        form="fulltime",
        level="bachelor",
        studyyear="2026-27",
        start="2026-09-01",
    )


def havo() -> EducationAnswered:
    return EducationAnswered(diplomas=(Diploma(kind="havo", name="Havo", day="2025-06-12", school="Dijkcollege"),))


class Said(NamedTuple):
    """One message on its way."""

    type: str
    id: str
    data: Any


Answer = Callable[["World", Said], Sequence[tuple[str, Payload]]]


def _mandate(said: Said) -> MandateConfirmed:
    asked = said.data
    assert isinstance(asked, MandateAsked)
    return MandateConfirmed(
        statement=asked.statement, result="confirmed", reference="M1", amount=asked.amount, parts=asked.parts
    )


FINE: Final[dict[str, Answer]] = {
    "enrolment.requested": lambda _w, _s: [("gates.stated", the_gates())],
    "identity.asked": lambda _w, _s: [("identity.answered", IdentityAnswered(result="verified"))],
    "education.asked": lambda _w, _s: [("education.answered", havo())],
    "eduid.asked": lambda _w, _s: [("eduid.linked", EduidLinked(result="created", pseudonym="p-1"))],
    "education.answered": lambda _w, _s: [("fee.stated", the_fee()), ("admission.decided", the_admission())],
    "mandate.asked": lambda _w, said: [("mandate.confirmed", _mandate(said))],
    "enrolment.ready": lambda _w, _s: [
        ("enrolment.reported", the_report()),
        ("enrolment.confirmed", the_proof()),
    ],
}


def _silent(_world: "World", _said: Said) -> list[tuple[str, Payload]]:
    return []


class World:
    """One process with everybody around it. `trail` is what a leaf would record: event, label, phase."""

    def __init__(self, answers: dict[str, Answer] | None = None) -> None:
        self.process = Enrolment()
        self.answers = FINE if answers is None else answers
        self.settings: dict[str, Any] = SETTINGS
        self.now = DAY_ONE
        self.state: bytes | None = None
        self.last: Decision | None = None
        self.finished = ""
        self.trail: list[tuple[str, str, str]] = []
        self.sent: list[Said] = []
        self.timers: dict[str, datetime] = {}
        self.pool: list[Callable[[], None]] = []
        self.count = 0

    @property
    def phase(self) -> str:
        return "new" if self.last is None else self.last.phase

    @property
    def open(self) -> tuple[str, ...]:
        return () if self.last is None else self.last.open

    def labels(self) -> list[str]:
        return [label for _, label, _ in self.trail]

    def said(self, short: str) -> list[Any]:
        return [each.data for each in self.sent if each.type == kind(short)]

    def say(self, short: str, data: Payload, *, acr: str = "", source: str = "", recipient: str = "") -> str:
        """Let a party say something: what a real one would, for it is decoded from the wire."""
        row = CATALOGUE[kind(short)]
        self.count += 1
        said = Said(row.type, uuid7_from(self.now, PROCESS, str(self.count)), data)
        event = Event(
            kind="message",
            name=row.type,
            id=said.id,
            at=self.now,
            source=source or PARTIES[row.senders[0]],
            recipient=recipient or PARTIES[row.recipient],
            data=decode(row.type, msgspec.json.encode(data)),
            acr=acr,
        )
        self.hear(event, said)
        return said.id

    def request(self, *, acr: str = HIGH, **changes: Any) -> str:
        return self.say("enrolment.requested", the_request(**changes), acr=acr)

    def withdraw(self) -> None:
        self.say("enrolment.withdrawn", EnrolmentWithdrawn())

    def outcome(self, short: str, end: str = "accepted") -> None:
        self.hear(Event(kind="outcome", name=f"{kind(short)}/{end}", id=short, at=self.now))

    def ring(self, timer: str) -> None:
        """Let a timer go off, at its own time when it is set."""
        self.now = max(self.now, self.timers.pop(timer, self.now))
        self.hear(Event(kind="timer", name=timer, id=f"{PROCESS}/{timer}", at=self.now))

    def hear(self, event: Event, said: Said | None = None) -> Decision:
        decision = self.process.decide(PROCESS, self.state, event, self.settings)
        again = self.process.decide(PROCESS, self.state, event, self.settings)
        assert decision == again, "the process is not pure"
        self.last, self.state = decision, msgspec.json.encode(decision.state)
        self.trail.append((event.name, decision.label, decision.phase))
        for effect in decision.effects:
            self._do(effect, said)
        return decision

    def _do(self, effect: object, said: Said | None) -> None:
        if isinstance(effect, Send):
            self.count += 1
            decode(effect.type, msgspec.json.encode(effect.data))  # what the platform says fits its own type
            assert effect.enddate is not None
            own = Said(effect.type, uuid7_from(self.now, PROCESS, str(self.count)), effect.data)
            assert PARTIES[CATALOGUE[effect.type].recipient] == effect.recipient
            self._travel(own)
        elif isinstance(effect, Pass):
            assert said is not None, "only a message can be passed on"
            self._travel(said)
        elif isinstance(effect, Wake):
            self.timers[effect.name] = effect.at
        elif isinstance(effect, Unwake):
            del self.timers[effect.name]
        elif isinstance(effect, Finish):
            assert not self.finished
            self.finished = effect.outcome

    def _travel(self, said: Said) -> None:
        self.sent.append(said)
        self.pool.append(lambda: self._arrive(said))

    def _arrive(self, said: Said) -> None:
        short = said.type.removeprefix("nl.wissel.").removesuffix(".v1")
        self.pool.append(lambda: self.outcome(short))
        answer = self.answers.get(short, _silent)
        for reply, data in answer(self, said):
            self.pool.append(partial(self._reply, reply, data))

    def _reply(self, short: str, data: Payload) -> None:
        self.say(short, data)

    def run(self, choose: Callable[[int], int] = lambda _size: 0, steps_max: int = 400) -> None:
        """Do what waits, in the order that `choose` gives, until nothing waits or the process is decided."""
        for _ in range(steps_max):
            if not self.pool or self.finished:
                return
            self.now += timedelta(minutes=1)
            self.pool.pop(choose(len(self.pool)))()
        raise AssertionError("the parties never came to an end")


SILENT: dict[str, Answer] = {}


def begun(**changes: Any) -> World:
    world = World(SILENT)
    world.request(**changes)
    return world


def decided(gate: Any, decision: Any = "met") -> GateDecided:
    return GateDecided(
        gate=gate,
        decision=decision,
        ground="WHW 7.25",
        role="admission board",
        text="Seen and judged.",
        objection=Objection(until="2026-06-10", where="https://school.example/bezwaar", how="By letter."),
    )


def admitted_but_for(gate: str) -> World:
    world = begun()
    world.say("gates.stated", the_gates(gate) if gate in {"language", "residence"} else the_gates())
    world.say("admission.decided", the_admission())
    for other in ("identity", "education", "payment"):
        if other != gate:
            world.say("gate.decided", decided(other))
    assert world.open == (gate,)
    return world

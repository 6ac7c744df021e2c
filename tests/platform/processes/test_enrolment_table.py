import random
from functools import cache
from typing import Any, Final

import msgspec
import pytest
from tests.platform.processes.enrolment_world import (
    DAY_ONE,
    HIGH,
    PARTIES,
    PROCESS,
    SETTINGS,
    havo,
    kind,
    the_admission,
    the_fee,
    the_gates,
    the_proof,
    the_refusal,
    the_report,
    the_request,
)

from wissel.messages.catalogue import CATALOGUE
from wissel.messages.enrolment import ConsentGiven, EnrolmentWithdrawn, GateDecided, GatesStated, StatedGate
from wissel.messages.fields import Objection, OpenGate, Payload
from wissel.messages.identity import (
    DiplomaAnswered,
    DiplomaAsked,
    EducationAnswered,
    EduidLinked,
    IdentityAnswered,
    ResidenceAnswered,
    ResidenceAsked,
)
from wissel.messages.payments import MandateConfirmed
from wissel.messages.process import Decision, Event, Finish, Pass
from wissel.platform.processes.enrolment import Enrolment
from wissel.platform.processes.enrolment.story import STRANGER
from wissel.platform.processes.enrolment.table import ENDS, EVENTS, MESSAGES, ROWS, STARTS, TABLE, TIMERS
from wissel.platform.processes.enrolment.words import FINAL, RUNNING, State
from wissel.platform.processes.errors import ProcessError

DECIDABLE: Final[tuple[OpenGate, ...]] = (
    "identity",
    "education",
    "requirements",
    "studychoice",
    "language",
    "residence",
    "payment",
)
OBJECTION: Final = Objection(until="2026-06-10", where="https://school.example/bezwaar", how="By letter.")
STATEMENT: Final = f"{PROCESS[:-1]}9"


def _stated(state: Any) -> GatesStated:
    return GatesStated(gates=tuple(StatedGate(gate=name, state=state, ground="WHW") for name in DECIDABLE))


def _decided(gate: Any, decision: Any) -> GateDecided:
    return GateDecided(
        gate=gate,
        decision=decision,
        ground="WHW",
        role="board",
        text="A reason.",
        objection=OBJECTION if decision == "notmet" else None,
    )


def _consent(*, given: bool) -> ConsentGiven:
    return ConsentGiven(scope="payer", given=given, party="Aunt", purpose="to pay", until="2027-08-31")


def _mandate(statement: str, result: Any) -> MandateConfirmed:
    return MandateConfirmed(statement=statement, result=result, amount=1, parts=1)


def _diploma() -> DiplomaAsked:
    return DiplomaAsked(diploma="Abitur", country="DE", language="deu", year=2024, school="Gymnasium")


def _residence() -> ResidenceAsked:
    return ResidenceAsked(givennames="A", surname="B", birthdate="2000-01-01", nationality="US", day="2026-09-01")


SAMPLES: Final[dict[str, list[Payload]]] = {
    "enrolment.requested": [the_request()],
    "identity.answered": [IdentityAnswered(result=each) for each in ("verified", "differs")],
    "education.answered": [havo(), EducationAnswered()],
    "residence.asked": [_residence()],
    "residence.answered": [ResidenceAnswered(result=each) for each in ("lawful", "no")],
    "diploma.asked": [_diploma()],
    "diploma.answered": [DiplomaAnswered(result="equivalent", equivalent="vwo", advice="As vwo.")],
    "eduid.linked": [EduidLinked(result="linked", pseudonym="p")],
    "gates.stated": [
        the_gates(),
        *(_stated(each) for each in ("needed", "notneeded", "met")),
        the_gates("language"),
    ],
    "gate.decided": [_decided(gate, how) for gate in DECIDABLE for how in ("met", "notmet", "waived")],
    "fee.stated": [
        the_fee(),
        the_fee(amount=1),
        the_fee(basis="exempt", article="WHW 7.48", amount=0, costs=0),
    ],
    "mandate.confirmed": [_mandate(STATEMENT, "confirmed"), _mandate(PROCESS, "declined")],
    "admission.decided": [
        the_admission(),
        the_admission(decision="conditional", conditions=("language",)),
        the_refusal(),
        the_refusal("lateapplication"),
    ],
    "enrolment.confirmed": [the_proof()],
    "enrolment.reported": [the_report()],
    "enrolment.withdrawn": [EnrolmentWithdrawn()],
    "consent.given": [_consent(given=True), _consent(given=False)],
}


def _message(short: str, data: Payload, *, source: str = "", acr: str = "") -> Event:
    row = CATALOGUE[kind(short)]
    return Event(
        kind="message",
        name=row.type,
        id=STATEMENT if short == "fee.stated" else PROCESS,
        at=DAY_ONE,
        source=source or PARTIES[row.senders[0]],
        recipient=PARTIES[row.recipient],
        data=data,
        acr=acr,
    )


def _repeats(statement: str) -> Event:
    return _message("mandate.confirmed", _mandate(statement, "declined"))


@cache
def every_event() -> tuple[Event, ...]:
    """Everything that can happen, each kind of it with every meaning it can have."""
    events = [_message(short, data) for short, choices in SAMPLES.items() for data in choices]
    events += [_repeats(STATEMENT)]
    events += [_message(short, choices[0], source="urn:nld:oin:x") for short, choices in SAMPLES.items()]
    events += [Event(kind="timer", name=name, id=name, at=DAY_ONE) for name in TIMERS]
    events += [Event(kind="outcome", name=name, id=name, at=DAY_ONE) for name in ENDS]
    return tuple(events)


@cache
def starts() -> tuple[Event, ...]:
    late = DAY_ONE.replace(month=5, day=2)
    third = the_request().payment
    requests = [
        the_request(),
        the_request(bsn=""),
        the_request(payment=msgspec.structs.replace(third, payer="third")),
    ]
    events = [_message("enrolment.requested", each, acr=HIGH) for each in requests]
    return tuple(msgspec.structs.replace(event, at=at) for event in events for at in (DAY_ONE, late))


class Walked:
    """What a long walk through the process met: the rows that were used."""

    def __init__(self) -> None:
        self.moves: dict[tuple[str, str, str], str] = {}

    def play(self, events: list[Event]) -> bytes:
        state: bytes | None = None
        for event in events:
            state = self.step(state, event)
        assert state is not None
        return state

    def step(self, state: bytes | None, event: Event) -> bytes:
        before = "new" if state is None else msgspec.json.decode(state, type=State).phase
        decision = Enrolment().decide(PROCESS, state, event, SETTINGS)
        self.moves[before, event.name, decision.label] = decision.phase
        _hold(before, event, decision)
        return msgspec.json.encode(decision.state)


def _hold(before: str, event: Event, decision: Decision) -> None:
    """The invariants that hold after whatever happens."""
    state = decision.state
    assert isinstance(state, State)
    passed = sum(isinstance(effect, Pass) for effect in decision.effects)
    assert passed == (event.kind == "message" and decision.label != STRANGER), (event.name, decision.label)
    finished = [effect for effect in decision.effects if isinstance(effect, Finish)]
    assert len(finished) == (decision.phase in FINAL and before not in FINAL)
    all_hold = all(gate.holds for gate in state.gates.values())
    if before not in FINAL and decision.phase in {"ready", "registered"}:
        assert all_hold, "who is ready or registered has all gates held"
    if decision.phase in {"collecting", "admitted"}:
        assert not all_hold
        assert state.gates["decision"].holds == (decision.phase == "admitted")
    if decision.phase == "registered" and event.name != "yearend" and before not in FINAL:
        assert (state.confirmed, state.reported) == ("done", "done")


def _signature(state: bytes) -> tuple[object, ...]:
    """Two states that differ only in ids and days are one."""
    it = msgspec.json.decode(state, type=State)
    gates = tuple((name, gate.state, gate.who) for name, gate in it.gates.items())
    facts = (it.fee is None, it.mandate != "", it.payernamed, it.payment.payer)
    return (it.phase, gates, facts, it.confirmed, it.reported)


def _enrolled(*shorts: str) -> list[Event]:
    """The institution enrolled her and all of that arrived, as far as `shorts` goes."""
    proofs = {"enrolment.confirmed": the_proof(), "enrolment.reported": the_report()}
    said = [_message(short, data) for short, data in proofs.items()]
    ends = [f"{kind(short)}/accepted" for short in shorts]
    return said + [Event(kind="outcome", name=end, id=end, at=DAY_ONE) for end in ends]


def _one_gate_left(begun: Event, gate: str, *, enrolled: bool) -> list[Event]:
    """Everything but one gate holds; perhaps the institution has enrolled her already."""
    events = [begun]
    if gate != "decision":
        events.append(_message("admission.decided", the_admission()))
    events += [_message("gate.decided", _decided(other, "met")) for other in DECIDABLE if other != gate]
    if gate == "payment":
        events.append(_message("fee.stated", the_fee()))
    if enrolled:
        events += _enrolled("enrolment.confirmed", "enrolment.reported")
    return events


def _paid_by_another() -> list[list[Event]]:
    """Somebody else pays, whom she names or does not: asked, confirmed, excused, in every phase."""
    asked = [starts()[4], _message("consent.given", _consent(given=True)), _message("fee.stated", the_fee())]
    confirmed = [*asked, _message("mandate.confirmed", _mandate(STATEMENT, "confirmed"))]
    excused = [*asked, _message("gate.decided", _decided("payment", "waived"))]
    admitted = [_message("admission.decided", the_admission())]
    rest = [_message("gate.decided", _decided(gate, "met")) for gate in DECIDABLE if gate != "payment"]
    stories = ([asked[0], asked[2]], asked, confirmed, excused)
    return [[*story, *more] for story in stories for more in ([], admitted, [*admitted, *rest])]


@cache
def walked() -> Walked:
    """Walk at random, then stand before each last gate and try everything, then in each last phase."""
    walked = Walked()
    chance = random.Random(2026)  # noqa: S311 - a walk that can be repeated, no secret
    shelf: dict[tuple[object, ...], bytes] = {}
    for number in range(60):
        state = walked.step(None, starts()[number % 6])
        for _ in range(40):
            state = _try_some(walked, state, chance)
            shelf.setdefault(_signature(state), state)
    seeds = [
        walked.play(_one_gate_left(begun, gate, enrolled=enrolled))
        for begun in starts()
        for gate in (*DECIDABLE, "decision")
        for enrolled in (False, True)
    ]
    ready = [*_one_gate_left(starts()[0], "", enrolled=False)]
    seeds += [walked.play(events) for events in _paid_by_another()]
    seeds += [walked.play([*ready, *_enrolled(short)]) for short in ("enrolment.confirmed", "enrolment.reported")]
    for state in seeds:
        for event in every_event():
            after = walked.step(state, event)
            shelf.setdefault(_signature(after), after)
    for phase in ("ready", *FINAL):
        reached = [state for signature, state in shelf.items() if signature[0] == phase]
        for state in reached[: 60 if phase == "ready" else 2]:
            for event in every_event():
                walked.step(state, event)
    return walked


def _try_some(walked: Walked, state: bytes, chance: random.Random) -> bytes:
    """Try some events from a state, then go on with one of them, rarely one that ends the process."""
    tried = [walked.step(state, event) for event in chance.sample(every_event(), 12)]
    running = [each for each in tried if msgspec.json.decode(each, type=State).phase in RUNNING]
    return chance.choice(running if running and chance.random() < 0.9 else tried)


def test_every_row_of_the_table_can_be_reached() -> None:
    unreached = {row[:3] for row in ROWS} - set(walked().moves)
    assert unreached == set()


def test_every_running_phase_has_a_row_for_every_event() -> None:
    known = {(row.phase, row.event) for row in ROWS}
    missing = {(phase, event) for phase in (*RUNNING, *FINAL) for event in EVENTS} - known
    assert missing == set()


def test_the_table_leads_from_new_to_an_end_and_out_of_no_end() -> None:
    assert {row.phase for row in ROWS} == {"new", *RUNNING, *FINAL}
    assert all(row.to == row.phase for row in ROWS if row.phase in FINAL)
    assert all(row.event == STARTS for row in ROWS if row.phase == "new")


def test_only_the_table_changes_a_phase() -> None:
    for (phase, event, label), after in walked().moves.items():
        assert TABLE[phase, event, label].to == after


def test_every_message_of_a_party_has_a_sample_here() -> None:
    assert {kind(short) for short in SAMPLES} == set(MESSAGES)


def test_labels_never_say_why() -> None:
    words = {"waived", "hardship", "lateapplication", "health", "foundation", "conduct", "belief", "support"}
    assert not [row.label for row in ROWS if words & set(row.label.replace(":", " ").split())]


def test_a_first_event_that_is_no_request_is_refused_with_a_sentence() -> None:
    with pytest.raises(ProcessError, match="can only begin with"):
        Enrolment().decide(PROCESS, None, _message("fee.stated", the_fee()), SETTINGS)


def test_an_event_of_another_story_is_refused_with_a_sentence() -> None:
    state = Walked().step(None, starts()[0])
    with pytest.raises(ProcessError, match="does not know"):
        Enrolment().decide(PROCESS, state, Event(kind="timer", name="tea", id="tea", at=DAY_ONE), SETTINGS)

"""What each message does at the institution: one pure function per type, and the table that names them.

An action is given the house, the case (None when there is none) and the message; it answers with values.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, TypeVar

import msgspec

from wissel.core.moments import dutch_day
from wissel.institution.connector import rules
from wissel.institution.connector.proof import confirm
from wissel.institution.connector.words import Case, Done, Heard, Say, Task
from wissel.institution.errors import NotDecidable
from wissel.institution.finance.words import Cancelled, Change, Charged, Mandated
from wissel.institution.sis.words import Decided, Enrolled, Known, Registration, Requested, Stopped
from wissel.institution.words import House
from wissel.messages import enrolment, identity, payments
from wissel.messages.fields import OpenGate, Payload
from wissel.messages.files import named_in

Action = Callable[[House, Case | None, Heard], Done]
InCase = Callable[[House, Case, Heard], Done]
T = TypeVar("T", bound=Payload)

GATES_STATED: Final = "nl.wissel.gates.stated.v1"
GATE_DECIDED: Final = "nl.wissel.gate.decided.v1"
FEE_STATED: Final = "nl.wissel.fee.stated.v1"
ADMISSION: Final = "nl.wissel.admission.decided.v1"
CONFIRMED: Final = "nl.wissel.enrolment.confirmed.v1"
REPORTED: Final = "nl.wissel.enrolment.reported.v1"


def act(house: House, case: Case | None, heard: Heard) -> Done:
    """Return what a message leads to; `reject` names why this institution can do nothing with it."""
    action = ACTIONS.get(heard.envelope.type)
    return action(house, case, heard) if action else Done(reject="type-not-handled")


def _said(heard: Heard, kind: type[T]) -> T:
    if not isinstance(heard.data, kind):
        raise TypeError(f"{heard.envelope.type} was decoded as {type(heard.data).__name__}")
    return heard.data


def _in_case(action: InCase) -> Action:
    """Hold a later message to a case that is here: without one there is nobody to book it for."""

    def act_in_case(house: House, case: Case | None, heard: Heard) -> Done:
        return Done(reject="case-unknown") if case is None else action(house, case, heard)

    return act_in_case


def _requested(house: House, case: Case | None, heard: Heard) -> Done:
    """Take a request: book it, say which gates are set, ask others, and meet what was confirmed beforehand."""
    request = _said(heard, enrolment.EnrolmentRequested)
    envelope = heard.envelope
    programme = house.settings.programme(request.programme, request.form)
    if programme is None or case is not None:
        return Done(reject="programme-unknown" if programme is None else "case-exists")
    late = rules.is_late(request, programme, dutch_day(heard.received))
    new = Case(
        process=envelope.process,
        subject=envelope.subject,
        opening=heard.commitment,
        log=envelope.log,
        enddate=envelope.enddate,
        late=late,
        request=request,
        number=request.bsn,
        gates=rules.gates_for(house, request, late=late),
    )
    booked = Requested(
        id=heard.cause,
        process=envelope.process,
        person=request.person,
        number=request.bsn,
        programme=request.programme,
        form=request.form,
        studyyear=request.studyyear,
        start=request.start,
    )
    stated = Say(GATES_STATED, "learner", rules.state_gates(new.gates, request.start))
    met = rules.met_by_rule(house, new)
    says = (stated, *rules.questions(new), *(Say(GATE_DECIDED, "learner", each) for each in met))
    gates = {**new.gates, **{each.gate: each.decision for each in met}}
    if gates.get("residence") == "needed":
        gates["residence"] = "asked"
    waits = tuple(_judge(gate, "the institution set it") for gate, state in gates.items() if state == "needed")
    decisions = tuple(
        Decided(
            id=f"{heard.cause}/{each.gate}",
            process=envelope.process,
            what=each.gate,
            decision=each.decision,
            ground=each.ground,
            role=each.role,
        )
        for each in met
    )
    facts = (booked, *_papers(heard), *decisions)
    return Done(case=msgspec.structs.replace(new, gates=gates), sis=facts, says=says, tasks=waits)


def _papers(heard: Heard) -> tuple[Known, ...]:
    """Note where her papers are: of a scan of her identity document nothing, for nothing of it may stay."""
    refs = [each.ref for each in named_in(heard.data) if not each.ref.special]
    return tuple(_known(heard, f"{ref.kind} {number}", ref.sealed) for number, ref in enumerate(refs, 1))


def _judge(gate: OpenGate, why: str) -> Task:
    return Task("judge", gate, f"Judge the gate {gate}: {why}.")


def _identity(house: House, case: Case, heard: Heard) -> Done:
    """Note who she is by the BRP; an onderwijsnummer stands in for a BSN (WHW 7.31e(3))."""
    answer = _said(heard, identity.IdentityAnswered)
    number = case.number or answer.educationnumber
    known = msgspec.structs.replace(case, identity=answer.result, number=number)
    facts = [_known(heard, "identity", answer.result)]
    if number and number != case.number:
        facts.append(_known(heard, "number", number))
    return _onward(house, known, heard, Done(sis=tuple(facts)))


def _education(house: House, case: Case, heard: Heard) -> Done:
    """Note her diplomas, and state the fee: earlier degrees decide its basis (WHW 7.45a)."""
    answer = _said(heard, identity.EducationAnswered)
    kinds = tuple(diploma.kind for diploma in answer.diplomas)
    known = msgspec.structs.replace(case, answered=True, diplomas=kinds, degrees=answer.degrees)
    fact = _known(heard, "diplomas", ", ".join(kinds) or "none")
    return _onward(house, known, heard, state_fee(house, known, heard.cause, Done(case=known, sis=(fact,))))


def state_fee(house: House, case: Case, cause: str, done: Done) -> Done:
    """Add the statement of the fee to what is done, once; a person states it where nothing is laid down."""
    if case.fee:
        return done
    fee = rules.fee_for(house, case)
    if fee is None:
        text = "No fee is laid down for this study year or programme: state it."
        return done._replace(tasks=(*done.tasks, Task("state-fee", "payment", text)))
    charge = Charged(
        id=f"{cause}/fee", process=case.process, amount_cents=fee.amount, basis=fee.basis, studyyear=fee.studyyear
    )
    return done._replace(
        case=msgspec.structs.replace(done.case or case, fee=True),
        finance=(*done.finance, charge),
        says=(*done.says, Say(FEE_STATED, "learner", fee)),
    )


def _eduid(_house: House, case: Case, heard: Heard) -> Done:
    answer = _said(heard, identity.EduidLinked)
    known = msgspec.structs.replace(case, pseudonym=answer.pseudonym)
    return Done(case=known, sis=(_known(heard, "pseudonym", answer.pseudonym),))


def _residence(house: House, case: Case, heard: Heard) -> Done:
    """Note IND's word: lawful meets the gate; anything else leaves it to the institution (WHW 7.32(5))."""
    answer = _said(heard, identity.ResidenceAnswered)
    fact = (_known(heard, "residence", answer.result),)
    if answer.result != "lawful":
        return Done(case=case, sis=fact, tasks=(_judge("residence", f"IND answered {answer.result}"),))
    return _onward(house, with_gate(case, "residence", "met"), heard, Done(sis=fact))


def _diploma(_house: House, case: Case, heard: Heard) -> Done:
    """Note Nuffic's advice: it decides nothing (WHW 7.28)."""
    answer = _said(heard, identity.DiplomaAnswered)
    task = _judge("education", f"Nuffic advised {answer.result} {answer.equivalent}".rstrip())
    open_gate = case.gates.get("education") not in rules.HELD
    asked = with_gate(case, "education", "asked") if open_gate else case
    return Done(case=asked, sis=(_known(heard, "nuffic", answer.result),), tasks=(task,) if open_gate else ())


def _gate_asked(_house: House, case: Case, heard: Heard) -> Done:
    """Put a gate before a person: the platform has nobody else to ask."""
    asked = _said(heard, enrolment.GateAsked)
    if asked.gate == "decision":
        return Done(case=case, tasks=(Task("decide", "admission", "Decide on admission."),))
    if case.gates.get(asked.gate) in rules.HELD:
        return Done(case=case)
    return Done(case=with_gate(case, asked.gate, "asked"), tasks=(_judge(asked.gate, f"it is {asked.why}"),))


def _mandate(_house: House, case: Case, heard: Heard) -> Done:
    """Book a mandate. One that crossed the end of the request is not booked: the platform has it cancelled."""
    answer = _said(heard, payments.MandateConfirmed)
    if case.ended in {"refused", "withdrawn"}:
        return Done(case=case)
    booked = Mandated(
        id=heard.cause,
        process=case.process,
        result=answer.result,
        reference=answer.reference,
        amount_cents=answer.amount,
        parts=answer.parts,
    )
    return Done(case=msgspec.structs.replace(case, payment=answer.result), finance=(booked,))


def _ready(house: House, case: Case, heard: Heard) -> Done:
    """Enrol her: book it, and when she has a student number report it to DUO and send her the proof."""
    if case.confirmed:
        return Done(case=case)
    if not case.number:
        text = "Ask DUO for an onderwijsnummer (WHW 7.31e(3)), enter it, and confirm the enrolment."
        return Done(case=case, tasks=(Task("number", "enrolment", text),))
    enrolled = msgspec.structs.replace(case, confirmed=True, ended="enrolled")
    return Done(
        case=enrolled,
        sis=(Enrolled(id=f"{heard.cause}/enrolled", process=case.process),),
        closes=(("decide", "admission"),),
        then=lambda registration: confirmation(house, enrolled, registration),
    )


def confirmation(house: House, case: Case, registration: Registration) -> tuple[Say, ...]:
    """Return the register delivery to DUO and the proof of enrolment. Raises NotDecidable."""
    reported = rules.report(house, case, registration.student)
    if reported is None:
        raise NotDecidable("Without a BSN or onderwijsnummer nothing can be reported to the register (WHW 7.39).")
    proof = confirm(house, case, registration)
    return Say(REPORTED, "duo", reported), Say(CONFIRMED, "learner", proof)


def _withdrawn(_house: House, case: Case, heard: Heard) -> Done:
    stopped = Stopped(id=heard.cause, process=case.process, status="withdrawn")
    cancelled: tuple[Change, ...] = (Cancelled(id=heard.cause, process=case.process),)
    ended = msgspec.structs.replace(case, ended="withdrawn")
    return Done(case=ended, sis=(stopped,), finance=cancelled, closes=(("judge", "*"), ("decide", "*")))


def _deadline(_house: House, case: Case, heard: Heard) -> Done:
    passed = _said(heard, enrolment.DeadlinePassed)
    what = "decide" if passed.gate == "decision" else "judge"
    about = "admission" if passed.gate == "decision" else passed.gate
    return Done(case=case, tasks=(Task(what, about, f"The day for {about} has passed: decide.", passed.due),))


def _questioned(_house: House, case: Case, heard: Heard) -> Done:
    asked = _said(heard, enrolment.StatementQuestioned)
    return Done(case=case, tasks=(Task("questioned", asked.rule, asked.text),))


def _consent(_house: House, case: Case, heard: Heard) -> Done:
    given = _said(heard, enrolment.ConsentGiven)
    field = f"consent {given.scope}"
    return Done(
        case=case, sis=(_known(heard, field, f"{'given' if given.given else 'withdrawn'} until {given.until}"),)
    )


def _objection(_house: House, _case: Case | None, heard: Heard) -> Done:
    """Take an objection: it starts from the afschriften, weeks after the process was forgotten (WHW 7.59a)."""
    made = _said(heard, enrolment.ObjectionReceived)
    text = f"An objection came in with {len(made.afschriften)} afschriften; hand it to the facility of WHW 7.59a."
    until = date.fromisoformat(heard.envelope.enddate).isoformat()
    booked = Known(id=heard.cause, process=heard.envelope.process, field="objection", value=made.decision)
    return Done(sis=(booked,), tasks=(Task("objection", "decision", text, until),))


def _onward(house: House, case: Case, heard: Heard, done: Done) -> Done:
    """Admit by the rule where it may, after what was just learned; else let a person know once all is in."""
    return admit_or_wait(house, done.case or case, heard.cause, done)


def admit_or_wait(house: House, case: Case, cause: str, done: Done) -> Done:
    """Add the rule's admission to what is done when everything it asks holds; where it may not, ask a person then."""
    if not rules.may_admit(house, case):
        waits = (Task("decide", "admission", "Decide on admission."),) if rules.decidable(house, case) else ()
        return done._replace(case=case, tasks=(*done.tasks, *waits))
    decided = rules.admit(house)
    booked = Decided(
        id=f"{cause}/admission",
        process=case.process,
        what="admission",
        decision=decided.decision,
        ground="",
        role=decided.role,
    )
    return done._replace(
        case=msgspec.structs.replace(case, admission=decided.decision),
        sis=(*done.sis, booked),
        says=(*done.says, Say(ADMISSION, "learner", decided)),
        closes=(*done.closes, ("decide", "admission")),
    )


def with_gate(case: Case, gate: OpenGate, state: str) -> Case:
    """Return the case with one gate as the institution sees it now."""
    return msgspec.structs.replace(case, gates={**case.gates, gate: state})


def _known(heard: Heard, field: str, value: str) -> Known:
    return Known(id=f"{heard.cause}/{field}", process=heard.envelope.process, field=field, value=value)


_KIND: Final = "nl.wissel.{}.v1".format

ACTIONS: Final[Mapping[str, Action]] = {
    _KIND("enrolment.requested"): _requested,
    _KIND("identity.answered"): _in_case(_identity),
    _KIND("education.answered"): _in_case(_education),
    _KIND("eduid.linked"): _in_case(_eduid),
    _KIND("residence.answered"): _in_case(_residence),
    _KIND("diploma.answered"): _in_case(_diploma),
    _KIND("gate.asked"): _in_case(_gate_asked),
    _KIND("mandate.confirmed"): _in_case(_mandate),
    _KIND("enrolment.ready"): _in_case(_ready),
    _KIND("enrolment.withdrawn"): _in_case(_withdrawn),
    _KIND("deadline.passed"): _in_case(_deadline),
    _KIND("statement.questioned"): _in_case(_questioned),
    _KIND("consent.given"): _in_case(_consent),
    _KIND("objection.received"): _objection,
}

"""How each event moves the gates: pure, and never by a phase. A partner's answer may open a way, never close one.

What the institution decided stands until the institution says otherwise.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from wissel.core.academic import age_on, study_year
from wissel.core.moments import dutch_day, end_of, to_ms
from wissel.messages.enrolment import AdmissionDecided, ConsentGiven, EnrolmentRequested, GateDecided, GatesStated
from wissel.messages.fields import GateName
from wissel.messages.identity import EducationAnswered, IdentityAnswered, ResidenceAnswered
from wissel.messages.payments import FeeStated, MandateConfirmed
from wissel.messages.process import Event
from wissel.messages.programmes import InstitutionSettings
from wissel.platform.processes.enrolment import doubts, rules
from wissel.platform.processes.enrolment.words import GATES, OPTIONAL, Fee, Gate, GateState, State, gate_of, said

INSTITUTION: Final = "institution"
ADULT: Final = 18  # of whose written consent WHW 7.37(3) speaks


def begin(event: Event, card: InstitutionSettings) -> State:
    """Return the state of a request that has just come in. `card` is what the institution says of its programmes."""
    asked = said(event, EnrolmentRequested)
    programme = card.programme(asked.programme, asked.form)
    year = study_year(asked.studyyear)
    level = programme.level if programme else None
    today = dutch_day(event.at)
    due = rules.gate_due(year, date.fromisoformat(asked.start), today).isoformat()
    state = State(
        phase="collecting",
        status="REQREGISTRATION",
        institution=event.recipient,
        learner=event.source,
        studyyear=asked.studyyear,
        programme=asked.programme,
        form=asked.form,
        start=asked.start,
        level=level,
        admits=programme.admits if programme else (),
        late=rules.is_late(year, level, event.at),
        gates={name: Gate(due=due) for name in GATES},
        payment=asked.payment,
        payernamed=age_on(date.fromisoformat(asked.person.birthdate), date.fromisoformat(asked.start)) < ADULT,
    )
    never = [name for name, setting in (programme.gates if programme else {}).items() if setting == "never"]
    for name in never:
        state = _set(state, name, "notneeded", INSTITUTION, event.id)
    return _ask_register(state, event) if proven(event) else state


def proven(event: Event) -> bool:
    """Say whether the request has a national number, given at a log-in that proves it."""
    return bool(said(event, EnrolmentRequested).bsn) and event.acr in rules.PROVEN


def _ask_register(state: State, event: Event) -> State:
    due = rules.answer_due(study_year(state.studyyear), dutch_day(event.at)).isoformat()
    for name in ("identity", "education"):
        if not state.gates[name].holds:
            state = _with(state, name, Gate(state="asked", who="duo", due=due))
    return state


def apply(state: State, event: Event) -> State:
    """Return the state after what `event` says about gates, fee, proof and register. Phase and timers stay."""
    hear = _HEARD.get(event.name)
    if hear is not None:
        return hear(state, event)
    if event.name.startswith("deadline/"):
        return _deadline(state, event)
    return state


def all_hold(state: State) -> bool:
    """Say whether nothing is open any more."""
    return all(gate.holds for gate in state.gates.values())


def enrolled(state: State) -> bool:
    """Say whether both the proof of enrolment and the register delivery had their final outcome."""
    return state.confirmed == "done" and state.reported == "done"


def fixed(state: State) -> bool:
    """All gates held and the enrolment is confirmed: what comes now concerns an enrolment, not a request."""
    return state.phase == "ready" and state.confirmed != "no"


def excused(state: State) -> bool:
    """Say whether the institution took the payment gate away by a word of its own, not by stating a fee."""
    gate = state.gates["payment"]
    by_fee = state.fee is not None and gate.evidence == state.fee.statement
    return gate.holds and gate.who == INSTITUTION and not by_fee


def _with(state: State, name: GateName, gate: Gate) -> State:
    return msgspec.structs.replace(state, gates={**state.gates, name: gate})


def _set(state: State, name: GateName, to: GateState, who: str, evidence: str) -> State:
    return _with(state, name, Gate(state=to, who=who, evidence=evidence, due=state.gates[name].due))


def _leave(state: State, name: GateName, event: Event) -> State:
    """Leave an undecided gate to the institution, with a day of its own."""
    due = rules.again(study_year(state.studyyear), dutch_day(event.at)).isoformat()
    return _with(state, name, Gate(who=INSTITUTION, evidence=event.id, due=due))


def _answered(state: State, name: GateName, event: Event, *, holds: bool, who: str) -> State:
    if state.gates[name].decided:
        return state
    return _set(state, name, "met", who, event.id) if holds else _leave(state, name, event)


def _identity(state: State, event: Event) -> State:
    answer = said(event, IdentityAnswered)
    return _answered(state, "identity", event, holds=answer.result == "verified", who="duo")


def _education(state: State, event: Event) -> State:
    answer = said(event, EducationAnswered)
    holds = any(diploma.kind in state.admits for diploma in answer.diplomas)
    return _answered(state, "education", event, holds=holds, who="duo")


def _residence(state: State, event: Event) -> State:
    answer = said(event, ResidenceAnswered)
    return _answered(state, "residence", event, holds=answer.result == "lawful", who="ind")


def _valued(state: State, event: Event) -> State:
    """Take Nuffic's advice: it decides nothing, the gate is the institution's again."""
    return _answered(state, "education", event, holds=False, who="nuffic")


def _ask_elsewhere(name: GateName, who: str) -> "Hear":
    def hear(state: State, event: Event) -> State:
        gate = state.gates[name]
        if state.phase == "ready" or gate.state not in {"open", "asked", "notneeded"}:
            return state
        if gate.state == "notneeded" and name == "education":
            return state
        return _set(state, name, "asked", who, event.id)

    return hear


def _stated(state: State, event: Event) -> State:
    stated = said(event, GatesStated)
    if fixed(state):
        return state
    for each in stated.gates:
        gate = state.gates[each.gate]
        to: GateState = each.state if each.state != "needed" else _needed(gate)
        due = each.until or gate.due
        told = to != gate.state or not gate.evidence
        who, evidence = (INSTITUTION, event.id) if told else (gate.who, gate.evidence)
        if to == "asked":
            who, evidence = gate.who, gate.evidence
        state = _with(state, each.gate, Gate(state=to, who=who, evidence=evidence, due=due))
    named = {each.gate for each in stated.gates}
    for name in OPTIONAL:
        if name not in named and state.gates[name].state == "open":
            state = _set(state, name, "notneeded", INSTITUTION, event.id)
    return state


def _needed(gate: Gate) -> GateState:
    return "open" if gate.state == "notneeded" else gate.state


def _decided(state: State, event: Event) -> State:
    decided = said(event, GateDecided)
    if fixed(state):
        return state
    return _set(state, decided.gate, decided.decision, INSTITUTION, event.id)


def _admission(state: State, event: Event) -> State:
    decided = said(event, AdmissionDecided)
    if fixed(state):
        return state
    if decided.decision == "refused":
        return _set(state, "decision", "notmet", INSTITUTION, event.id)
    for name in decided.conditions:
        state = _with(state, name, _condition(state.gates[name]))
    return _set(state, "decision", "met", INSTITUTION, event.id)


def _condition(gate: Gate) -> Gate:
    """Open a gate that was thought not to be needed: it is a condition of her admission now."""
    return Gate(who=INSTITUTION, due=gate.due) if gate.state == "notneeded" else gate


def _fee(state: State, event: Event) -> State:
    stated = said(event, FeeStated)
    if fixed(state) or excused(state) or doubts.fee_doubt(state, stated) is not None:
        return state
    costs = stated.costs if state.payment.way == "instalments" else 0
    fee = Fee(statement=event.id, amount=stated.amount + costs)
    state = msgspec.structs.replace(state, fee=fee, mandate="")
    if fee.amount == 0:
        return _set(state, "payment", "notneeded", INSTITUTION, event.id)
    return _ask_mandate(_set(state, "payment", "open", INSTITUTION, event.id), event)


def _ask_mandate(state: State, event: Event) -> State:
    """Ask for the mandate, unless a third party pays whom she has not named yet (WHW 7.37(3))."""
    if state.payment.payer == "third" and not state.payernamed:
        return state
    remind = rules.remind_due(study_year(state.studyyear), dutch_day(event.at)).isoformat()
    return msgspec.structs.replace(_set(state, "payment", "asked", "psp", event.id), remind=remind, mandate=event.id)


def _consent(state: State, event: Event) -> State:
    consent = said(event, ConsentGiven)
    if consent.scope != "payer" or state.payment.payer != "third":
        return state
    given = consent.given and date.fromisoformat(consent.until) >= dutch_day(event.at)
    state = msgspec.structs.replace(state, payernamed=given)
    if not given and state.mandate and not fixed(state):
        state = msgspec.structs.replace(state, mandate="")
        return _leave(state, "payment", event) if state.gates["payment"].who == "psp" else state
    waiting = state.fee is not None and state.gates["payment"].state == "open"
    return _ask_mandate(state, event) if given and waiting else state


def _mandate(state: State, event: Event) -> State:
    answer = said(event, MandateConfirmed)
    if state.fee is None or answer.statement != state.fee.statement:
        return state
    if answer.result != "confirmed":
        state = msgspec.structs.replace(state, mandate="")
    return _answered(state, "payment", event, holds=answer.result == "confirmed", who="psp")


def _proof(state: State, _event: Event) -> State:
    return msgspec.structs.replace(state, confirmed="sent") if state.confirmed == "no" else state


def _report(state: State, _event: Event) -> State:
    return msgspec.structs.replace(state, reported="sent") if state.reported == "no" else state


def _proof_done(state: State, _event: Event) -> State:
    return msgspec.structs.replace(state, confirmed="done")


def _report_done(state: State, _event: Event) -> State:
    return msgspec.structs.replace(state, reported="done")


def _report_again(state: State, _event: Event) -> State:
    return msgspec.structs.replace(state, reported="no") if state.reported == "sent" else state


def _unanswered(name: GateName) -> "Hear":
    def hear(state: State, event: Event) -> State:
        return _leave(state, name, event) if state.gates[name].state == "asked" else state

    return hear


def _deadline(state: State, event: Event) -> State:
    due = rules.again(study_year(state.studyyear), dutch_day(event.at)).isoformat()
    if event.name == "deadline/enrolment":
        return msgspec.structs.replace(state, overdue=due if state.phase == "ready" else "")
    name = gate_of(event.name)
    gate = state.gates[name]
    return state if gate.holds else _with(state, name, msgspec.structs.replace(gate, due=due))


def _remind(state: State, event: Event) -> State:
    if state.gates["payment"].state != "asked":
        return msgspec.structs.replace(state, remind="")
    return msgspec.structs.replace(
        state, remind=rules.remind_due(study_year(state.studyyear), dutch_day(event.at)).isoformat()
    )


Hear = Callable[[State, Event], State]

_KIND: Final = "nl.wissel.{}.v1".format
_HEARD: Final[Mapping[str, Hear]] = {
    _KIND("identity.answered"): _identity,
    _KIND("education.answered"): _education,
    _KIND("residence.asked"): _ask_elsewhere("residence", "ind"),
    _KIND("residence.answered"): _residence,
    _KIND("diploma.asked"): _ask_elsewhere("education", "nuffic"),
    _KIND("diploma.answered"): _valued,
    _KIND("gates.stated"): _stated,
    _KIND("gate.decided"): _decided,
    _KIND("fee.stated"): _fee,
    _KIND("consent.given"): _consent,
    _KIND("mandate.confirmed"): _mandate,
    _KIND("admission.decided"): _admission,
    _KIND("enrolment.confirmed"): _proof,
    _KIND("enrolment.reported"): _report,
    **{_KIND("enrolment.confirmed") + f"/{end}": _proof_done for end in ("accepted", "rejected", "undelivered")},
    _KIND("enrolment.reported") + "/accepted": _report_done,
    **{_KIND("enrolment.reported") + f"/{end}": _report_again for end in ("rejected", "undelivered")},
    **{_KIND("identity.asked") + f"/{end}": _unanswered("identity") for end in ("rejected", "undelivered")},
    **{_KIND("education.asked") + f"/{end}": _unanswered("education") for end in ("rejected", "undelivered")},
    **{_KIND("mandate.asked") + f"/{end}": _unanswered("payment") for end in ("rejected", "undelivered")},
    "reminder/payment": _remind,
}


def wanted(state: State) -> dict[str, int]:
    """Return the timers that this state wants: name -> milliseconds. A timer goes off when its day has passed."""
    days: dict[str, str] = {"yearend": study_year(state.studyyear).last.isoformat()}
    for name, gate in state.gates.items():
        if not gate.holds:
            days[f"deadline/{name}"] = gate.due
    if state.gates["payment"].state == "asked":
        days["reminder/payment"] = state.remind
    if state.phase == "ready" and state.overdue:
        days["deadline/enrolment"] = state.overdue
    return {name: to_ms(end_of(date.fromisoformat(day))) for name, day in days.items() if day}


def settings_of(settings: Mapping[str, Any]) -> InstitutionSettings:
    """Read the institution's own settings. Raises msgspec.ValidationError."""
    return msgspec.convert(settings.get("institution", {}), InstitutionSettings)

"""The judgements of one enrolment, top to bottom: what happened becomes one label of a closed set.

Labels name gates, never reasons: why a gate was waived or a request refused may betray what is special.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from wissel.messages.catalogue import CATALOGUE
from wissel.messages.enrolment import AdmissionDecided, GateDecided
from wissel.messages.fields import GateName
from wissel.messages.payments import FeeStated, MandateConfirmed
from wissel.messages.process import Event
from wissel.platform.processes.enrolment import doubts, gates
from wissel.platform.processes.enrolment.words import FINAL, State, gate_of, said

Judge = Callable[[State, State, Event], str]

LATE: Final = "late"
STRANGER: Final = "not a party"
NOTED: Final = "noted"
SETTLED: Final = "settled"
AFTER: Final = "after confirmation"


def judge_start(state: State, event: Event) -> str:
    """Say of a new request: in time or not (WHW 7.31a), and whether DUO can be asked (RATHO 4.1)."""
    number = "number" if gates.proven(event) else "no number"
    return f"{'late' if state.late else 'in time'}, {number}"


def judge(before: State, after: State, event: Event, settings: Mapping[str, Any]) -> str:
    """Say what `event` means: `before` is the state it met, `after` the gates as it left them."""
    if before.phase in FINAL:
        return LATE
    if event.kind == "message" and not is_party(before, event, settings):
        return STRANGER
    if event.name.startswith("deadline/"):
        return _deadline(before, after, event)
    return _JUDGES.get(event.name, _noted)(before, after, event)


def is_party(state: State, event: Event, settings: Mapping[str, Any]) -> bool:
    """Say whether this sender and receiver are the ones of this process: nobody else decides in it."""
    row = CATALOGUE[event.name]
    parties = {**settings.get("parties", {}), "institution": state.institution, "learner": state.learner}
    return event.source in {parties.get(role) for role in row.senders} and event.recipient == parties.get(row.recipient)


def _tail(before: State, after: State) -> str:
    """Say what the change makes of the whole: all gates hold now, or no longer."""
    if before.phase == "ready":
        return "" if gates.all_hold(after) else ", open again"
    if not gates.all_hold(after):
        return ""
    return ", all hold, enrolled" if gates.enrolled(after) else ", all hold"


def _noted(_before: State, _after: State, _event: Event) -> str:
    return NOTED


def _answer(name: GateName) -> Judge:
    def judge_answer(before: State, after: State, _event: Event) -> str:
        if before.gates[name].decided:
            return SETTLED
        if after.gates[name].holds:
            return f"{name}: holds{_tail(before, after)}"
        return f"{name}: left"

    return judge_answer


def _asked(name: GateName) -> Judge:
    def judge_asked(before: State, after: State, _event: Event) -> str:
        return SETTLED if after.gates[name] == before.gates[name] else f"{name}: asked"

    return judge_asked


def _unanswered(name: GateName) -> Judge:
    def judge_unanswered(before: State, _after: State, _event: Event) -> str:
        return f"{name}: left" if before.gates[name].state == "asked" else SETTLED

    return judge_unanswered


def _stated(before: State, after: State, _event: Event) -> str:
    return AFTER if gates.fixed(before) else f"stated{_tail(before, after)}"


def _decided(before: State, after: State, event: Event) -> str:
    decided = said(event, GateDecided)
    if gates.fixed(before):
        return AFTER
    if decided.decision == "notmet":
        return f"{decided.gate}: fails"
    return f"{decided.gate}: holds{_tail(before, after)}"


def _admission(before: State, after: State, event: Event) -> str:
    decided = said(event, AdmissionDecided)
    if gates.fixed(before):
        return AFTER
    if decided.decision == "refused":
        return "refused" if doubts.refusal_doubt(before, event) is None else "refused, questioned"
    return f"{decided.decision}{_tail(before, after)}"


def _fee(before: State, after: State, event: Event) -> str:
    if gates.fixed(before):
        return AFTER
    if gates.excused(before):
        return SETTLED
    if doubts.fee_doubt(before, said(event, FeeStated)) is not None:
        return "payment: questioned"
    if after.gates["payment"].holds:
        return f"payment: holds{_tail(before, after)}"
    return "payment: asked" if after.gates["payment"].state == "asked" else "payment: consent awaited"


def _consent(before: State, after: State, _event: Event) -> str:
    if before.mandate and not after.mandate:
        by_psp = before.gates["payment"].who == "psp"
        return "payment: consent withdrawn" if by_psp else "payment: not by this payer"
    became_asked = before.gates["payment"].state != "asked" and after.gates["payment"].state == "asked"
    return "payment: asked" if became_asked else NOTED


def _mandate(before: State, after: State, event: Event) -> str:
    if before.fee is None or said(event, MandateConfirmed).statement != before.fee.statement:
        return "stale"
    return _answer("payment")(before, after, event)


def _proof(before: State, _after: State, _event: Event) -> str:
    return "in turn" if before.phase == "ready" else "ahead of gates"


def _ended(before: State, after: State, _event: Event) -> str:
    both = gates.enrolled(after) and before.phase == "ready"
    return "both" if both else "one"


def _again(before: State, _after: State, _event: Event) -> str:
    return "again" if before.reported == "sent" else NOTED


def _withdrawn(before: State, _after: State, _event: Event) -> str:
    return "withdrawn" if before.confirmed == "no" else AFTER


def _not_received(_before: State, _after: State, _event: Event) -> str:
    return "not received"


def _deadline(before: State, _after: State, event: Event) -> str:
    if event.name == "deadline/enrolment":
        return "open" if before.phase == "ready" else SETTLED
    return SETTLED if before.gates[gate_of(event.name)].holds else "open"


def _reminder(before: State, _after: State, _event: Event) -> str:
    return "open" if before.gates["payment"].state == "asked" else SETTLED


def _year_over(before: State, _after: State, _event: Event) -> str:
    return "over, enrolled" if gates.fixed(before) else "over"


_KIND: Final = "nl.wissel.{}.v1".format
_LOST: Final = ("rejected", "undelivered")

_JUDGES: Final[Mapping[str, Judge]] = {
    _KIND("identity.answered"): _answer("identity"),
    _KIND("education.answered"): _answer("education"),
    _KIND("residence.asked"): _asked("residence"),
    _KIND("residence.answered"): _answer("residence"),
    _KIND("diploma.asked"): _asked("education"),
    _KIND("diploma.answered"): _answer("education"),
    _KIND("gates.stated"): _stated,
    _KIND("gate.decided"): _decided,
    _KIND("fee.stated"): _fee,
    _KIND("consent.given"): _consent,
    _KIND("mandate.confirmed"): _mandate,
    _KIND("admission.decided"): _admission,
    _KIND("enrolment.confirmed"): _proof,
    _KIND("enrolment.reported"): _proof,
    _KIND("enrolment.withdrawn"): _withdrawn,
    **{_KIND("enrolment.confirmed") + f"/{end}": _ended for end in ("accepted", *_LOST)},
    _KIND("enrolment.reported") + "/accepted": _ended,
    **{_KIND("enrolment.reported") + f"/{end}": _again for end in _LOST},
    **{_KIND("identity.asked") + f"/{end}": _unanswered("identity") for end in _LOST},
    **{_KIND("education.asked") + f"/{end}": _unanswered("education") for end in _LOST},
    **{_KIND("mandate.asked") + f"/{end}": _unanswered("payment") for end in _LOST},
    **{_KIND("enrolment.requested") + f"/{end}": _not_received for end in _LOST},
    "reminder/payment": _reminder,
    "yearend": _year_over,
}

"""What the names of effects in the table stand for: values for the engine, nothing done here."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from wissel.core.academic import study_year
from wissel.core.fees import Doubt
from wissel.core.moments import dutch_day, from_ms
from wissel.messages.catalogue import CATALOGUE, longest
from wissel.messages.enrolment import (
    DeadlinePassed,
    EnrolmentReady,
    EnrolmentRequested,
    GateAsked,
    HeldGate,
    ReminderSent,
    StatementQuestioned,
)
from wissel.messages.fields import Payload
from wissel.messages.files import SCAN_KEPT, named_in
from wissel.messages.identity import EducationAsked, EduidAsked, IdentityAsked
from wissel.messages.payments import FeeStated, MandateAsked, MandateCancelled
from wissel.messages.process import Effect, EndScans, Event, Finish, Pass, Send, Status, Unwake, Wake
from wissel.platform.processes.enrolment import doubts, gates, rules
from wissel.platform.processes.enrolment.words import State, gate_of, said
from wissel.platform.processes.errors import ProcessError


class Scene(NamedTuple):
    """All that an effect may look at: the state before and after, the event, and the settings handed in."""

    before: State
    after: State
    event: Event
    settings: Mapping[str, Any]


Build = Callable[[Scene, str], list[Effect]]


def build(names: tuple[str, ...], scene: Scene) -> tuple[Effect, ...]:
    """Build the effects of a row in their order. A name is a verb, perhaps followed by what it acts on."""
    made: list[Effect] = []
    for name in names:
        verb, _, rest = name.partition(" ")
        made += _VERBS[verb](scene, rest)
    return tuple(made)


def timers(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[Effect, ...]:
    """Return what turns the timers that are set into those that are wanted."""
    gone = [Unwake(name) for name in before if name not in after]
    new = [Wake(name, from_ms(due)) for name, due in after.items() if before.get(name) != due]
    return (*gone, *new)


def scans(scene: Scene) -> tuple[Effect, ...]:
    """End scans of her identity document a day after her identity holds; also one that is sent later."""
    was, holds = scene.before.gates["identity"].holds, scene.after.gates["identity"].holds
    sent = any(each.ref.special for each in named_in(scene.event.data))
    return (EndScans(scene.event.at + SCAN_KEPT),) if holds and (sent or not was) else ()


def _party(scene: Scene, role: str) -> str:
    urn = scene.settings.get("parties", {}).get(role)
    if not urn:
        raise ProcessError(f"No participant has the role {role!r}; register one, then retry the process.")
    return str(urn)


def _send(scene: Scene, kind: str, recipient: str, data: Payload, *, first: bool = False) -> list[Effect]:
    """Say something with the longest end date, but never longer than this request's own study year asks."""
    row = CATALOGUE[f"nl.wissel.{kind}.v1"]
    sent = dutch_day(scene.event.at)
    enddate = longest(row, sent, scene.after.studyyear)
    return [Send(type=row.type, recipient=recipient, data=data, enddate=enddate, first=first)]


def _pass(_scene: Scene, _rest: str) -> list[Effect]:
    return [Pass()]


def _status(scene: Scene, code: str) -> list[Effect]:
    state = scene.after
    dimensions = {
        "institution": state.institution,
        "programme": state.programme,
        "form": state.form,
        "level": state.level or "",
        "studyyear": state.studyyear,
        "intake": state.start,
    }
    old = "" if scene.before.phase == "new" else scene.before.status
    return [Status(old=old, new=code, dimensions=dimensions)]


def _finish(_scene: Scene, code: str) -> list[Effect]:
    return [Finish(outcome=code)]


def _ask(scene: Scene, what: str) -> list[Effect]:
    return _ASKS[what](scene)


def _ask_identity(scene: Scene) -> list[Effect]:
    asked = said(scene.event, EnrolmentRequested)
    person = asked.person
    data = IdentityAsked(
        bsn=asked.bsn,
        givennames=person.givennames,
        surname=person.surname,
        prefix=person.prefix,
        birthdate=person.birthdate,
    )
    return _send(scene, "identity.asked", _party(scene, "duo"), data)


def _ask_education(scene: Scene) -> list[Effect]:
    asked = said(scene.event, EnrolmentRequested)
    data = EducationAsked(bsn=asked.bsn, birthdate=asked.person.birthdate)
    return _send(scene, "education.asked", _party(scene, "duo"), data)


def _ask_eduid(scene: Scene) -> list[Effect]:
    """Ask for her student identity here. Not where no provider takes part or the institution has no BRIN."""
    brin = gates.settings_of(scene.settings).brin
    if not brin or not scene.settings.get("parties", {}).get("eduid"):
        return []
    person = said(scene.event, EnrolmentRequested).person
    data = EduidAsked(
        email=person.email,
        chosenname=person.called or person.givennames,
        firstname=person.givennames,
        prefix=person.prefix,
        lastname=person.surname,
        birthdate=person.birthdate,
        verification="Geverifieerd" if gates.proven(scene.event) else "Ongeverifieerd",
        brin=brin,
    )
    return _send(scene, "eduid.asked", _party(scene, "eduid"), data)


def _ask_mandate(scene: Scene) -> list[Effect]:
    state = scene.after
    if state.fee is None:
        raise ProcessError("A mandate is asked only for a fee that was stated.")
    year = study_year(state.studyyear)
    parts = rules.rule("instalments", year).value if state.payment.way == "instalments" else 1
    data = MandateAsked(
        order=state.mandate,
        statement=state.fee.statement,
        creditor=state.institution,
        studyyear=state.studyyear,
        amount=state.fee.amount,
        parts=parts,
        iban=state.payment.iban,
        holder=state.payment.holder,
        payer=state.payment.payer,
        due=state.gates["payment"].due,
    )
    return _send(scene, "mandate.asked", _party(scene, "psp"), data)


def _cancel(scene: Scene, _what: str) -> list[Effect]:
    """Cancel the mandate that stood before this event, if one did; the PSP hears it before anything that waits."""
    if not scene.before.mandate:
        return []
    data = MandateCancelled(order=scene.before.mandate)
    return _send(scene, "mandate.cancelled", _party(scene, "psp"), data, first=True)


def _put(scene: Scene, what: str) -> list[Effect]:
    """Put a gate before the institution: "<gate>: <why>", or "<gate>" with the why from the answer itself."""
    gate, _, why = what.partition(": ")
    found = why or {"differs": "differs"}.get(getattr(scene.event.data, "result", ""), "unknown")
    data = msgspec.convert({"gate": gate, "why": found}, GateAsked)
    return _send(scene, "gate.asked", scene.after.institution, data)


def _say(scene: Scene, what: str) -> list[Effect]:
    return _say_ready(scene) if what == "ready" else _say_deadline(scene)


def _say_ready(scene: Scene) -> list[Effect]:
    state = scene.after
    held = [
        {"gate": name, "state": gate.state, "who": gate.who, "evidence": gate.evidence}
        for name, gate in state.gates.items()
    ]
    data = EnrolmentReady(
        studyyear=state.studyyear,
        programme=state.programme,
        form=state.form,
        start=state.start,
        gates=msgspec.convert(held, tuple[HeldGate, ...]),
    )
    return _send(scene, "enrolment.ready", state.institution, data)


def _say_deadline(scene: Scene) -> list[Effect]:
    if scene.event.name == "deadline/enrolment":
        data = DeadlinePassed(gate="enrolment", due=scene.before.overdue)
    else:
        gate = gate_of(scene.event.name)
        data = DeadlinePassed(gate=gate, due=scene.before.gates[gate].due)
    return _send(scene, "deadline.passed", scene.after.institution, data)


def _remind(scene: Scene, _rest: str) -> list[Effect]:
    data = ReminderSent(gate="payment", due=scene.after.gates["payment"].due)
    return _send(scene, "reminder.sent", scene.after.learner, data)


def _question(scene: Scene, what: str) -> list[Effect]:
    found = _doubt(scene, what)
    if found is None:
        raise ProcessError("Only a statement that raises a doubt is questioned.")
    data = StatementQuestioned(statement=scene.event.id, rule=found.rule, text=found.sentence)
    return _send(scene, "statement.questioned", scene.after.institution, data)


def _doubt(scene: Scene, what: str) -> Doubt | None:
    if what == "fee":
        return doubts.fee_doubt(scene.before, said(scene.event, FeeStated))
    return doubts.refusal_doubt(scene.before, scene.event) if what == "refusal" else doubts.AHEAD


_ASKS: Final[Mapping[str, Callable[[Scene], list[Effect]]]] = {
    "identity": _ask_identity,
    "education": _ask_education,
    "eduid": _ask_eduid,
    "mandate": _ask_mandate,
}
_VERBS: Final[Mapping[str, Build]] = {
    "pass": _pass,
    "status": _status,
    "finish": _finish,
    "ask": _ask,
    "cancel": _cancel,
    "put": _put,
    "say": _say,
    "remind": _remind,
    "question": _question,
}

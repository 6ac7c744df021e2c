"""The table of enrolment: (phase, event, label) -> (phase, effects). Data: phases change nowhere else.

The quality inspector replays it from leaves alone; diagram and BPMN are drawn from it, with labels as guards.
Effects are named here and built in `effects`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, get_args

from wissel.messages.catalogue import CATALOGUE
from wissel.messages.fields import GateName, OpenGate
from wissel.platform.processes.enrolment import story
from wissel.platform.processes.enrolment.words import FINAL, GATES, RUNNING, Phase

STARTS: Final = "nl.wissel.enrolment.requested.v1"
OUTCOMES: Final = ("accepted", "rejected", "undelivered")
LOST: Final = ("rejected", "undelivered")


class Row(NamedTuple):
    """One line: in `phase`, when `event` means `label`, go to `to` and do `effects` in this order."""

    phase: Phase
    event: str
    label: str
    to: Phase
    effects: tuple[str, ...] = ()


_KIND: Final = "nl.wissel.{}.v1".format
_OPEN: Final[tuple[Phase, ...]] = ("collecting", "admitted")
_DECIDABLE: Final[tuple[GateName, ...]] = get_args(OpenGate)
_PASS: Final = ("pass",)
_READY: Final = ("pass", "say ready")
_ASK: Final = ("pass", "cancel mandate", "ask mandate")  # another fee: what was asked for the one before stands no more
_REJECTED: Final = ("cancel mandate", "status REJECTED", "finish REJECTED")
_WITHDRAWN: Final = ("pass", "cancel mandate", "status WITHDRAWN", "finish WITHDRAWN")
_CANCELLED: Final = ("cancel mandate", "status CANCELLED", "finish CANCELLED")
_ENROLLED: Final = ("pass", "status REGISTERED", "finish REGISTERED")

MESSAGES: Final = tuple(
    row.type for row in CATALOGUE.values() if row.process == "enrolment" and "platform" not in row.senders
)
TIMERS: Final = (
    *(f"deadline/{name}" for name in GATES),
    "deadline/enrolment",
    "reminder/payment",
    "yearend",
)
ENDS: Final = tuple(f"{row.type}/{end}" for row in CATALOGUE.values() if row.process == "enrolment" for end in OUTCOMES)
EVENTS: Final = (*MESSAGES, *TIMERS, *ENDS)


def _start() -> Iterable[Row]:
    first = ("pass", "status REQREGISTRATION")
    asks = ("ask identity", "ask education", "ask eduid")
    leaves = ("put identity: unproven", "put education: unproven", "ask eduid")
    for time in ("in time", "late"):
        yield Row("new", STARTS, f"{time}, number", "collecting", (*first, *asks))
        yield Row("new", STARTS, f"{time}, no number", "collecting", (*first, *leaves))


def _holds(event: str, label: str, *more: str) -> Iterable[Row]:
    """Give what makes a gate hold: it may be the last one, and then she may have been enrolled already."""
    yield Row("collecting", event, label, "collecting", (*_PASS, *more))
    yield Row("admitted", event, label, "admitted", (*_PASS, *more))
    yield Row("admitted", event, f"{label}, all hold", "ready", (*_PASS, *more, *_READY[1:]))
    yield Row("admitted", event, f"{label}, all hold, enrolled", "registered", (*_PASS, *more, *_ENROLLED[1:]))


def _stay(phases: Sequence[Phase], event: str, label: str, *effects: str) -> Iterable[Row]:
    for phase in phases:
        yield Row(phase, event, label, phase, effects)


def _answers() -> Iterable[Row]:
    for kind, gate in (("identity", "identity"), ("education", "education"), ("residence", "residence")):
        event = _KIND(f"{kind}.answered")
        yield from _holds(event, f"{gate}: holds")
        yield from _stay(_OPEN, event, f"{gate}: left", "pass", f"put {gate}")
        yield from _stay(RUNNING, event, story.SETTLED, "pass")
    for kind, gate in (("residence", "residence"), ("diploma", "education")):
        yield from _stay(_OPEN, _KIND(f"{kind}.asked"), f"{gate}: asked", "pass")
        yield from _stay(RUNNING, _KIND(f"{kind}.asked"), story.SETTLED, "pass")
    yield from _stay(_OPEN, _KIND("diploma.answered"), "education: left", "pass", "put education")
    yield from _stay(RUNNING, _KIND("diploma.answered"), story.SETTLED, "pass")
    yield from _stay(RUNNING, _KIND("eduid.linked"), story.NOTED, "pass")


def _institution() -> Iterable[Row]:
    """Give what the institution says of gates and admission. It may reopen what held, until it has enrolled her."""
    stated, decided, admission = _KIND("gates.stated"), _KIND("gate.decided"), _KIND("admission.decided")
    yield from _holds(stated, "stated")
    yield Row("ready", stated, "stated", "ready", _PASS)
    yield Row("ready", stated, "stated, open again", "admitted", _PASS)
    for gate in _DECIDABLE:
        yield from _holds(decided, f"{gate}: holds")
        yield Row("ready", decided, f"{gate}: holds", "ready", _PASS)
        yield from _stay(_OPEN, decided, f"{gate}: fails", "pass")
        yield Row("ready", decided, f"{gate}: fails", "admitted", _PASS)
    for yes in ("admitted", "conditional"):
        yield Row("collecting", admission, yes, "admitted", _PASS)
        yield Row("collecting", admission, f"{yes}, all hold", "ready", _READY)
        yield Row("collecting", admission, f"{yes}, all hold, enrolled", "registered", _ENROLLED)
        yield from _stay(("admitted", "ready"), admission, yes, "pass")
    yield Row("ready", admission, "conditional, open again", "admitted", _PASS)
    for phase in RUNNING:
        yield Row(phase, admission, "refused", "refused", ("pass", *_REJECTED))
        yield Row(phase, admission, "refused, questioned", "refused", ("pass", "question refusal", *_REJECTED))
    for event in (stated, decided, admission):
        yield Row("ready", event, story.AFTER, "ready", _PASS)


def _payment() -> Iterable[Row]:
    fee, mandate, consent = _KIND("fee.stated"), _KIND("mandate.confirmed"), _KIND("consent.given")
    unnamed = ("pass", "cancel mandate", "remind", "put payment: noconsent")
    yield from _stay(_OPEN, fee, "payment: asked", *_ASK)
    yield Row("ready", fee, "payment: asked", "admitted", _ASK)
    yield from _stay(_OPEN, fee, "payment: consent awaited", *unnamed)
    yield Row("ready", fee, "payment: consent awaited", "admitted", unnamed)
    yield from _stay(RUNNING, fee, "payment: questioned", "pass", "question fee")
    yield from _holds(fee, "payment: holds", "cancel mandate")
    yield Row("ready", fee, "payment: holds", "ready", ("pass", "cancel mandate"))
    yield from _stay(RUNNING, fee, story.SETTLED, "pass")
    yield Row("ready", fee, story.AFTER, "ready", _PASS)
    yield from _holds(mandate, "payment: holds")
    yield from _stay(_OPEN, mandate, "payment: left", "pass", "put payment: declined")
    yield from _stay(RUNNING, mandate, story.SETTLED, "pass")
    yield from _stay(RUNNING, mandate, "stale", "pass")
    yield from _stay(_OPEN, consent, "payment: asked", "pass", "ask mandate")
    unpaid = ("pass", "cancel mandate", "put payment: noconsent")
    yield from _stay(_OPEN, consent, "payment: consent withdrawn", *unpaid)
    yield Row("ready", consent, "payment: consent withdrawn", "admitted", unpaid)
    yield from _stay(RUNNING, consent, "payment: not by this payer", "pass", "cancel mandate")
    yield from _stay(RUNNING, consent, story.NOTED, "pass")


def _closing() -> Iterable[Row]:
    """Give the proof of enrolment, the register delivery, and what ends the request otherwise."""
    proof, report = _KIND("enrolment.confirmed"), _KIND("enrolment.reported")
    for event in (proof, report):
        yield from _stay(_OPEN, event, "ahead of gates", "pass", "question order")
        yield Row("ready", event, "in turn", "ready", _PASS)
    for event in (*(f"{proof}/{end}" for end in OUTCOMES), f"{report}/accepted"):
        yield from _stay(RUNNING, event, "one")
        yield Row("ready", event, "both", "registered", _ENROLLED[1:])
    for end in LOST:
        yield from _stay(RUNNING, f"{report}/{end}", "again")
        yield from _stay(RUNNING, f"{report}/{end}", story.NOTED)
        for phase in RUNNING:
            yield Row(phase, f"{STARTS}/{end}", "not received", "closed", _CANCELLED)
    withdrawn = _KIND("enrolment.withdrawn")
    for phase in RUNNING:
        yield Row(phase, withdrawn, "withdrawn", "withdrawn", _WITHDRAWN)
        yield Row(phase, withdrawn, story.AFTER, phase, _PASS)
        yield Row(phase, STARTS, story.NOTED, phase, _PASS)


def _lost_questions() -> Iterable[Row]:
    for kind, gate in (("identity", "identity"), ("education", "education"), ("mandate", "payment")):
        for end in LOST:
            event = _KIND(f"{kind}.asked") + f"/{end}"
            yield from _stay(_OPEN, event, f"{gate}: left", f"put {gate}: noanswer")
            yield from _stay(RUNNING, event, story.SETTLED)


def _timers() -> Iterable[Row]:
    for name in GATES:
        event = f"deadline/{name}"
        yield from _stay(_OPEN if name != "decision" else ("collecting",), event, "open", "say deadline")
        yield from _stay(RUNNING if name != "decision" else ("admitted", "ready"), event, story.SETTLED)
    yield Row("ready", "deadline/enrolment", "open", "ready", ("say deadline",))
    yield from _stay(_OPEN, "deadline/enrolment", story.SETTLED)
    yield from _stay(_OPEN, "reminder/payment", "open", "remind")
    yield from _stay(RUNNING, "reminder/payment", story.SETTLED)
    for phase in RUNNING:
        yield Row(phase, "yearend", "over", "closed", _CANCELLED)
    yield Row("ready", "yearend", "over, enrolled", "registered", _ENROLLED[1:])


def _strangers() -> Iterable[Row]:
    """Give what nobody of this process said: it is not passed on."""
    for event in MESSAGES:
        yield from _stay(RUNNING, event, story.STRANGER)


def _late() -> Iterable[Row]:
    for event in EVENTS:
        yield from _stay(FINAL, event, story.LATE, *(_PASS if event in MESSAGES else ()))


def _noted(rows: Sequence[Row]) -> Iterable[Row]:
    """Give the events that change nothing in a running phase: they are noted, so that none is ever unknown."""
    known = {(row.phase, row.event) for row in rows}
    for event in (*TIMERS, *ENDS):
        for phase in RUNNING:
            if (phase, event) not in known:
                yield Row(phase, event, story.NOTED, phase)


def _build() -> tuple[Row, ...]:
    rows = [
        *_start(),
        *_answers(),
        *_institution(),
        *_payment(),
        *_closing(),
        *_lost_questions(),
        *_timers(),
        *_strangers(),
        *_late(),
    ]
    return (*rows, *_noted(rows))


ROWS: Final[tuple[Row, ...]] = _build()
TABLE: Final[Mapping[tuple[str, str, str], Row]] = {(row.phase, row.event, row.label): row for row in ROWS}
if len(TABLE) != len(ROWS):  # a table with two answers to one question is no table
    raise ValueError("two rows of the enrolment table have the same phase, event and label")

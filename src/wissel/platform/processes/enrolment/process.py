"""Enrolment as the engine knows it: one event in, one decision out, pure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from wissel.core.academic import study_year
from wissel.core.moments import dutch_day
from wissel.messages.process import Decision, Event
from wissel.platform.processes.enrolment import effects, gates, rules, story
from wissel.platform.processes.enrolment.table import EVENTS, STARTS, TABLE, Row
from wissel.platform.processes.enrolment.words import FINAL, Phase, State
from wissel.platform.processes.errors import ProcessError


class Enrolment:
    """The story of one request for enrolment (verzoek tot inschrijving), from request to proof of enrolment."""

    name: Final = "enrolment"
    version: Final = "1"
    starts: Final = STARTS

    def decide(self, process: str, state: bytes | None, event: Event, settings: Mapping[str, Any]) -> Decision:
        """Run one transition.

        `settings`: {"institution": what its card says of itself, "parties": {role: urn}}. Raises ProcessError when the
        first event is not a request, when the event's name is unknown, or when a partner that must be asked is absent.
        """
        if event.name not in EVENTS:
            raise ProcessError(f"Enrolment {process} does not know the event {event.name!r}.")
        if state is None:
            return _start(process, event, settings)
        before = msgspec.json.decode(state, type=State)
        after = before if before.phase in FINAL else _heard(before, event, settings)
        label = story.judge(before, after, event, settings)
        return _take(_row(before.phase, event.name, label), effects.Scene(before, after, event, settings))


def _start(process: str, event: Event, settings: Mapping[str, Any]) -> Decision:
    if event.name != STARTS:
        raise ProcessError(f"Enrolment {process} can only begin with {STARTS}, not with {event.name}.")
    begun = gates.begin(event, gates.settings_of(settings))
    row = _row("new", event.name, story.judge_start(begun, event))
    before = msgspec.structs.replace(begun, phase="new", timers={})
    return _take(row, effects.Scene(before, begun, event, settings))


def _heard(before: State, event: Event, settings: Mapping[str, Any]) -> State:
    """Return what the event leaves of the gates; what a stranger says leaves them as they are."""
    if event.kind == "message" and not story.is_party(before, event, settings):
        return before
    return gates.apply(before, event)


def _row(phase: str, event: str, label: str) -> Row:
    row = TABLE.get((phase, event, label))
    if row is None:
        raise ProcessError(f"The enrolment table has no row for {phase} / {event} / {label}.")
    return row


def _take(row: Row, scene: effects.Scene) -> Decision:
    """Move to the row's phase, and say what follows."""
    state = _enter(row.to, scene)
    status = next((name.removeprefix("status ") for name in row.effects if name.startswith("status ")), "")
    running = row.to not in FINAL
    wanted = gates.wanted(state) if running else {}
    state = msgspec.structs.replace(state, status=status or state.status, timers=wanted)
    made = effects.build(row.effects, scene._replace(after=state))
    # A timer that has just gone off is not set any more.
    was = {name: due for name, due in scene.before.timers.items() if name != scene.event.name}
    return Decision(
        label=row.label,
        phase=row.to,
        state=state,
        effects=(*made, *effects.timers(was, wanted), *effects.scans(scene)),
        open=tuple(name for name, gate in state.gates.items() if running and not gate.holds),
    )


def _enter(to: Phase, scene: effects.Scene) -> State:
    """Give a request that enters `ready` a day by which the institution should have enrolled her."""
    state, was = scene.after, scene.before.phase
    overdue = state.overdue if to == "ready" else ""
    if to == "ready" and was != "ready":
        overdue = rules.again(study_year(state.studyyear), dutch_day(scene.event.at)).isoformat()
    return msgspec.structs.replace(state, phase=to, overdue=overdue)

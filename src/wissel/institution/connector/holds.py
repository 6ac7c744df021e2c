"""Holds: copies of a process are kept past their end date by a named role, and the learner is told through the switch.

A hold stands whether or not she can be told: without a delivery capability its word still goes to the platform, which
writes the leaf and ends it as not delivered.
"""

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

from wissel.core.moments import dutch_day, end_of, to_ms
from wissel.infra.sql.ports import Statement
from wissel.institution.connector import store
from wissel.institution.connector.house import Served
from wissel.institution.connector.outbox import later_lane
from wissel.institution.connector.words import Say, Task
from wissel.institution.errors import NoSuchCase, NotDecidable
from wissel.messages.catalogue import decode
from wissel.messages.envelope import LEARNER, Envelope
from wissel.messages.fields import Payload
from wissel.messages.holds import (
    ENDED,
    HELD_MAX,
    HOLD_GROUNDS,
    PLACED,
    HoldEnded,
    HoldGround,
    HoldPlaced,
    HoldRole,
    latest,
)

TOLD = "told"
Make = Callable[[tuple[str, ...]], Payload]


async def place(served: Served, process: str, *, role: HoldRole, ground: HoldGround, until: date) -> int:
    """Hold all copies of a process that are here, or give a hold on this ground another end date; return how many.

    The end date of a hold is bounded by its ground, from the day on which it was first placed.
    """
    now = served.clock.now()
    standing = await store.hold_on(served.book, process, ground, to_ms(now))
    since = standing.since if standing else dutch_day(now).isoformat()
    last = latest(ground, date.fromisoformat(since))
    if not dutch_day(now) < until <= last:
        why = f"{ground} ({HOLD_GROUNDS[ground].article})"
        raise NotDecidable(f"A hold for {why} ends on a later day than today, at the latest on {last}.", field="until")
    held = await store.copies_of(served.book, process)
    if not held:
        raise NoSuchCase("The vault has no copies of this process.")
    made = store.Hold(process, ground, role, since, until.isoformat(), "", tuple(held))

    def say(part: tuple[str, ...]) -> HoldPlaced:
        return HoldPlaced(ground=ground, role=role, since=since, until=until.isoformat(), held=part)

    kept = [store.hold(made, to_ms(end_of(until))), store.close_tasks(process, [("untold", ground)])]
    await served.book.commit([*kept, *await _tell(served, process, PLACED, held, say)])
    served.note("hold.placed", process=process, role=role, ground=ground, until=until.isoformat())
    return len(held)


async def end(served: Served, process: str, *, role: HoldRole, ground: HoldGround) -> int:
    """End a hold before its end date; return how many copies it held. What is past its own end date goes next."""
    standing = await store.hold_on(served.book, process, ground, to_ms(served.clock.now()))
    if standing is None:
        raise NoSuchCase("Nothing of this process is held on that ground.")

    def say(part: tuple[str, ...]) -> HoldEnded:
        return HoldEnded(ground=ground, role=role, since=standing.since, held=part)

    told = await _tell(served, process, ENDED, standing.held, say)
    over = [store.end_hold(standing.held, ground), store.close_tasks(process, [("untold", ground)])]
    await served.book.commit([*over, *told])
    served.note("hold.ended", process=process, role=role, ground=ground)
    return len(standing.held)


async def _tell(served: Served, process: str, kind: str, held: Sequence[str], say: Make) -> list[Statement]:
    """Return what says it to the learner, by the capability that she left; without one it goes to nobody."""
    reach = await store.reach(served.book, process)
    capability = reach.capability if reach and not reach.withdrawn else ""
    log, now = await store.log_of(served.book, process), served.clock.now()
    unit: list[Statement] = []
    for first in range(0, len(held), HELD_MAX):
        subject = LEARNER + str(UUID(bytes=served.entropy.draw(16), version=4))
        data = say(tuple(held[first : first + HELD_MAX]))
        unit += served.queue(later_lane(served, log, now), subject, [Say(kind, "learner", data)], capability)
    return unit


async def heard(served: Served, commitment: str, envelope: Envelope, why: str) -> list[Statement]:
    """Book what became of the word about a hold. `why` it did not reach her is put before a person; empty: it did."""
    payload = await store.payload_of(served.book, commitment)
    data = decode(envelope.type, payload) if payload else None
    if not isinstance(data, HoldPlaced | HoldEnded):
        return []
    unit = []
    if isinstance(data, HoldPlaced):
        unit.append(store.tell(data.held, data.ground, data.until, why or TOLD))
    if why:
        process = await store.process_of_copy(served.book, data.held[0]) or envelope.process
        stands = "stands" if envelope.type == PLACED else "is over"
        text = f"The learner could not be told of the hold ({why}). It {stands}, and the log has its leaf."
        unit.append(store.open_tasks(process, [Task("untold", data.ground, text)]))
    return unit

"""Ends that nobody decided: a process whose last day has passed, and messages of which nothing can be read any more.

What ends here settles and is forgotten like everything else; otherwise its rows would stay for ever.
"""

from datetime import datetime, timedelta

from wissel.core.moments import dutch_day, from_ms, to_ms
from wissel.infra.sql.ports import Statement
from wissel.messages.leaves import entry
from wissel.messages.records import undelivered
from wissel.platform.exchange import mailbox, rows, sealing
from wissel.platform.exchange.desk import Desk
from wissel.platform.forgetting.errors import ForgettingError
from wissel.platform.forgetting.rules import GRACE
from wissel.platform.forgetting.shred import order_destroy_class
from wissel.platform.forgetting.words import KeyRing
from wissel.platform.store import files, messages, parcels, processes
from wissel.platform.store.leaves import pending
from wissel.platform.store.words import MailRow, MessageRow, ProcessRow, Where


async def end_process(desk: Desk, row: ProcessRow, now: datetime) -> list[Statement]:
    """Return the unit that ends a process on whose last day no decision had come; a conflict when it moved meanwhile.

    What it had taken and not passed on is not delivered; a message that comes in between stays for the engine.
    """
    left = await messages.taken(desk.database, row.where)
    keys = await desk.keys.load([row.process])
    events = await processes.events_of(desk.database, row.where)
    unit = [processes.decide(row, row.phase)] if row.life == "running" else [processes.still(row.where, ("decided",))]
    unit += [processes.drop_timers(row.where), processes.let_go(row.where)]
    if events:
        unit.append(processes.take_events(events))
    for message in left:
        try:
            unit += _not_delivered(desk, message, keys, now, "the process ended")
        except ForgettingError:
            unit += close(desk, message, now)
    if row.life == "running":
        unit += order_destroy_class(row.process, ("memory",), "ended", now)
        unit.append(_leaf(desk, "process.decided", now, process=row.process, outcome="ENDED"))
    return unit


def end_taken(desk: Desk, row: MessageRow, keys: KeyRing, now: datetime) -> list[Statement]:
    """Return the unit that ends a message past its end date of which nobody decided; a conflict when one just did.

    Its process was set aside, or the engine is far behind: the story does not hear of it any more. Raises KeyGone
    or SealBroken.
    """
    heard = processes.drop_event(Where(row.partition, row.process), rows.arrival(row).key)
    return [heard, *_not_delivered(desk, row, keys, now, "past its end date")]


async def keep_parcels(desk: Desk, where: Where, now: datetime) -> list[Statement]:
    """Return what lets copies that still wait at settling live for so many days from now, no more and no less.

    Their key moves to the day on which that ends, be it sooner or later than the day it had (architecture section 6).
    """
    if not await parcels.any_left(desk.database, where):
        return []
    until = now + timedelta(days=desk.limits.parcel_days)
    unit = [parcels.keep_until(where, to_ms(until)), files.keep_until(where, to_ms(until))]
    for key in await desk.keys.rows([where.process]):
        if key.cls == "parcel" and key.end_day != dutch_day(until):
            unit += desk.keys.move(key, dutch_day(until), now).statements
    return unit


def set_aside(desk: Desk, where: Where, code: str, now: datetime) -> list[Statement]:
    """Return the unit that sets a process aside, with its leaf, and raise the alarm in the log."""
    desk.journal.write("process.setaside", process=where.process, code=code)
    leaf = _leaf(desk, "process.setaside", now, process=where.process, reason=code)
    return [processes.set_aside(where, code, to_ms(now)), leaf]


def is_over(row: MessageRow | MailRow, now: datetime) -> bool:
    """Tell whether the day of a message has passed so long ago that its keys are rightly gone."""
    return now >= from_ms(row.end_ms) + GRACE


def close(desk: Desk, row: MessageRow, now: datetime, head: MailRow | None = None) -> list[Statement]:
    """Return the unit that ends a message whose keys are gone: there is nothing left to make a copy of."""
    unit = [messages.drop_mail(head)] if head is not None else []
    unit.append(messages.close(row.which))
    fields = {"process": row.process, "commitment": row.commitment}
    if row.stage != "ended":
        told = {**fields, "message": row.id, "type": row.type, "outcome": "undelivered"}
        unit.append(_leaf(desk, "message.undelivered", now, **told))
    unit.append(_leaf(desk, "copy.givenup", now, **fields, reason="its key is gone"))
    return unit


def _not_delivered(desk: Desk, row: MessageRow, keys: KeyRing, now: datetime, why: str) -> list[Statement]:
    kept = sealing.kept_of(keys, row)
    statement = undelivered(desk.signer, acknowledgement=kept.acknowledgement, attempts=0, at=now, reason=why)
    leaf = desk.entropy.draw(16)
    return [
        messages.hold_back(
            row.which, sealing.seal_receipt(sealing.key_of(keys, row), row, statement), leaf, to_ms(now)
        ),
        mailbox.outcome_leaf(desk, row, "undelivered", statement, leaf),
    ]


def _leaf(desk: Desk, event: str, now: datetime, **fields: str) -> Statement:
    return pending(entry(event, now, desk.entropy, **fields), desk.entropy.draw(16), to_ms(now))

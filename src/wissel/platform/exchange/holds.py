"""Holds: what the log says of each held message, and the end of a word about a hold that can reach nobody."""

from datetime import date, datetime

from wissel.core.moments import dutch_day, parse_rfc3339, to_ms
from wissel.infra.sql.ports import Statement
from wissel.messages.catalogue import Malformed
from wissel.messages.envelope import Envelope
from wissel.messages.fields import Payload
from wissel.messages.holds import HoldEnded, HoldPlaced
from wissel.messages.leaves import entry
from wissel.messages.records import undelivered
from wissel.platform.exchange import mailbox, sealing
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.rows import Taken
from wissel.platform.store import messages
from wissel.platform.store.leaves import pending

UNTOLD = "no delivery capability"


def leaves(desk: Desk, envelope: Envelope, data: Payload, now: datetime) -> list[Statement]:
    """Return a leaf for each message that is held, or held no more; none for a message about anything else.

    Raises Malformed for a hold that is said to begin after it was sent: its longest end date would move with it.
    """
    if not isinstance(data, HoldPlaced | HoldEnded):
        return []
    if date.fromisoformat(data.since) > dutch_day(parse_rfc3339(envelope.time)):
        raise Malformed(f"{envelope.type}: `since` lies after the day of sending.", field="/data/since")
    facts = {"process": envelope.process, "message": envelope.id, "holder": envelope.source, "role": data.role}
    event = "hold.ended"
    if isinstance(data, HoldPlaced):
        event = "hold.placed"
        facts |= {"ground": data.ground, "until": data.until}
    made = (entry(event, now, desk.entropy, commitment=held, **facts) for held in dict.fromkeys(data.held))
    return [pending(leaf, desk.entropy.draw(16), to_ms(now)) for leaf in made]


def end_untold(desk: Desk, taken: Taken, now: datetime) -> list[Statement]:
    """Return what ends a message in the commit that takes it: the learner left no way to reach her."""
    row, leaf = taken.row, desk.entropy.draw(16)
    statement = undelivered(desk.signer, acknowledgement=taken.acknowledgement, attempts=0, at=now, reason=UNTOLD)
    return [
        messages.hold_back(row.which, sealing.seal_receipt(taken.key, row, statement), leaf, to_ms(now)),
        mailbox.outcome_leaf(desk, row, "undelivered", statement, leaf),
    ]

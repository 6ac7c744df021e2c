"""Audit entries: what happened, provable, without whom it happened to.

An entry is canonical JSON: `event`, `time`, 16 random bytes (`salt`), a trace of its process, and the fields of its
event. The fields are a union of the Dutch processing log (Logboek dataverwerkingen), the FSC log and the decision log;
docs/audit-events.md maps the names. No name, number, address or lasting pseudonym is ever in one: only fields of the
table below are let in.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from wissel.core.entropy import Entropy
from wissel.core.errors import WisselError
from wissel.core.moments import dutch_day, rfc3339
from wissel.messages.verify import b64

SALT_BYTES: Final = 16
FIELD_CHARS_MAX: Final = 2000
ENTRY_BYTES_MAX: Final = 0xFFFF  # an entry bundle counts lengths in 16 bits (C2SP tlog-tiles)


class EntryUnknown(WisselError):
    """An audit event, or a field of one, that is not in the table."""

    code: ClassVar[str] = "audit-event-unknown"
    status: ClassVar[int] = 500


class EntryTooLong(WisselError):
    """An entry does not fit an entry bundle of the log. Nothing that it belongs to is recorded."""

    code: ClassVar[str] = "log-entry-too-long"
    status: ClassVar[int] = 500


class AuditEvent(NamedTuple):
    """One kind of entry: the sentence a person reads, and the fields it may have."""

    sentence: str
    fields: frozenset[str]


def _event(sentence: str, fields: str) -> AuditEvent:
    return AuditEvent(sentence, frozenset(fields.split()))


_MESSAGE: Final = "process subject message type commitment"

EVENTS: Final[Mapping[str, AuditEvent]] = {
    "message.accepted": _event(
        "The platform took a message and counter-signed it.",
        f"{_MESSAGE} source recipient sequence activity grant acknowledgement ruleset mandate",
    ),
    "message.receipted": _event("The receiver signed what became of a message.", f"{_MESSAGE} outcome receipt"),
    "message.undelivered": _event("No receipt came for a message.", f"{_MESSAGE} outcome receipt"),
    "process.moved": _event("A process went from one phase to another.", "process kind version type label phase"),
    "process.upgraded": _event("A process went over to a newer table.", "process kind version previous"),
    "process.decided": _event("No transition is left in a process.", "process outcome"),
    "process.settled": _event("Every message of a process has its outcome and its copies.", "process"),
    "process.forgotten": _event("Nothing of a process can be read any more.", "process"),
    "process.setaside": _event(
        "A decision failed, or what it led to never fitted; the process waits for an operator.", "process reason"
    ),
    "status.changed": _event(
        "The status of a request changed.", "old new institution programme form level studyyear intake week"
    ),
    "copy.delivered": _event("A copy was handed over to a vault.", "process commitment"),
    "copy.givenup": _event("A copy could not be handed over and was destroyed.", "process commitment reason"),
    "card.registered": _event("A participant's card was registered, or renewed.", "holder card"),
    "file.delivered": _event(
        "A file was handed over to a vault; `commitment` is the SHA-256 of its sealed form.", "process commitment"
    ),
    "key.published": _event("A participant published a key.", "holder organisation use kid jwk since until note"),
    "key.revoked": _event("A participant revoked a key.", "holder use kid"),
    "key.destroyed": _event("Data keys were destroyed before their day.", "process class reason count"),
    "day.due": _event("A day is over; witnesses are asked for the time before its key goes.", "day"),
    "day.destroyed": _event("A day key and all its slots were destroyed.", "day slots count method reason"),
    "days.continued": _event("An operator let the ending of days go on.", "day role"),
    "canary.failed": _event("A canary still opens after its day was destroyed: alarm.", "day"),
    "canary.dead": _event("The canary of a destroyed day no longer opens.", "day"),
    "clock.differs": _event("The ending of days stopped for an operator.", "day reason"),
    "log.opened": _event("A new log began.", "previous"),
    "log.pruned": _event("Old entries were pruned under a written policy.", "log minimum policy"),
    "hold.placed": _event(
        "An organisation holds a message longer, on a ground.",
        "process message commitment holder role ground until",
    ),
    "hold.ended": _event("A hold ended before its end date.", "process message commitment holder role"),
}


def entry(event: str, at: datetime, entropy: Entropy, **fields: Any) -> bytes:
    """Return the canonical bytes of one entry. Empty fields are left out. Raises EntryUnknown.

    A change of status gets its ISO week (of the Dutch day), by which reports count.
    """
    known = EVENTS.get(event)
    if known is None:
        raise EntryUnknown(f"{event} is no audit event; docs/audit-events.md lists them.")
    strange = fields.keys() - known.fields
    if strange:
        raise EntryUnknown(f"{event} has no field {', '.join(sorted(strange))}.")
    body = {name: _plain(value) for name, value in fields.items() if value is not None and value != ""}
    process = body.get("process")
    if process:
        body["trace"] = hashlib.sha256(f"trace {process}".encode()).hexdigest()[:32]
    if event == "status.changed":
        body.setdefault("week", "{}-W{:02}".format(*dutch_day(at).isocalendar()))
    body |= {"event": event, "time": rfc3339(at), "salt": b64(entropy.draw(SALT_BYTES)), "span": entropy.draw(8).hex()}
    return msgspec.json.encode(body, order="sorted")


def _plain(value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise EntryUnknown("An audit field is a text or a whole number.")
    return value[:FIELD_CHARS_MAX] if isinstance(value, str) else value

"""Pure checks of what comes in. Each raises an error that names the field, or returns what it found."""

from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from wissel.core.ids import process_id
from wissel.core.moments import dutch_day, parse_rfc3339
from wissel.messages.catalogue import MessageType, longest
from wissel.messages.envelope import LEARNER, Addressee, DataClass, Envelope, Submission
from wissel.messages.verify import Refused, b64, canonical, commit, parse_json, sha256, unb64
from wissel.platform.exchange.errors import EnvelopeRefused, ProcessMismatch, SubmissionMalformed
from wissel.platform.exchange.words import Limits
from wissel.platform.store.words import OwnKey

_DEPTH_MAX: Final = 16


class Read(NamedTuple):
    """A submission that was read whole: its struct, its canonical payload, its commitment and its digest."""

    submission: Submission
    payload: bytes
    commitment: bytes
    digest: bytes

    @property
    def envelope(self) -> Envelope:
        """The envelope."""
        return self.submission.envelope


def read_submission(body: bytes, limits: Limits) -> Read:
    """Read a body strictly: one JSON object, no duplicate keys, no floats, bounded in size and depth."""
    if len(body) > limits.body_bytes_max:
        raise SubmissionMalformed(f"A submission is at most {limits.body_bytes_max} bytes. Send large data as a file.")
    try:
        document = parse_json(body)
        submission = msgspec.json.decode(body, type=Submission)
        _bounded(document, _DEPTH_MAX)
        payload = canonical(document["data"])
        digest = sha256(canonical(document))
        nonce = unb64(submission.nonce)
        commitment = commit(nonce, document["envelope"], payload)
    except Refused as error:
        raise SubmissionMalformed(error.sentence) from None
    except msgspec.MsgspecError as error:
        sentence, _, path = str(error).partition(" - at `")
        raise SubmissionMalformed(f"{sentence}.", field=_pointer(path)) from None
    if not payload.startswith(b"{"):
        raise SubmissionMalformed("The payload must be a JSON object.", field="/data")
    return Read(submission, payload, commitment, digest)


def check_envelope(envelope: Envelope, row: MessageType, *, origin: str, now: datetime, limits: Limits) -> None:
    """Hold the attributes to the message-type table, to this log and to the clock."""
    expected = {
        "purpose": row.purpose,
        "legalground": row.ground,
        "processingactivity": row.activity,
        "dataclass": row.dataclass,
        "log": origin,
    }
    for name, value in expected.items():
        if getattr(envelope, name) != value:
            raise EnvelopeRefused(f"{name} must be {value!r} for {row.type}.", field=f"/envelope/{name}")
    skew = timedelta(seconds=limits.clock_skew_s_max)
    sent = _moment(envelope.time)
    if sent > now + skew:
        raise EnvelopeRefused("The time is in the future. Set the sender's clock.", field="/envelope/time")
    last, end, today = longest(row, dutch_day(sent)), _day(envelope.enddate), dutch_day(now)
    if not today <= end <= last:
        raise EnvelopeRefused(f"The end date of {row.type} lies between {today} and {last}.", field="/envelope/enddate")
    to_learner = envelope.recipient.startswith(LEARNER)
    if (row.recipient == "learner") != to_learner:
        raise EnvelopeRefused(f"{row.type} goes to a {row.recipient}.", field="/envelope/recipient")
    for name in ("source", "recipient"):
        party = getattr(envelope, name)
        if party.startswith(LEARNER) and party != envelope.subject:
            raise EnvelopeRefused("A learner is named by the subject of this process.", field=f"/envelope/{name}")


def check_end(envelope: Envelope, row: MessageType, studyyear: str) -> None:
    """Hold the end date to the study year that the payload is about, where it names one."""
    last = longest(row, dutch_day(_moment(envelope.time)), studyyear)
    if _day(envelope.enddate) > last:
        raise EnvelopeRefused(
            f"About {studyyear}, {row.type} may exist until {last} at the longest.", field="/envelope/enddate"
        )


def check_start(envelope: Envelope) -> None:
    """Hold the first message of a process to its derived id and its first number (architecture section 4)."""
    if envelope.process != process_id(envelope.source, envelope.id):
        raise ProcessMismatch(
            "The process of a first message is UUIDv8 of SHA-256(source, id).", field="/envelope/process"
        )
    if envelope.sequence != "1":
        raise ProcessMismatch("The first message of a process has sequence 1.", field="/envelope/sequence")


def check_addressee(addressee: Addressee | None) -> Addressee:
    """Return where a learner's messages and copies go: her first message says so, or she would get none."""
    if addressee is None:
        raise EnvelopeRefused(
            "Say where her copies go: her vault, one at a default provider, or a place for downloads at her portal.",
            field="/addressee",
        )
    return addressee


def nonce_of(commitment: bytes) -> str:
    """Return the OIDC nonce by which a learner signs a commitment: base64url of its SHA-256."""
    return b64(sha256(commitment))


def split_apart(payload: bytes, names: tuple[str, ...]) -> tuple[bytes, bytes]:
    """Return (payload without `names`, those fields alone), both canonical; the second is empty when none is there."""
    if not names:
        return payload, b""
    data: dict[str, Any] = msgspec.json.decode(payload)
    apart = {name: data.pop(name) for name in names if data.get(name)}
    return (canonical(data), canonical(apart)) if apart else (payload, b"")


def join_apart(payload: bytes, apart: bytes) -> bytes:
    """Undo `split_apart`: the same canonical bytes as before."""
    if not apart:
        return payload
    return canonical({**msgspec.json.decode(payload), **msgspec.json.decode(apart)})


def own_key(dataclass: DataClass, day: date, last: date) -> OwnKey:
    """Return the class of the key of its own that a message gets (architecture section 6); empty: its process's key.

    It may be read until `day` at the latest; `last` is the last day of its process.
    """
    if dataclass == "special":
        return "special"
    return "post" if day < last else ""


def back_off(attempts: int, chance: float, *, hours_after: int = 12) -> timedelta:
    """Return the wait before attempt `attempts` + 1: doubling to 300 s, then hours; `chance` in [0, 1) spreads it."""
    seconds = min(300.0, 2.0 ** min(attempts, 9))
    if attempts > hours_after * 12:
        seconds = min(86_400.0, 3600.0 * (attempts - hours_after * 12))
    return timedelta(seconds=seconds * (0.5 + chance / 2))


def _bounded(value: Any, depth: int) -> None:
    if depth == 0:
        raise SubmissionMalformed(f"JSON nested deeper than {_DEPTH_MAX} is refused.")
    if isinstance(value, dict):
        for inner in value.values():
            _bounded(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _bounded(inner, depth - 1)


def _pointer(path: str) -> str:
    return path.rstrip("`").removeprefix("$").replace("[", "/").replace("]", "").replace(".", "/")


def _moment(text: str) -> datetime:
    try:
        return parse_rfc3339(text)
    except ValueError:
        raise EnvelopeRefused("The time is not a moment of RFC 3339.", field="/envelope/time") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise EnvelopeRefused("The end date is not a day.", field="/envelope/enddate") from None

"""Pure rules: how a data key is wrapped, what a seal is bound to, and when a day may go."""

import hmac
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wissel.core.moments import end_of, from_ms
from wissel.platform.forgetting.errors import ForgettingError, KeyGone
from wissel.platform.forgetting.words import NONCE_BYTES, SECRET_BYTES, Alarm, KeyName, Watch

GRACE: Final = timedelta(hours=24)
"""A day is destroyed no sooner than this after it ended."""

WITNESSES_MAX: Final = timedelta(hours=1)
"""A day that is due waits no longer than this for fresh cosignatures before somebody is told."""

CLOCKS_APART_MAX: Final = timedelta(minutes=1)
DUE_MAX: Final = 1
DUE_MAX_DEMO: Final = 2  # a jump of 24 h over the day of 23 h in March makes two days due at once
DAYS_AHEAD_MAX: Final = 3660  # ten years: the longest that any message type allows is shorter

_ZERO: Final = bytes(SECRET_BYTES)
_CANARY: Final = b"wissel canary v1"


def place(process: str, message: str, cls: str) -> str:
    """Return the associated data of a seal: `process|message|class`.

    `message` names one thing within the process (a message: source and id); it is empty for a process's own.
    """
    parts = (process, message, cls)
    if any("|" in part for part in parts):
        raise ForgettingError("A process, message or class never holds a '|'.")
    return "|".join(parts)


def extract(day_key: bytes, slot: bytes) -> bytes:
    """Return the HKDF-SHA256 pseudorandom key of a day key salted with a slot (RFC 5869 section 2.2)."""
    return hmac.digest(slot, day_key, "sha256")


def expand(prk: bytes, name: KeyName) -> bytes:
    """Return the key under which the data key `name` is wrapped: one HKDF block (RFC 5869 section 2.3)."""
    return hmac.digest(prk, "|".join(name).encode() + b"\x01", "sha256")


def wrap(day_key: bytes, slot: bytes, name: KeyName, secret: bytes, nonce: bytes) -> bytes:
    """Return `nonce || AES-256-GCM(secret)` under HKDF(day key, salt = slot, info = process|class|scope)."""
    _refuse_zero(day_key, slot)
    return nonce + AESGCM(expand(extract(day_key, slot), name)).encrypt(nonce, secret, None)


def unwrap(day_key: bytes, slot: bytes, name: KeyName, wrapped: bytes) -> bytes:
    """Return the data key's 32 bytes. Raises KeyGone when this is not the day key and slot of its wrapping."""
    _refuse_zero(day_key, slot)
    try:
        return AESGCM(expand(extract(day_key, slot), name)).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], None)
    except InvalidTag:
        raise KeyGone(
            f"The {name.cls} key of process {name.process} does not open: the key store holds another key there."
        ) from None


def _refuse_zero(day_key: bytes, slot: bytes) -> None:
    if _ZERO in (slot, day_key) or len(slot) != SECRET_BYTES or len(day_key) != SECRET_BYTES:
        raise KeyGone("The slot or the day key of this data key is zeroed.")


def derived(day_key: bytes, purpose: str) -> bytes:
    """Return a 32-byte key that lives and dies with a day (HKDF-SHA256 without salt, info = day|purpose)."""
    return hmac.digest(extract(day_key, _ZERO), f"day|{purpose}".encode() + b"\x01", "sha256")


def seal_canary(day_key: bytes, day: date, nonce: bytes) -> bytes:
    """Return the canary of a day: known words, sealed as all else of that day is."""
    return nonce + AESGCM(derived(day_key, "canary")).encrypt(nonce, _CANARY, day.isoformat().encode())


def opens_canary(day_key: bytes, day: date, sealed: bytes) -> bool:
    """Return whether this day key opens the canary of `day`."""
    try:
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return AESGCM(derived(day_key, "canary")).decrypt(nonce, rest, day.isoformat().encode()) == _CANARY
    except InvalidTag:
        return False


class Verdict(NamedTuple):
    """What to do about days: nothing, ask for a fresh cosignature, wait for it, stop, or destroy `day`."""

    act: Literal["rest", "ask", "wait", "stop", "destroy"]
    day: date | None = None
    why: Literal["", "clocks-differ", "days-behind"] = ""


def due_days(alive: Sequence[date], at: datetime) -> list[date]:
    """Return the days of which the end, and the grace after it, have passed at `at`; oldest first."""
    return sorted(day for day in alive if end_of(day) + GRACE <= at)


def judge(
    alive: Sequence[date], watch: Watch, clocks: tuple[datetime, datetime, datetime | None], *, demo: bool
) -> Verdict:
    """Return what may be done now. `clocks`: the platform's, the database's, the newest cosignature's.

    A witness signs only when there is something new, so a quiet log has an old newest cosignature. Therefore a day
    that is due first asks for a fresh one (a leaf is written); a cosignature that then claims a time before the
    asking contradicts the database's clock, and one from then on confirms that the day was over when we asked.
    """
    _, database, _ = clocks
    due = due_days(alive, database)
    if not due:
        return Verdict("rest")
    if watch.through and due[0] <= date.fromisoformat(watch.through):
        return Verdict("destroy", due[0])
    if watch.state in ("clocks-differ", "days-behind"):
        return Verdict("rest", due[0])  # an operator must look first
    if len(due) > (DUE_MAX_DEMO if demo else DUE_MAX):
        return Verdict("stop", due[0], "days-behind")
    if watch.state != "asked" or watch.day != due[0].isoformat():
        return Verdict("ask", due[0])
    return _answered(due[0], watch, clocks)


def alarm(watch: Watch, at: datetime) -> Alarm:
    """Return why days do not end, when somebody must look; empty: all is well, or it is too soon to tell."""
    match watch.state:
        case "asked":
            return "witnesses-missing" if at - from_ms(watch.asked_ms) >= WITNESSES_MAX else ""
        case "quiet":
            return ""
        case stopped:
            return stopped


def _answered(day: date, watch: Watch, clocks: tuple[datetime, datetime, datetime | None]) -> Verdict:
    now, database, witness = clocks
    asked = from_ms(watch.asked_ms)
    fresh = witness is not None and witness != from_ms(watch.witness_ms)
    apart = abs(now - database) >= CLOCKS_APART_MAX
    if witness is not None and witness - database >= CLOCKS_APART_MAX:
        apart = True
    if not apart and witness is not None and witness > asked - CLOCKS_APART_MAX:
        return Verdict("destroy", day)
    if (apart or fresh) and database - asked >= CLOCKS_APART_MAX:  # what was in flight when we asked has landed
        return Verdict("stop", day, "clocks-differ")
    return Verdict("wait", day)

"""Values that cross the threshold of forgetting."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wissel.core.entropy import Entropy
from wissel.infra.sql.ports import Statement
from wissel.platform.forgetting.errors import KeyGone, SealBroken

KeyClass = Literal["memory", "post", "parcel", "number", "special"]
Reason = Literal["decided", "settled", "ended", "delivered", "given-up", "verified", "withdrawn", "moved"]
"""Why a key ends early. It stands in a leaf, so it is a closed set: `ended` is the end date, `delivered` and
`given-up` end parcels, `verified` identity scans; a `moved` key lives on under another day."""

CanaryState = Literal["alive", "ending", "dead", "failed"]
WatchState = Literal["quiet", "asked", "clocks-differ", "days-behind"]
Alarm = Literal["", "witnesses-missing", "clocks-differ", "days-behind"]
"""Why days do not end, once somebody must look: too few witnesses sign, or it stopped for an operator."""

SECRET_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
LEAF_BYTES: Final = 16


class KeyName(NamedTuple):
    """Which data key: one per process and class; `scope` names the message (source and id) or file that has its own."""

    process: str
    cls: KeyClass
    scope: str = ""


class Slot(NamedTuple):
    """32 random bytes and the number under which the key store keeps them for their end day."""

    number: int
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A wrapped data key as the database keeps it: useless without the day key and the slot."""

    partition: int
    process: str
    cls: KeyClass
    scope: str
    day: str
    slot: int
    wrapped: bytes = field(repr=False)
    made_ms: int

    @property
    def name(self) -> KeyName:
        """Which data key this is."""
        return KeyName(self.process, self.cls, self.scope)

    @property
    def end_day(self) -> date:
        """The last Dutch day on which this key may exist."""
        return date.fromisoformat(self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """A slot that must become zero. It stays until that is certain."""

    partition: int
    day: str
    slot: int
    process: str
    cls: KeyClass
    scope: str
    reason: Reason
    made_ms: int
    ordered_ms: int


class DataKey:
    """Seals and opens one class of one process: AES-256-GCM, output `nonce (12) || ciphertext || tag (16)`.

    `row` is the wrapped form, by which the key is ordered destroyed or moved. The secret is in no repr.
    """

    __slots__ = ("_aead", "_entropy", "row")

    def __init__(self, row: KeyRow, secret: bytes, entropy: Entropy) -> None:
        self.row = row
        self._aead = AESGCM(secret)
        self._entropy = entropy

    def __repr__(self) -> str:
        return f"DataKey({self.row.process}, {self.row.cls}, {self.row.scope!r})"

    def seal(self, plain: bytes, aad: str) -> bytes:
        """Seal `plain` for the place that `aad` names (see `rules.place`), with a fresh nonce."""
        nonce = self._entropy.draw(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, aad.encode())

    def open(self, sealed: bytes, aad: str) -> bytes:
        """Return what was sealed. Raises SealBroken when the bytes or the place are not those of the sealing."""
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], aad.encode())
        except (InvalidTag, ValueError):
            raise SealBroken(
                "Something sealed does not open: it was changed or moved. Check the disk and the release."
            ) from None


class Minted(NamedTuple):
    """A new data key, and the statement that must be in the unit with the first thing it seals."""

    key: DataKey
    statement: Statement


class Moved(NamedTuple):
    """A data key under its new end day, and the statements that move it: commit them in one unit."""

    key: DataKey
    statements: list[Statement]


class KeyRing(dict[KeyName, DataKey]):
    """Data keys by name. Asking for one that is dead, or never was, raises KeyGone; `get` and `in` do not."""

    def __missing__(self, name: KeyName) -> DataKey:
        process, cls, _ = name
        raise KeyGone(f"The {cls} key of process {process} is destroyed, or never was.")


@dataclass(frozen=True, slots=True)
class SlotCount:
    """Slots of one day: how many were made, and how many of those are zeroed."""

    made: int
    zeroed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How far the ending of days is: `day` is what it is about, `asked_ms` when a fresh witness was asked for.

    `witness_ms` is what the witness clock said at that moment (0: nothing). `through`: an operator said that days
    up to and including this one may go; empty when none did.
    """

    state: WatchState = "quiet"
    day: str = ""
    asked_ms: int = 0
    witness_ms: int = 0
    through: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryRow:
    """What must fail to open once its day is destroyed. state: alive, ending, dead or failed (it still opens)."""

    day: str
    sealed: bytes = field(repr=False)
    state: CanaryState


@dataclass(frozen=True, slots=True)
class DayReport:
    """One day that is alive: its slots, and the data keys that the database keeps for it."""

    day: date
    slots: SlotCount
    keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgettingReport:
    """What is still readable, since when, and what is under way to become unreadable."""

    demo: bool
    days: tuple[DayReport, ...]
    passed: date | None  # the newest day destroyed whole
    oldest_readable: datetime | None  # when the oldest personal datum that can still be read was sealed
    orders: int  # keys ordered destroyed whose slot is not zero yet
    oldest_order: datetime | None
    canaries: dict[str, int]  # by state
    watch: Watch
    alarm: Alarm


Fault = Callable[[str], None]
"""Called at named points of a write, so that a test can end the process there."""

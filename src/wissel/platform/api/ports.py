"""What the API asks of the rest of the platform. A caller is a participant's URN, taken from its token."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from wissel.client.words import (
    Accepted,
    LearnerProcess,
    ListedCard,
    ProcessView,
    ProvenCard,
    SealedMessage,
    Settled,
    Settlement,
    Upload,
)
from wissel.messages.envelope import Offered
from wissel.messages.participant import Card, Key


class Switch(Protocol):
    """Takes messages in, hands them out, books their outcomes. Errors are WisselErrors: status, code, field."""

    async def accept(self, caller: str, body: bytes, learner: str) -> Accepted:
        """Take the raw bytes of a Submission from `caller`; return when it is durable.

        The API has checked: at most 1 MiB, strict JSON (UTF-8, no name twice, depth at most 16), and no more.
        `learner` is the value of the Learner-Token header, or empty: who is logged in at the portal that calls.
        """
        ...

    async def offered(self, caller: str, limit: int) -> Sequence[Offered]:
        """Return the heads of the due lanes of `caller`, at most `limit` (1 to 100). They stay until they are settled.

        One that cannot be handed out waits for its next attempt, so that it takes no other's place.
        """
        ...

    async def lane(self, caller: str, process: str) -> Sequence[SealedMessage]:
        """Return the head of the lane of a learner for whom `caller` signs, sealed to her; none: no such lane."""
        ...

    async def settle(self, caller: str, receipts: Sequence[Settled]) -> Sequence[Settlement]:
        """Book receipts; answer for each, in order. One bad receipt does not spoil the others."""
        ...

    async def view(self, caller: str, process: str, learner: str) -> ProcessView:
        """Return where a process stands, only for the portal of that process; to others it does not exist.

        With `learner`, the value of the Learner-Token header, only when the process is also that learner's.
        """
        ...

    async def mine(self, caller: str, learner: str) -> Sequence[LearnerProcess]:
        """Return what runs for the learner whose token this is, as far as it began at `caller`. Never without one."""
        ...


class Files(Protocol):
    """Takes sealed files in and hands them out. Errors are WisselErrors: status, code, field."""

    async def upload(self, caller: str, asked: Upload, body: bytes) -> tuple[str, bool]:
        """Take in the sealed bytes of `caller`; return their hash when they are durable, and whether they are new."""
        ...

    async def download(self, caller: str, digest: str) -> bytes:
        """Return the sealed bytes of this hash to the party whom they are for; to others they do not exist."""
        ...


class LogDoor(Protocol):
    """The audit trail as it is published (C2SP tlog-tiles)."""

    async def checkpoint(self) -> str:
        """Return the newest published checkpoint, a signed note; empty before the first."""
        ...

    async def tile(self, level: int, n: int, width: int) -> bytes | None:
        """Return `width` (1 to 256) hashes of tile `n` of `level`, or None when there is none such."""
        ...

    async def entries(self, n: int, width: int) -> bytes | None:
        """Return entry bundle `n` (C2SP), or None when there is none such or it was pruned."""
        ...

    async def entry_of(self, index: int) -> "Logged | None":
        """Return one published entry, or None when there is none such or it was pruned."""
        ...

    async def of_process(self, process: str, after: tuple[int, int], limit: int) -> Sequence["Logged"]:
        """Return up to `limit` entries of one process after (log, index), in order."""
        ...


class Logged(Protocol):
    """One entry of the log and where it stands."""

    @property
    def log(self) -> int:
        """The number of its log: one that was closed comes before the one that took its place."""
        ...

    @property
    def index(self) -> int:
        """Its place in the tree."""
        ...

    @property
    def entry(self) -> bytes:
        """Its bytes, canonical JSON."""
        ...


class Revocations(Protocol):
    """The signed list of revoked keys, served at /log/revocations."""

    async def __call__(self) -> bytes:
        """Return the list as it is signed."""
        ...


class Holder(Protocol):
    """A published key and whose it is."""

    @property
    def card(self) -> Card:
        """The participant."""
        ...

    @property
    def key(self) -> Key:
        """The key."""
        ...


class Directory(Protocol):
    """Who may speak."""

    def card(self, urn: str) -> Card:
        """Return a participant's card. Raises a WisselError when there is none."""
        ...

    def live_key(self, kid: str, use: str, now: datetime) -> Holder:
        """Return the key `kid` when it may be used for `use` now. Raises a WisselError otherwise."""
        ...


class Registry(Protocol):
    """The public list of participants."""

    async def listed(self, after: str, limit: int) -> Sequence[ListedCard]:
        """Return up to `limit` cards whose URN comes after `after`, by URN."""
        ...

    async def proven(self, urn: str) -> ProvenCard | None:
        """Return a card with its proofs; None when nobody has that URN. Raises NotReady before it is in the log."""
        ...


class Health(Protocol):
    """Whether this process can do its work."""

    async def ready(self) -> Sequence[str]:
        """Return what is wrong, a code each; empty: ready."""
        ...

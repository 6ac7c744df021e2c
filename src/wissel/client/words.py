"""The bodies of the public API: one definition, for who calls and for who answers."""

from typing import Annotated, Final, Literal

import msgspec

from wissel.messages.envelope import Day, Id, Offered, Urn
from wissel.messages.participant import Card

MESSAGE_BYTES_MAX: Final = 1024 * 1024
PULL_MAX: Final = 100
SETTLE_MAX: Final = 100
CARDS_MAX: Final = 25  # times the largest card is still an answer that a client reads
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Compact = Annotated[
    str, msgspec.Meta(min_length=1, max_length=8000, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)+$(?!\n)")
]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The platform took a message: its `acknowledgement` is the counter-signature, a compact JWS.

    `first` is False when the same bytes had been accepted before (answered 200, else 202).
    """

    id: Id
    acknowledgement: str
    first: bool = True


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a sealed file when it is uploaded: in which process, and to whose key it is sealed.

    `recipient` is the receiver of the message that will name it, or the learner. `dataclass` "special": an identity
    scan, which has an end of its own. On the wire: the query of POST /v1/files.
    """

    process: Id
    recipient: Urn
    dataclass: Literal["personal", "special"] = "personal"


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of POST /v1/files: the SHA-256 of the sealed bytes, by which the payload names the file."""

    file: str


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender holds after `send`. On the wire: the answer of POST /v1/messages."""

    id: Id
    acknowledgement: str


class Settled(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver's outcome for one offered message: `receipt` is a compact JWS (messages.records.receipt)."""

    id: Id
    source: Urn
    receipt: Compact


class Receipts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of POST /v1/mailbox/_settle."""

    receipts: Annotated[tuple[Settled, ...], msgspec.Meta(min_length=1, max_length=SETTLE_MAX)]


class Settlement(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What became of one receipt. `code` is empty when it stands, else why it does not (docs/errors.md)."""

    id: str
    source: str
    code: str = ""
    detail: str = ""


class Settlements(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of POST /v1/mailbox/_settle: one per receipt, in the order given."""

    settled: tuple[Settlement, ...]


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of GET /v1/mailbox: the heads of the lanes that are due."""

    offered: tuple[Offered, ...]


class SealedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a learner, sealed to her, as whoever keeps her mail is handed it.

    `until` is the last day on which it may exist (YYYY-MM-DD): who keeps it cannot read that in it.
    """

    id: Id
    acknowledgement: str
    jwe: str
    until: Day


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of GET /v1/mailbox/{process}: the head of that lane, or nothing."""

    sealed: tuple[SealedMessage, ...]


class ProcessView(msgspec.Struct, frozen=True, kw_only=True):
    """Where a process stands, for the portal of that process. `open` are the gates still open."""

    process: Id
    phase: str
    open: tuple[str, ...] = ()
    decided: bool = False


class LearnerProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process of the learner who is logged in, with what her portal needs to go on with it on another device.

    `subject` is she in this process, `sequence` the number of her next message to `institution`.
    """

    process: Id
    kind: str
    phase: str
    institution: Urn
    subject: Urn
    sequence: int
    open: tuple[str, ...] = ()
    decided: bool = False


class LearnerProcesses(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of GET /v1/processes: what is not over, at most 100, the newest first."""

    processes: tuple[LearnerProcess, ...]


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """Where an entry stands in the audit log: its log's origin, its index, and its leaf hash (base64url, RFC 9162)."""

    log: str
    index: int
    hash: str


class KeyLeaf(Leaf, frozen=True, kw_only=True):
    """Where the entry stands that published a key."""

    kid: str


class ListedCard(msgspec.Struct, frozen=True, kw_only=True):
    """A participant's card as it is registered, with its leaf and those of its keys; absent: no index yet."""

    card: Card
    leaf: Leaf | None = None
    keys: tuple[KeyLeaf, ...] = ()


class Participants(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer of GET /v1/participants, by URN. `next`: the `after` of the next page, if there is one."""

    participants: tuple[ListedCard, ...]
    next: str = ""


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An entry of the audit log (base64url) and its C2SP tlog-proof, as an afschrift carries them."""

    entry: str
    proof: str


class ProvenCard(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of GET /v1/participants/{urn}: the card, the proof that it is registered, and that of each key.

    `registered` proves `card.registered` with the card's hash; `keys` prove `key.published`, in the card's order.
    """

    card: Card
    registered: Evidence
    keys: tuple[Evidence, ...]


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of POST /v1/oauth/token (RFC 6749 section 5.1)."""

    access_token: str
    expires_in: int
    scope: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a kind of token

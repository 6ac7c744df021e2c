"""The words of a vault: what crosses its door, and what its profile drawer keeps."""

from datetime import date
from typing import Annotated, Final, Literal

import msgspec

from wissel.messages.envelope import Day, Line, Moment
from wissel.messages.participant import Jwk

COPIES_MAX: Final = 100  # per request
JWE_MAX: Final = 1_500_000  # characters of one sealed copy or message; a payload may hold a 400 kB document
FILES_MAX: Final = 1_000  # per vault
PROFILE_MAX: Final = 200_000
GRANTS_MAX: Final = 2_000  # per vault, dead ones included
PORTAL_GRANTS_MAX: Final = 400  # of those, by one portal
VAULTS_MAX: Final = 10_000  # per provider
OPENINGS_PER_SECOND: Final = 1.0  # vaults that one network address may open
OPENINGS_BURST: Final = 500

Kind = Literal["owner", "portal", "process", "capability"]

COMMITMENT: Final = r"^[A-Za-z0-9_-]{43}$(?!\n)"
CopyId = Annotated[str, msgspec.Meta(pattern=COMMITMENT)]  # the commitment, base64url
MessageId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f-]{36}$(?!\n)")]
JWE: Final = r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{22}$(?!\n)"  # RFC 7516, direct
Jwe = Annotated[str, msgspec.Meta(pattern=JWE, max_length=JWE_MAX)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$(?!\n)")]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whole, frozen, and without fields that nobody knows."""


class SealedCopy(Strict, frozen=True, kw_only=True):
    """One afschrift, sealed to the learner; `id` is its commitment, `until` the end date of its message."""

    id: CopyId
    jwe: Jwe
    until: date


class Copies(Strict, frozen=True, kw_only=True):
    """What the platform delivers to the copies drawer."""

    copies: Annotated[tuple[SealedCopy, ...], msgspec.Meta(min_length=1, max_length=COPIES_MAX)]


class SealedMessage(Strict, frozen=True, kw_only=True):
    """One message to the learner, sealed to her, with the platform's acknowledgement of it and its end date."""

    id: MessageId
    acknowledgement: Annotated[str, msgspec.Meta(max_length=8_000)]
    jwe: Jwe
    until: date


class Messages(Strict, frozen=True, kw_only=True):
    """What the platform delivers to the learner's inbox."""

    messages: Annotated[tuple[SealedMessage, ...], msgspec.Meta(min_length=1, max_length=COPIES_MAX)]


class Stored(Strict, frozen=True, kw_only=True):
    """The ids that are safe now, whether they came just now or before."""

    stored: tuple[str, ...]


class Receipted(Strict, frozen=True, kw_only=True):
    """The provider's signed receipt of one message."""

    id: str
    receipt: str


class Receipts(Strict, frozen=True, kw_only=True):
    """The receipts of what was delivered, in its order."""

    receipts: tuple[Receipted, ...]


class Asked(Strict, frozen=True, kw_only=True):
    """A grant that is asked for. `holder` is the URN of who will use it, or empty when it is the platform."""

    kind: Literal["portal", "process", "capability"]
    purpose: Line
    until: Day
    holder: Annotated[str, msgspec.Meta(max_length=120)] = ""


class Given(Strict, frozen=True, kw_only=True):
    """A new grant. The token is shown once and stored nowhere: the vault keeps its hash."""

    id: str
    token: str
    until: Day


class Grant(Strict, frozen=True, kw_only=True):
    """One grant as the vault keeps it: who may do what, for what purpose, until when.

    `digest` is base64url SHA-256 of the token's secret half; `maker` the id of the grant under which it was made.
    """

    id: str
    kind: Kind
    holder: str
    purpose: str
    until: Day
    digest: str
    made: Moment
    maker: str
    revoked: str = ""


class SeenGrant(Strict, frozen=True, kw_only=True):
    """A grant as the owner sees it: everything but the digest."""

    id: str
    kind: Kind
    holder: str
    purpose: str
    until: Day
    made: Moment
    maker: str
    revoked: str


class Grants(Strict, frozen=True, kw_only=True):
    """The grants on this vault, live or dead; a dead one goes after a month."""

    grants: tuple[SeenGrant, ...]


class VaultCard(Strict, frozen=True, kw_only=True):
    """What a provider knows of a vault: its id, the name of its folder and the public key of its owner."""

    vault: str
    name: Name
    key: Jwk


class Opening(Strict, frozen=True, kw_only=True):
    """A learner opens a vault: a name for it and the public half of the sealing key that she made.

    Her token `<grant>.<secret>` is of her own making: the provider learns its id and the SHA-256 of its secret.
    """

    name: Name
    key: Jwk
    grant: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{22}$(?!\n)")]
    digest: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]


class Opened(Strict, frozen=True, kw_only=True):
    """A vault that is open: its id. Asked again in the same words, it is the same vault."""

    vault: str


class Waiting(Strict, frozen=True, kw_only=True):
    """A message as the profile drawer keeps it. `jwe` is emptied when the message's copy has come."""

    id: MessageId
    commitment: CopyId
    acknowledged: str  # base64url SHA-256 of the acknowledgement: the same id with another is refused
    receipt: str
    received: Moment
    until: Day
    jwe: str = ""


class SealedProfile(Strict, frozen=True, kw_only=True):
    """Preferences, own data and drafts, sealed to the profile key: whoever has a grant also got that key from her."""

    jwe: Annotated[str, msgspec.Meta(pattern=JWE, max_length=PROFILE_MAX)]


class EndDate(Strict, frozen=True, kw_only=True):
    """Until when a copy stays; the owner chooses, also later than the message's own end date."""

    until: Day


class KeptEnd(Strict, frozen=True, kw_only=True):
    """Until when something stays, as the profile drawer keeps it; `chosen`: its owner said so."""

    until: Day
    chosen: bool = False


class CopyLine(Strict, frozen=True, kw_only=True):
    """One copy in the owner's list: until when it stays, and whether she said so."""

    id: CopyId
    until: str = ""
    chosen: bool = False


class FileLine(Strict, frozen=True, kw_only=True):
    """One sealed file in the owner's list: its id is the SHA-256 of its sealed form, by which a message names it."""

    id: CopyId
    until: str = ""
    chosen: bool = False


class FileList(Strict, frozen=True, kw_only=True):
    """The files drawer, as its owner sees it."""

    files: tuple[FileLine, ...]


class CopyList(Strict, frozen=True, kw_only=True):
    """The copies drawer, as its owner sees it."""

    copies: tuple[CopyLine, ...]

"""What comes to a place for downloads, what it keeps, and what her browser is handed."""

from datetime import date
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from wissel.chain.copies.words import COPIES_MAX, JWE_CHARS_MAX

HANDED_MAX: Final = 100  # items in one download; she asks again for more
Kind = Literal["message", "copy", "file"]


class SealedMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message to the learner, sealed to her, with the platform's acknowledgement of it and its end date."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f-]{36}$(?!\n)")]
    acknowledgement: Annotated[str, msgspec.Meta(max_length=8_000)]
    jwe: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_.-]+$(?!\n)", max_length=JWE_CHARS_MAX)]
    until: date


class SealedCopy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One afschrift to the learner: `id` is its commitment, `until` the end date of its message."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]
    jwe: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_.-]+$(?!\n)", max_length=JWE_CHARS_MAX)]
    until: date


class Copies(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Up to 100 copies at once."""

    copies: Annotated[tuple[SealedCopy, ...], msgspec.Meta(min_length=1, max_length=COPIES_MAX)]


class Messages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the platform delivers: up to 100 at once."""

    messages: Annotated[tuple[SealedMessage, ...], msgspec.Meta(min_length=1, max_length=COPIES_MAX)]


class Receipted(msgspec.Struct, frozen=True, kw_only=True):
    """The portal's signed outcome of one message: `later` while it waits for her, `accepted` when she has it."""

    id: str
    receipt: str


class Receipts(msgspec.Struct, frozen=True, kw_only=True):
    """The outcomes of what was delivered, in its order."""

    receipts: tuple[Receipted, ...]


class PlaceRow(NamedTuple):
    """A place: whose (her pseudonym at this portal), the hash of the token that opens it, its last day.

    `process` is what comes there; empty until her first message is drawn up.
    """

    place: str
    subject: str
    digest: str
    until: str
    process: str = ""


class Item(NamedTuple):
    """One item: `jwe` is empty once she has it; of a message then the receipt and who sent it are left.

    The id of a file is the SHA-256 of its sealed form. `until` is the last day on which it stays.
    """

    place: str
    kind: Kind
    id: str
    commitment: str
    acknowledgement: str
    jwe: str
    until: str
    receipt: str = ""
    source: str = ""


class Taken(NamedTuple):
    """An item that is safe on her side. Her browser alone can read who sent a message."""

    item: Item
    source: str


class Downloaded(msgspec.Struct, frozen=True, kw_only=True):
    """How much she took home in one visit."""

    messages: int
    copies: int
    files: int

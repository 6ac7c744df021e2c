"""What comes to the stage door of the portal, and what it answers."""

from typing import Annotated, Any, Literal

import msgspec

from wissel.messages.envelope import Urn
from wissel.messages.fields import Code, Digest, Form, Id, MonthStart, Text, Year
from wissel.messages.participant import Jwk

Ref = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,60}$(?!\n)")]


class Play(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every call to the stage door is: whole, and without fields that nobody knows."""


class Pointer(Play, frozen=True, kw_only=True):
    """Where a learner's vault is, handed over by her vault's app at log-in.

    `grant` is the token of the portal grant that she gave; `profilekey` the private key that opens her profile;
    `key` the public key to which her copies are sealed; `provider` the participant that runs the vault.
    """

    vault: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s]+$(?!\n)", max_length=500)]
    grant: Annotated[str, msgspec.Meta(max_length=200)]
    profilekey: Jwk
    key: Jwk
    provider: Urn


class Keeping(Play, frozen=True, kw_only=True):
    """Who asks, and where her messages and copies go: a vault (hers, or one that is opened for her), or downloads."""

    learner: Ref
    copies: Literal["vault", "downloads"] = "vault"


class Wish(Keeping, frozen=True, kw_only=True):
    """What she fills in to enrol. Empty `motivation`: what her profile says."""

    institution: Urn
    programme: Code
    studyyear: Year = "2026-27"
    form: Form = "fulltime"
    start: MonthStart | Literal[""] = ""
    way: Literal["once", "instalments"] = "once"
    payer: Literal["self", "third"] = "self"
    motivation: Text = ""


class Withdrawal(Play, frozen=True, kw_only=True):
    """She withdraws; she owes no reason."""

    text: Text = ""
    learner: Ref | Literal[""] = ""  # who is there; empty: who began


class ConsentWish(Play, frozen=True, kw_only=True):
    """Somebody else pays, and she consents in writing, naming that party (WHW 7.37(3)); or takes it back."""

    party: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    purpose: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "to pay my tuition fee"
    given: bool = True


class ObjectionWish(Keeping, frozen=True, kw_only=True):
    """She objects to a decision (its message id), with the hashes of the afschriften from her vault that show it."""

    institution: Urn
    decision: Id
    text: Text
    afschriften: Annotated[tuple[Digest, ...], msgspec.Meta(min_length=1, max_length=50)]


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A message was made, signed by her, and is kept until it is over. `commitment` is base64url."""

    process: str
    message: str
    subject: str
    commitment: str


class Mine(msgspec.Struct, frozen=True, kw_only=True):
    """A process of hers, as she finds it in her list: with whom."""

    process: str
    institution: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request in "my requests", as the platform says it: begun on this device or another."""

    process: str
    kind: str
    institution: str
    phase: str
    open: tuple[str, ...] = ()
    decided: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a process stands. `sending` counts messages not yet done; `refused` are the platform's codes for some.

    `phase` is the platform's; "sending" while it has no message of it, "forgotten" when it knows it no more.
    """

    process: str
    phase: str
    open: tuple[str, ...] = ()
    decided: bool = False
    sending: int = 0
    refused: tuple[str, ...] = ()


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What the profile drawer holds, as far as the portal reads it."""

    person: dict[str, Any]
    iban: str = ""
    holder: str = ""
    motivation: str = ""
    foreigndiplomas: tuple[dict[str, Any], ...] = ()

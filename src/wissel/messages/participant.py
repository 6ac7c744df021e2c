"""Who may speak: the card by which a participant makes itself known, and the standing grants it signs.

Cards are public and name no person. A portal, an institution, a vault provider, a chain partner and the
platform itself each have one.
"""

from typing import Annotated, Any, Final, Literal

import msgspec

from wissel.messages.envelope import Day, Line, Moment, Urn
from wissel.messages.verify import b64, canonical, sha256

CARD_BYTES_MAX: Final = 128 * 1024

Role = Literal["platform", "portal", "institution", "provider", "duo", "ind", "nuffic", "psp", "eduid", "lcsk"]
Jwk = dict[str, str]
MANDATE: Final = "mandate: "  # begins the note of a key with which a supplier signs for an institution


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One public key. `kid` is its RFC 7638 thumbprint; `note` says e.g. "adapter for DUO"."""

    kid: Annotated[str, msgspec.Meta(max_length=64)]
    use: Literal["sign", "seal", "id_token"]
    jwk: Jwk
    since: Moment
    until: Moment
    note: str = ""


class StandingGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`grantor` (the receiver) lets any participant in `role` send it `type`, for `purpose`, on `ground`.

    Signed by the grantor as a compact JWS over the canonical JSON of this struct. The hash of that JWS
    (base64url SHA-256) stands in the `grant` attribute of every envelope that leans on it.
    """

    grantor: Urn
    role: Role | Literal["learner"]
    type: Line
    purpose: Line
    ground: Line
    since: Day
    until: Day


class Endpoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base addresses. Without `push` the participant pulls; `copies` is its vault, `witness` its witness."""

    push: str = ""
    copies: str = ""
    witness: str = ""
    api: str = ""  # a chain partner's own API, spoken to by an adapter; a provider's, where anybody may open a vault


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a participant makes itself known to the platform."""

    urn: Urn
    name: Line
    roles: tuple[Role, ...]
    keys: tuple[Key, ...]
    endpoints: Endpoints = Endpoints()
    grants: tuple[str, ...] = ()  # compact JWSs over StandingGrant
    witness: str = ""  # the C2SP verifier key (vkey) of its witness
    issuer: str = ""  # an identity provider's issuer URL
    settings: dict[str, Any] = {}  # an institution's programmes and gates; no persons


def canonical_card(card: Card) -> bytes:
    """Return the card in canonical JSON (RFC 8785). Raises Refused when its settings hold what that cannot say."""
    return canonical(msgspec.to_builtins(card))


def hash_card(card: Card) -> str:
    """Return base64url SHA-256 of the card in canonical JSON: what its leaf in the log says. Raises Refused."""
    return b64(sha256(canonical_card(card)))

"""What comes to the drawer."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

COPIES_MAX = 100
JWE_CHARS_MAX = 2_000_000


class Copy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sealed afschrift: `id` is its commitment (base64url), `jwe` is sealed to this party's own key."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}$")]
    jwe: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]+$", max_length=JWE_CHARS_MAX)]


class Copies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 100 at once."""

    copies: Annotated[tuple[Copy, ...], msgspec.Meta(min_length=1, max_length=COPIES_MAX)]


class Stored(msgspec.Struct, frozen=True):
    """The ids that are durable now."""

    stored: tuple[str, ...]


class Proof(msgspec.Struct, frozen=True):
    """What a `Wissel-Proof` says: method, address, moment, id of the proof, and the hash of the body."""

    htm: str
    htu: str
    iat: int
    jti: Annotated[str, msgspec.Meta(min_length=8, max_length=128)]
    digest: str


# The platform's public signing keys by key id, as its card has them; asked anew each time, so keys may change.
PlatformKeys = Callable[[], Mapping[str, Mapping[str, Any]]]

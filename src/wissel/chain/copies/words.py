"""What comes to the drawer."""

from datetime import date
from typing import Annotated, Final

import msgspec

COPIES_MAX: Final = 100
JWE_CHARS_MAX: Final = 1_500_000


class Copy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sealed afschrift: `id` is its commitment (base64url), `jwe` is sealed to this party's own key.

    `until` is the end date of its message, for who cannot open it.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]
    jwe: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_.-]+$(?!\n)", max_length=JWE_CHARS_MAX)]
    until: date | None = None


class Copies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 100 at once."""

    copies: Annotated[tuple[Copy, ...], msgspec.Meta(min_length=1, max_length=COPIES_MAX)]


class Stored(msgspec.Struct, frozen=True):
    """The ids that are durable now."""

    stored: tuple[str, ...]

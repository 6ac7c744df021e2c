"""Pure: what a standing grant covers, and when; and what a card may say."""

import re
from collections.abc import Collection
from datetime import date
from typing import Final

import msgspec

from wissel.messages.participant import Card, StandingGrant
from wissel.messages.programmes import read_settings
from wissel.platform.participants.errors import CardInvalid

_ADDRESS: Final = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


def covers(grant: StandingGrant, grantor: str, roles: Collection[str], kind: str, day: date) -> bool:
    """Tell whether by this grant who speaks in one of `roles` may send `kind` to `grantor` on a Dutch day.

    Architecture rule 6: it names who, what and until when; the last day counts.
    """
    return (
        grant.grantor == grantor
        and grant.role in roles
        and grant.type == kind
        and grant.since <= day.isoformat() <= grant.until
    )


def check_shape(card: Card) -> None:
    """Raise CardInvalid for a key that ends before it begins, an address that is none, or unreadable settings."""
    for number, key in enumerate(card.keys):
        if key.until <= key.since:
            raise CardInvalid("A key must end after it begins.", field=f"/keys/{number}/until")
    for name, address in msgspec.structs.asdict(card.endpoints).items():
        if address and not _ADDRESS.fullmatch(address):
            said = "An address is http:// or https:// with a host, without user, query or fragment."
            raise CardInvalid(said, field=f"/endpoints/{name}")
    if "institution" in card.roles:
        try:
            read_settings(card.settings)
        except msgspec.ValidationError as error:
            sentence, _, path = str(error).partition(" - at `$")
            pointer = path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
            raise CardInvalid(f"An institution's settings: {sentence}.", field=f"/settings{pointer}") from None

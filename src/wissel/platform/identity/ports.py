"""What identity asks of the participants, on its own floor."""

from datetime import datetime
from typing import Protocol

from wissel.messages.participant import Card, Key


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
    """Who may speak, and with which keys."""

    def card(self, urn: str) -> Card:
        """Return a participant's card. Raises a WisselError when there is none."""
        ...

    def live_key(self, kid: str, use: str, now: datetime) -> Holder:
        """Return the key `kid` when it may be used for `use` now. Raises a WisselError otherwise."""
        ...

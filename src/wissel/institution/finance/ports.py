"""What the connector asks of a financial system."""

from collections.abc import Mapping
from typing import Protocol

from wissel.institution.finance.words import Account, Change


class Finance(Protocol):
    """A financial system."""

    async def book(self, change: Change) -> None:
        """Book a change and its id in one transaction; an id that was booked before changes nothing.

        Raises SystemDown when it cannot, and then nothing of it is booked.
        """
        ...

    async def account(self, process: str) -> Account | None:
        """Return what is booked for a registration, or None."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """Return how many accounts, confirmed mandates and changes there are."""
        ...

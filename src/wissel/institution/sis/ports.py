"""What the connector asks of a SIS: book changes, each once, and tell what is booked."""

from collections.abc import Mapping
from typing import Protocol

from wissel.institution.sis.words import Change, Registration


class Sis(Protocol):
    """A student information system."""

    async def book(self, change: Change) -> None:
        """Book a change and its id in one transaction; an id that was booked before changes nothing.

        Raises SystemDown when the SIS cannot, and then nothing of it is booked.
        """
        ...

    async def registration(self, process: str) -> Registration | None:
        """Return the registration of a process, or None."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """Return how many students, registrations, decisions and changes there are, and rows that stand twice."""
        ...

    async def check(self) -> str:
        """Return what is wrong with the connection, or an empty text (for the health page)."""
        ...

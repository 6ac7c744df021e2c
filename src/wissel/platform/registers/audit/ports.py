"""What the audit trail asks of others."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol


class Highest(Protocol):
    """The highest checkpoint ever signed, durable and outside the database (`KeyStore` of `platform/forgetting`)."""

    def checkpoint(self) -> str:
        """Return the note last kept, or an empty text when none ever was."""
        ...

    def keep_checkpoint(self, note: str) -> None:
        """Replace the note and return when it is durable. Raises when one that it contradicts is kept."""
        ...


class WitnessAnswer(NamedTuple):
    """What a witness said: an HTTP status and a body."""

    status: int
    body: str


WitnessCall = Callable[[str, str], Awaitable[WitnessAnswer]]
"""(urn, body): post `body` to `<endpoints.witness>/add-checkpoint` of the participant; any status is an answer.

Raises WisselError (Unreachable) when there is none.
"""

"""What a provider asks of its identities and of its key."""

from collections.abc import Sequence
from typing import Protocol

from wissel.chain.oidc.words import Claims, Client
from wissel.chain.people import Person


class Identities(Protocol):
    """Who can log in, and who she is to whom."""

    application: str  # its name in the steering table
    acrs: Sequence[str]  # what it can say of assurance, weakest first
    claims_supported: Sequence[str]

    def find(self, hint: str) -> Person | None:
        """Return who is meant by a login_hint, or None."""
        ...

    def listed(self) -> Sequence[Person]:
        """Return who can be chosen on the log-in page."""
        ...

    def acr(self, person: Person, wanted: Sequence[str], /) -> str:
        """Return the assurance with which she logs in; empty when none of `wanted` can be met."""
        ...

    async def subject(self, person: Person, client: Client, /) -> str:
        """Return her `sub` at this client."""
        ...

    async def claims(self, person: Person, client: Client, scope: Sequence[str], /) -> Claims:
        """Return what this client may know of her, beside `sub`."""
        ...


class TokenKey(Protocol):
    """Signs tokens."""

    alg: str
    kid: str

    @property
    def jwk(self) -> dict[str, str]:
        """The public JWK, with alg, kid and use, for the jwks document."""
        ...

    def sign(self, claims: Claims) -> str:
        """Return a compact JWT."""
        ...

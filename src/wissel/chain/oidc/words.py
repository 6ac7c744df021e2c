"""Clients, requests and answers of an OpenID Connect provider."""

from datetime import datetime
from typing import Any, ClassVar, Final, Literal, NamedTuple

import msgspec

from wissel.chain.errors import ChainError
from wissel.chain.people import Person

CODE_S: Final = 60
TOKEN_S: Final = 3600
ID_TOKEN_S: Final = 600


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A relying party. `kind` "sign" may ask scope `openid` only and gets a new `sub` at each call.

    `service` is whom the pseudonym is for: clients of one service see one `sub`.
    """

    id: str
    secret: str
    redirects: tuple[str, ...]
    kind: Literal["login", "sign"] = "login"
    service: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")


class Asked(NamedTuple):
    """A checked authorization request."""

    client: Client
    redirect: str
    scope: tuple[str, ...]
    state: str
    nonce: str
    challenge: str
    acrs: tuple[str, ...]
    hint: str
    silent: bool


class Code(NamedTuple):
    """What an authorization code stands for."""

    asked: Asked
    person: Person
    acr: str
    authenticated: datetime
    until: datetime


class Access(NamedTuple):
    """What an access token stands for. `subject` is the `sub` of its id_token."""

    client: Client
    person: Person
    scope: tuple[str, ...]
    subject: str
    until: datetime


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the token endpoint (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3)."""

    access_token: str
    id_token: str
    expires_in: int
    scope: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (a kind of token)


Claims = dict[str, Any]


class OAuthError(ChainError):
    """An error of RFC 6749 section 5.2: `error` is its code. Answered as JSON, not as a problem."""

    code: ClassVar[str] = "chain-oauth"
    status: ClassVar[int] = 400

    def __init__(self, error: str, sentence: str, *, unauthorized: bool = False) -> None:
        super().__init__(sentence)
        self.error = error
        self.unauthorized = unauthorized


class SentBack(OAuthError):
    """An error that goes back to the client by way of the browser (RFC 6749 section 4.1.2.1)."""

    def __init__(self, error: str, sentence: str, *, redirect: str, state: str) -> None:
        super().__init__(error, sentence)
        self.redirect = redirect
        self.state = state

"""Authorize, give tokens, tell who somebody is."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Generic, TypeVar
from urllib.parse import unquote_plus, urlencode

from wissel.chain.door.keys import read_basic, same
from wissel.chain.oidc.ports import Identities, TokenKey
from wissel.chain.oidc.rules import check_code, read_request
from wissel.chain.oidc.words import (
    CODE_S,
    ID_TOKEN_S,
    TOKEN_S,
    Access,
    Asked,
    Claims,
    Client,
    Code,
    OAuthError,
    SentBack,
    Tokens,
)
from wissel.chain.people import Person
from wissel.chain.steering import conduct
from wissel.chain.world import World
from wissel.messages.verify import b64, sha256

KEPT_MAX: Final = 20_000
T = TypeVar("T")


class _Kept(Generic[T]):
    """Things by a secret name, in memory: the oldest go when there are too many."""

    def __init__(self) -> None:
        self._things: OrderedDict[str, T] = OrderedDict()

    def put(self, name: str, thing: T) -> None:
        self._things[name] = thing
        if len(self._things) > KEPT_MAX:
            self._things.popitem(last=False)

    def get(self, name: str) -> T | None:
        return self._things.get(name)

    def pop(self, name: str) -> T | None:
        return self._things.pop(name, None)


class Provider:
    """One OpenID Connect provider. `issuer` is its public address without a slash at the end."""

    def __init__(
        self, world: World, issuer: str, clients: tuple[Client, ...], key: TokenKey, identities: Identities
    ) -> None:
        self._world = world
        self.issuer = issuer
        self.key = key
        self.identities = identities
        self._clients = {client.id: client for client in clients}
        self._codes: _Kept[Code] = _Kept()
        self._spent: _Kept[str] = _Kept()
        self._tokens: _Kept[Access] = _Kept()

    async def authorize(self, params: Mapping[str, str]) -> str | None:
        """Return the address to send the browser to; None when a person must be chosen first.

        Raises OAuthError (nothing to send back to) or SentBack.
        """
        asked = read_request(params, self._clients)
        await self._world.think(self.identities.application)
        person = self.identities.find(asked.hint) if asked.hint else None
        if person is None and not asked.hint and not asked.silent:
            return None
        if person is None:
            raise self._back(asked, "login_required", "Nobody of that name is known here.")
        if conduct(person.surname).login == "cancelled":
            raise self._back(asked, "access_denied", "She cancelled.")
        acr = self.identities.acr(person, asked.acrs)
        if not acr:
            raise self._back(asked, "unmet_authentication_requirements", "None of the acr_values can be met.")
        now = self._world.clock.now()
        code = b64(self._world.entropy.draw(32))
        self._codes.put(code, Code(asked, person, acr, now, now + timedelta(seconds=CODE_S)))
        return self._redirect(asked.redirect, {"code": code, "state": asked.state})

    def send_back(self, error: SentBack) -> str:
        """Return the address that takes an error to the client."""
        facts = {"error": error.error, "error_description": error.sentence, "state": error.state}
        return self._redirect(error.redirect, facts)

    async def token(self, form: Mapping[str, str], authorization: str) -> Tokens:
        """Give tokens for a code, once. Raises OAuthError."""
        client = self._authenticate(form, authorization)
        if form.get("grant_type") != "authorization_code":
            raise OAuthError("unsupported_grant_type", "Only grant_type=authorization_code is offered.")
        name = form.get("code", "")
        issued = self._spent.get(name)
        if issued is not None:  # RFC 6749 section 4.1.2: what came of a code that is used twice is taken back
            self._tokens.pop(issued)
        code = check_code(self._codes.get(name), client, form, self._world.clock.now())
        self._codes.pop(name)
        access, tokens = await self._issue(code)
        self._spent.put(name, tokens.access_token)
        self._tokens.put(tokens.access_token, access)
        return tokens

    async def userinfo(self, authorization: str) -> Claims:
        """Return the claims of an access token's holder. Raises OAuthError."""
        scheme, _, token = authorization.partition(" ")
        access = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if access is None or self._world.clock.now() >= access.until:
            raise OAuthError("invalid_token", "This access token is not known or too old.", unauthorized=True)
        claims = await self.identities.claims(access.person, access.client, access.scope)
        return {**claims, "sub": access.subject}

    def introspect(self, form: Mapping[str, str], authorization: str) -> Claims:
        """Say whether an access token lives, and for whom (RFC 7662). Raises OAuthError."""
        self._authenticate(form, authorization)
        access = self._tokens.get(form.get("token", ""))
        if access is None or self._world.clock.now() >= access.until:
            return {"active": False}
        return {
            "active": True,
            "client_id": access.client.id,
            "sub": access.subject,
            "scope": " ".join(access.scope),
            "exp": int(access.until.timestamp()),
            "iss": self.issuer,
        }

    async def _issue(self, code: Code) -> tuple[Access, Tokens]:
        asked, now = code.asked, self._world.clock.now()
        subject = await self.identities.subject(code.person, asked.client)
        token = b64(self._world.entropy.draw(32))
        claims: Claims = {
            "iss": self.issuer,
            "sub": subject,
            "aud": asked.client.id,
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + ID_TOKEN_S,
            "auth_time": int(code.authenticated.timestamp()),
            "acr": code.acr,
        }
        if asked.nonce:
            claims["nonce"] = asked.nonce
        if asked.client.kind == "login":
            claims["at_hash"] = b64(sha256(token.encode())[:16])
            claims |= await self.identities.claims(code.person, asked.client, ("openid",))
        access = Access(asked.client, code.person, asked.scope, subject, now + timedelta(seconds=TOKEN_S))
        tokens = Tokens(
            access_token=token, id_token=self.key.sign(claims), expires_in=TOKEN_S, scope=" ".join(asked.scope)
        )
        return access, tokens

    def _authenticate(self, form: Mapping[str, str], authorization: str) -> Client:
        name, secret = (unquote_plus(part) for part in read_basic(authorization))  # RFC 6749 section 2.3.1
        if not name:
            name, secret = form.get("client_id", ""), form.get("client_secret", "")
        client = self._clients.get(name)
        if client is None or not same(secret, client.secret):
            raise OAuthError("invalid_client", "The client's name or secret is wrong.", unauthorized=True)
        return client

    def _redirect(self, address: str, facts: Mapping[str, str]) -> str:
        query = urlencode({name: value for name, value in {**facts, "iss": self.issuer}.items() if value})
        return f"{address}{'&' if '?' in address else '?'}{query}"

    @staticmethod
    def _back(asked: Asked, error: str, sentence: str) -> SentBack:
        return SentBack(error, sentence, redirect=asked.redirect, state=asked.state)

    def choices(self) -> list[Person]:
        """Return who can be chosen on the log-in page."""
        return list(self.identities.listed())

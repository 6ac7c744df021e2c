"""The portal as relying party: authorization code flow with PKCE, the browser played by reading `Location`.

Everything is checked that OpenID Connect Core 3.1.3.7 asks: state, iss, signature, aud, nonce, expiry, acr.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import msgspec

from wissel.chain.errors import NotAllowed, PartnerFailed
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.http.ports import Http, Request, Response
from wissel.messages.verify import Refused, b64, check_jws, jws_header, sha256

LEEWAY_S: Final = 60


class LoggedIn(NamedTuple):
    """A checked id_token, its claims, and the access token that came with it."""

    token: str
    claims: Mapping[str, Any]
    access: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """One client at one provider."""

    http: Http
    clock: Clock
    entropy: Entropy
    issuer: str
    client: str
    secret: str
    redirect: str
    scope: str = "openid"

    async def login(self, hint: str, *, nonce: str = "", acr: str = "") -> LoggedIn:
        """Log `hint` in afresh. Raises NotAllowed when she or the provider says no, PartnerFailed otherwise."""
        there = await self._get(f"{self.issuer}/.well-known/openid-configuration")
        if there.get("issuer") != self.issuer:
            raise PartnerFailed("The provider's discovery document is of another issuer.")
        nonce = nonce or b64(self.entropy.draw(32))
        verifier, state = b64(self.entropy.draw(32)), b64(self.entropy.draw(16))
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": self.redirect,
            "scope": self.scope,
            "state": state,
            "nonce": nonce,
            "prompt": "login",
            "login_hint": hint,
            "acr_values": acr,
            "code_challenge": b64(sha256(verifier.encode())),
            "code_challenge_method": "S256",
        }
        code = await self._authorize(there["authorization_endpoint"], asked)
        tokens = await self._redeem(there["token_endpoint"], code, verifier)
        claims = await self._check(there["jwks_uri"], str(tokens.get("id_token", "")), nonce, acr)
        return LoggedIn(str(tokens["id_token"]), claims, str(tokens.get("access_token", "")))

    async def _authorize(self, endpoint: str, asked: Mapping[str, str]) -> str:
        query = urlencode({name: value for name, value in asked.items() if value})
        answer = await self.http.send(Request("GET", f"{endpoint}?{query}"))
        location = answer.headers.get("location", "")
        if answer.status not in {302, 303} or not location.startswith(f"{self.redirect}?"):
            raise PartnerFailed("The provider did not send the browser back.")
        back = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        if back.get("state") != asked["state"] or back.get("iss", self.issuer) != self.issuer:
            raise PartnerFailed("What came back belongs to another log-in.")
        if "code" not in back:
            raise NotAllowed(f"The log-in did not succeed: {back.get('error', 'no code')}.")
        return back["code"]

    async def _redeem(self, endpoint: str, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": verifier,
            "client_id": self.client,
            "client_secret": self.secret,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        body = urlencode(form, quote_via=quote_plus).encode()
        return _json(await self.http.send(Request("POST", endpoint, headers, body)))

    async def _check(self, jwks_uri: str, token: str, nonce: str, acr: str) -> Mapping[str, Any]:
        keys = (await self._get(jwks_uri)).get("keys", [])
        now = self.clock.now().timestamp()
        try:
            kid = jws_header(token).get("kid")
            key = next(key for key in keys if key.get("kid") == kid)
            claims = msgspec.json.decode(check_jws(token, key)[1], type=dict[str, Any])
        except (Refused, StopIteration, msgspec.DecodeError) as error:
            raise PartnerFailed("The provider's id_token cannot be trusted.") from error
        reasons = {
            "is of another issuer": claims.get("iss") != self.issuer,
            "is for another client": claims.get("aud") not in (self.client, [self.client]),
            "has another nonce": claims.get("nonce") != nonce,
            "has expired": int(claims.get("exp", 0)) + LEEWAY_S < now,
            "has less assurance than was asked": bool(acr) and claims.get("acr") not in acr.split(),
        }
        for reason, holds in reasons.items():
            if holds:
                raise PartnerFailed(f"The provider's id_token {reason}.")
        return claims

    async def _get(self, url: str) -> dict[str, Any]:
        return _json(await self.http.send(Request("GET", url, {"Accept": "application/json"})))


def _json(answer: Response) -> dict[str, Any]:
    if answer.status != 200:  # noqa: PLR2004 (RFC 9110: OK)
        raise PartnerFailed(f"A provider answered {answer.status}.")
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise PartnerFailed("A provider's answer is no JSON object.") from error

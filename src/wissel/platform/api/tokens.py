"""Tokens: a participant proves its key (private_key_jwt, RFC 7523) and gets a short-lived JWT (RFC 9068) for it."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from math import ceil
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from wissel.client.words import ASSERTION, TokenAnswer
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.core.errors import WisselError
from wissel.infra.http.errors import TooMany, Unauthenticated
from wissel.infra.http.jwt import NotValid, after, kid_of, moment, read_jwt, seconds, sign_jwt, text
from wissel.infra.http.rate import Buckets
from wissel.infra.http.replay import Seen
from wissel.messages.jose import SigningKey
from wissel.messages.verify import Refused, b64
from wissel.platform.api.errors import ClientUnproven, MadeBefore, TokenRefused
from wissel.platform.api.ports import Directory, Holder
from wissel.platform.api.words import SCOPES, Caller, Limits

TYP: Final = "at+jwt"
FORM_FIELDS_MAX: Final = 8
KNOWN_MAX: Final = 10_000
_ASSERTION_TYPES: Final = frozenset({"", "jwt", "client-authentication+jwt"})


class _Known(NamedTuple):
    """A token that was checked: its signature need not be checked again."""

    caller: Caller
    kid: str
    until_s: int


class Tokens:
    """Gives and checks tokens. `base` is the platform's public address: issuer and audience of its tokens."""

    def __init__(
        self,
        *,
        base: str,
        key: SigningKey,
        directory: Directory,
        clock: Clock,
        entropy: Entropy,
        limits: Limits | None = None,
    ) -> None:
        self._base = base.rstrip("/")
        self._key = key
        self._directory = directory
        self._clock = clock
        self._entropy = entropy
        self._limits = limits or Limits()
        self._seen = Seen()
        self._since_s = ceil(clock.now().timestamp())  # what was made in the second of the start may have been used
        self._shares = Buckets(clock, per_second=self._limits.tokens_per_second, burst=self._limits.tokens_burst)
        self._known: OrderedDict[str, _Known] = OrderedDict()

    @property
    def endpoint(self) -> str:
        """The token endpoint's own address, the audience of client assertions."""
        return f"{self._base}/v1/oauth/token"

    def give(self, form: bytes) -> TokenAnswer:
        """Answer a token request (application/x-www-form-urlencoded). Raises TokenRefused or TooMany."""
        fields = _read_form(form)
        if not fields.get("grant_type"):
            raise TokenRefused("invalid_request", "The form has no grant_type.", field="grant_type")
        if fields["grant_type"] != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "Only client_credentials is given.", field="grant_type")
        if fields.get("client_assertion_type") != ASSERTION:
            raise TokenRefused("invalid_request", f"It must be {ASSERTION}.", field="client_assertion_type")
        holder = self._prove(fields.get("client_assertion", ""))
        urn = holder.card.urn
        if fields.get("client_id", urn) != urn:
            raise ClientUnproven("The client_id is another than that of the assertion.", field="client_id")
        scope = _scope(holder, fields.get("scope", ""))
        return TokenAnswer(access_token=self._make(holder, scope), expires_in=self._limits.token_s, scope=scope)

    def check(self, token: str) -> Caller:
        """Return whose token it is. Raises Unauthenticated.

        The key by which it was asked must still be live: revoking a key ends its tokens at once.
        """
        now = self._clock.now()
        known = self._known.get(token) or self._read(token)
        if known.until_s <= seconds(now):
            raise Unauthenticated("The token has expired; ask for a new one.", field="Authorization")
        try:
            self._directory.live_key(known.kid, "sign", now)
        except WisselError:
            raise Unauthenticated(
                "The key by which this token was asked is no longer live.", field="Authorization"
            ) from None
        return known.caller

    def _prove(self, assertion: str) -> Holder:
        try:
            holder = self._directory.live_key(kid_of(assertion), "sign", self._clock.now())
            claims = read_jwt(assertion, holder.key.jwk, _ASSERTION_TYPES)
            self._check_claims(claims, holder)
        except (Refused, NotValid) as error:
            raise ClientUnproven(f"The client assertion does not hold: {error}") from None
        except (ClientUnproven, TooMany):
            raise
        except WisselError as error:
            if error.status >= 500:  # noqa: PLR2004 - not the client's fault
                raise
            raise ClientUnproven(f"The client assertion does not hold: {error.sentence}") from None
        return holder

    def _check_claims(self, claims: Mapping[str, Any], holder: Holder) -> None:
        urn, now = holder.card.urn, self._clock.now()
        if text(claims, "iss") != urn or text(claims, "sub") != urn:
            raise NotValid("Its iss and sub must both be the URN whose key signs.")
        audience = claims.get("aud")
        if not {self.endpoint, self._base} & set(audience if isinstance(audience, list) else [audience]):
            raise NotValid("Its audience (aud) must be the token endpoint or the issuer.")
        skew, ends = self._limits.clock_skew_s_max, moment(claims, "exp")
        if not seconds(now) - skew < ends <= seconds(now) + self._limits.assertion_s_max + skew:
            raise NotValid(f"It must expire (exp) within {self._limits.assertion_s_max} s from now.")
        self._check_made(claims, now)
        self._shares.take(urn)  # it may not fill the memory of all with assertions of its own
        until = after(now, self._limits.assertion_s_max + 2 * skew + 1)
        if not self._seen.first(f"{urn} {text(claims, 'jti', 100)}", until, now):
            raise NotValid("It was used before (jti); make a new one for each request.")

    def _check_made(self, claims: Mapping[str, Any], now: datetime) -> None:
        """Hold an assertion to the life of this process: what was used before it started, its memory does not know."""
        for name in ("iat", "nbf"):
            at = moment(claims, name) if name == "iat" or name in claims else 0
            if at > seconds(now) + self._limits.clock_skew_s_max:
                raise NotValid(f"It lies in the future ({name}); check both clocks.")
        if moment(claims, "iat") < self._since_s:
            raise MadeBefore("The assertion was made (iat) before this door opened. Make a new one and ask again.")

    def _make(self, holder: Holder, scope: str) -> str:
        now, urn = seconds(self._clock.now()), holder.card.urn
        claims = {
            "iss": self._base,
            "aud": self._base,
            "sub": urn,
            "client_id": urn,
            "iat": now,
            "exp": now + self._limits.token_s,
            "jti": b64(self._entropy.draw(16)),
            "scope": scope,
            "client_key": holder.key.kid,
        }
        return sign_jwt(self._key, TYP, claims)

    def _read(self, token: str) -> _Known:
        try:
            claims = read_jwt(token, self._key.public_jwk, frozenset({TYP}))
            self._made_here(claims)
            caller = Caller(text(claims, "sub"), frozenset(str(claims.get("scope", "")).split()))
            known = _Known(caller, text(claims, "client_key"), moment(claims, "exp"))
        except (Refused, NotValid) as error:
            raise Unauthenticated(f"The token does not hold: {error}", field="Authorization") from None
        self._known[token] = known
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return known

    def _made_here(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self._base or claims.get("aud") != self._base:
            raise NotValid("It was made for another address.")


def _read_form(form: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            form.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError:
        raise TokenRefused("invalid_request", "The body is not an application/x-www-form-urlencoded form.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise TokenRefused("invalid_request", "A field stands twice in the form.")
    return fields


def _scope(holder: Holder, asked: str) -> str:
    """Return what the roles of the caller allow, or the part of it that was asked for."""
    allowed = {str(scope) for role in holder.card.roles for scope in SCOPES[role]}
    wanted = set(asked.split()) or allowed
    if not wanted <= allowed:
        raise TokenRefused("invalid_scope", "Your role does not allow that scope.", field="scope")
    return " ".join(sorted(wanted))

"""Pure rules: what a learner's token must say (OpenID Connect Core 3.1.3.7), and under which name she is indexed."""

import hmac
from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from wissel.messages.participant import Card
from wissel.messages.verify import canonical
from wissel.platform.identity.words import CLIENTS, LIFE_MAX, SKEW_MAX, Learner


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of an id_token; moments in seconds since 1970."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: int
    iat: int
    azp: str = ""
    acr: str = ""


def login_clients(card: Card) -> frozenset[str]:
    """Return the log-in clients on a portal's card; nobody else has any."""
    return frozenset(card.settings.get(CLIENTS, ())) if "portal" in card.roles else frozenset()


def why_not(header: Mapping[str, object], claims: Claims, clients: Collection[str], now: datetime) -> str:
    """Return why a token that its provider signed is no log-in at a portal with these clients, or an empty text."""
    audiences = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    authorized = claims.azp or (audiences[0] if len(audiences) == 1 else "")
    at, skew = now.timestamp(), SKEW_MAX.total_seconds()
    reasons = {
        "it is no id_token (typ)": str(header.get("typ", "JWT")).upper() != "JWT",
        "it was made for a client that is no log-in client of the calling portal": authorized not in clients
        or authorized not in audiences,
        "it names nobody": not 0 < len(claims.sub) <= 255,  # noqa: PLR2004 - OpenID Connect Core section 2
        "it has expired": claims.exp <= at - skew,
        "it lies in the future": claims.iat > at + skew,
        "it lives longer than an hour": claims.exp - claims.iat > LIFE_MAX.total_seconds(),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def index_name(key: bytes, learner: Learner) -> bytes:
    """Return the name under which a learner is indexed: 32 bytes that say nothing to who lacks `key`."""
    return hmac.digest(key, canonical([learner.issuer, learner.portal, learner.pseudonym]), "sha256")

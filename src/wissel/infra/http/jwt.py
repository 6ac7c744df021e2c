"""Short-lived signed statements between two doors: a JWT (RFC 7519) with ES256 and a `typ` that names its kind."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from wissel.messages.jose import SigningKey
from wissel.messages.verify import canonical, check_jws, jws_header, parse_json

TOKEN_CHARS_MAX = 8000


class NotValid(ValueError):
    """A JWT that does not hold; the text says why, without a value from it."""


def sign_jwt(key: SigningKey, typ: str, claims: Mapping[str, Any]) -> str:
    """Return a compact JWT; the header has `alg`, `kid` and `typ`."""
    return key.sign(canonical(dict(claims)), typ=typ)


def kid_of(compact: str) -> str:
    """Return which key a JWT says it was signed with. Raises Refused or NotValid."""
    if len(compact) > TOKEN_CHARS_MAX:
        raise NotValid("The token is longer than 8000 characters.")
    kid = jws_header(compact).get("kid")
    if not isinstance(kid, str) or not kid:
        raise NotValid("The token's header names no key (kid).")
    return kid


def read_jwt(compact: str, jwk: Mapping[str, Any], kinds: frozenset[str]) -> dict[str, Any]:
    """Return the claims of a JWT that `jwk` signed with ES256 and whose `typ` is one of `kinds` ("" for none).

    Raises Refused (signature, form) or NotValid.
    """
    if len(compact) > TOKEN_CHARS_MAX:
        raise NotValid("The token is longer than 8000 characters.")
    header, payload = check_jws(compact, jwk)
    if header.get("alg") != "ES256":
        raise NotValid("The token must be signed with ES256.")
    if str(header.get("typ", "")).lower() not in kinds:
        raise NotValid("The token is of another kind (typ).")
    claims = parse_json(payload)
    if not isinstance(claims, dict):
        raise NotValid("The token's claims are not a JSON object.")
    return claims


def text(claims: Mapping[str, Any], name: str, longest: int = 300) -> str:
    """Return a claim that must be a text of 1 to `longest` characters. Raises NotValid."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise NotValid(f"The claim {name} must be a text of 1 to {longest} characters.")
    return value


def moment(claims: Mapping[str, Any], name: str) -> int:
    """Return a claim that must be whole seconds since 1970. Raises NotValid."""
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**40:
        raise NotValid(f"The claim {name} must be a whole number of seconds since 1970.")
    return value


def seconds(at: datetime) -> int:
    """Return whole seconds since 1970, the NumericDate of RFC 7519."""
    return int(at.timestamp())


def after(at: datetime, delay_s: int) -> datetime:
    """Return the moment `delay_s` seconds later."""
    return at + timedelta(seconds=delay_s)

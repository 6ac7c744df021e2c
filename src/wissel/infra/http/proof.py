"""`Wissel-Proof`: who makes a request signs it, in the shape of RFC 9449 (DPoP), with a digest of the body.

Claims: `htm` method, `htu` address without query and fragment, `iat` seconds, `jti` a fresh id, `digest` base64url
SHA-256 of the body. Header: `typ` "wissel-proof+jwt", `alg` ES256, `kid`. Each door behind it does the same thing
twice without harm, so a proof that is seen again inside its window changes nothing and no list of them is kept.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from wissel.core.errors import WisselError
from wissel.messages.verify import Refused, b64, canonical, check_jws, jws_header, parse_json, sha256

HEADER: Final = "Wissel-Proof"
TYPE: Final = "wissel-proof+jwt"
WINDOW_S: Final = 300

KeyOf = Callable[[str], Mapping[str, Any] | None]
Sign = Callable[[bytes, str], str]  # payload, typ -> compact JWS with alg, kid and typ in its header


class Unproven(WisselError):
    """The request does not bear a good `Wissel-Proof`. Sign this very request, now, with a published key."""

    code: ClassVar[str] = "proof-refused"
    status: ClassVar[int] = 401


def make_proof(sign: Sign, *, method: str, url: str, body: bytes, now: datetime, jti: str) -> str:
    """Return the value of the `Wissel-Proof` header for one request."""
    claims = {"digest": b64(sha256(body)), "htm": method, "htu": _plain(url), "iat": int(now.timestamp()), "jti": jti}
    return sign(canonical(claims), TYPE)


def check_proof(proof: str, key_of: KeyOf, *, method: str, url: str, body: bytes, now: datetime) -> str:
    """Return the `kid` that signed this request. Raises Unproven.

    `key_of` gives the public JWK of a `kid` that may speak here, or None.
    """
    try:
        header, claims = _read(proof, key_of)
    except Refused as refused:
        raise Unproven(f"The {HEADER} of this request is refused: {refused.sentence}", field=HEADER) from None
    expected = {"htm": method, "htu": _plain(url), "digest": b64(sha256(body))}
    for name, value in expected.items():
        if claims.get(name) != value:
            raise Unproven(f"The {HEADER} is for another request: {name} differs.", field=HEADER)
    issued = claims.get("iat")
    if type(issued) is not int or abs(now.astimezone(UTC).timestamp() - issued) > WINDOW_S:
        raise Unproven(f"The {HEADER} is not of the last {WINDOW_S} seconds.", field=HEADER)
    return str(header["kid"])


def _read(proof: str, key_of: KeyOf) -> tuple[dict[str, Any], dict[str, Any]]:
    header = jws_header(proof)
    kid = header.get("kid")
    key = key_of(kid) if isinstance(kid, str) else None
    if key is None or header.get("typ") != TYPE:
        raise Refused("proof", "It is not signed with a key that may speak here.")
    header, payload = check_jws(proof, key)
    claims = parse_json(payload)
    if not isinstance(claims, dict):
        raise Refused("proof", "It holds no claims.")
    return header, claims


def _plain(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]

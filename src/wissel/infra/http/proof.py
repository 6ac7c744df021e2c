"""The Wissel-Proof header: who makes a call proves that it holds its key, for this call and no other.

A JWT in the shape of RFC 9449 (DPoP): header `typ`, `alg` ES256 and `kid`; claims `htm` (method), `htu` (URL without
query), `iat`, `jti`, and ours: `digest`, base64url SHA-256 of the body. It is good for a minute, and once for the
process that checks it: after a restart the last minute may come again, so it guards what done twice is done once.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.http.errors import ProofRefused
from wissel.infra.http.jwt import NotValid, after, kid_of, moment, read_jwt, seconds, sign_jwt, text
from wissel.infra.http.replay import SEEN_MAX, Seen
from wissel.messages.jose import SigningKey, hash64
from wissel.messages.verify import Refused, b64

HEADER: Final = "Wissel-Proof"
TYP: Final = "wissel-proof+jwt"
WINDOW_S: Final = 60

KeyOf = Callable[[str], Mapping[str, str] | None]  # kid -> public JWK, None when it is nobody's


def make_proof(key: SigningKey, *, method: str, url: str, body: bytes, now: datetime, entropy: Entropy) -> str:
    """Return the value of the Wissel-Proof header for one call."""
    claims = {
        "htm": method.upper(),
        "htu": _target(url),
        "iat": seconds(now),
        "jti": b64(entropy.draw(16)),
        "digest": hash64(body),
    }
    return sign_jwt(key, TYP, claims)


class Proofs:
    """Checks proofs, each once. `key_of` says whose keys count here."""

    def __init__(self, clock: Clock, key_of: KeyOf, *, window_s: int = WINDOW_S, seen_max: int = SEEN_MAX) -> None:
        self._clock = clock
        self._key_of = key_of
        self._window_s = window_s
        self._seen = Seen(seen_max)

    def check(self, header: str, *, method: str, url: str, body: bytes) -> str:
        """Return the kid of the key that signed. `url` is this door's own public address of the call.

        Raises ProofRefused, or Busy when too many proofs came in the last minute.
        """
        if not header:
            raise ProofRefused("This call needs a Wissel-Proof header (docs/api.md).", field=HEADER)
        try:
            return self._check(header, method.upper(), _target(url), hash64(body))
        except (Refused, NotValid) as error:
            raise ProofRefused(f"The proof does not hold: {error}", field=HEADER) from None

    def _check(self, header: str, method: str, target: str, digest: str) -> str:
        kid = kid_of(header)
        jwk = self._key_of(kid)
        if jwk is None:
            raise NotValid("Its key is not known here.")
        claims = read_jwt(header, jwk, frozenset({TYP}))
        for name, expected in (("htm", method), ("htu", target), ("digest", digest)):
            if text(claims, name, 2000) != expected:
                raise NotValid(f"It was made for another call ({name}).")
        now = self._clock.now()
        if abs(moment(claims, "iat") - seconds(now)) > self._window_s:
            raise NotValid(f"It was made more than {self._window_s} s from now; check both clocks.")
        until = after(now, 2 * self._window_s + 1)
        if not self._seen.first(f"{kid}.{text(claims, 'jti', 100)}", until, now):
            raise NotValid("It was used before; make a new one for each call.")
        return kid


def _target(url: str) -> str:
    return url.split("#", 1)[0].split("?", 1)[0]

"""Keys that sign and seal on the hot path: ES256 (RFC 7515, RFC 6979) and ECDH-ES with A256GCM (RFC 7516).

Checking and opening stand in `verify`, which anybody can run alone; this is the side that holds secrets.
"""

from collections.abc import Mapping
from typing import Any, Final, Self

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wissel.core.entropy import Entropy
from wissel.messages.verify import Refused, b64, canonical, derive, ec_public, parse, sha256, thumbprint, unb64

_CURVE: Final = ec.SECP256R1()
_ES256: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_IV_BYTES: Final = 12


class _Pair:
    """A P-256 key pair. `kid` is the RFC 7638 thumbprint of the public half."""

    def __init__(self, number: int) -> None:
        if not 0 < number < ec.SECP256R1.group_order:
            raise Refused("key-kind", "A private key is not one of P-256.")
        self._key = ec.derive_private_key(number, _CURVE)
        point = self._key.public_key().public_numbers()
        self.public_jwk: dict[str, str] = {
            "crv": "P-256",
            "kty": "EC",
            "x": b64(point.x.to_bytes(32)),
            "y": b64(point.y.to_bytes(32)),
        }
        self.kid: str = thumbprint(self.public_jwk)
        self._secret = number

    @property
    def private_jwk(self) -> dict[str, str]:
        """The private JWK, for the owner's key file only."""
        return {**self.public_jwk, "d": b64(self._secret.to_bytes(32))}

    @classmethod
    def new(cls, entropy: Entropy) -> Self:
        """Draw a key: 320 bits modulo the order, so that no number is likelier (FIPS 186-5 A.2.1)."""
        return cls(int.from_bytes(entropy.draw(40)) % (ec.SECP256R1.group_order - 1) + 1)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """Read a private JWK. Raises Refused when it is not P-256 or its halves do not belong together."""
        pair = cls(int.from_bytes(unb64(str(jwk.get("d", "")))))
        if pair.kid != thumbprint(jwk):
            raise Refused("key-kind", "The private and the public half of a key do not belong together.")
        return pair


class SigningKey(_Pair):
    """Signs with ES256; the same bytes always give the same signature (RFC 6979), with s in the lower half."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._headers: dict[tuple[tuple[str, Any], ...], str] = {}

    def sign(self, payload: bytes, *, detached: bool = False, **header: str) -> str:
        """Return a compact JWS over `payload`; `header` (say typ="JWT") comes beside alg and kid.

        Detached: the middle part is empty (RFC 7515 appendix F).
        """
        first = self._header(header)
        body = b64(payload)
        der = self._key.sign(f"{first}.{body}".encode(), _ES256)
        r, s = utils.decode_dss_signature(der)
        s = min(s, ec.SECP256R1.group_order - s)
        return f"{first}.{'' if detached else body}.{b64(r.to_bytes(32) + s.to_bytes(32))}"

    def _header(self, more: Mapping[str, str]) -> str:
        """Encode the protected header; a key uses only a handful of different ones, so they are kept."""
        key = tuple(sorted(more.items()))
        found = self._headers.get(key)
        if found is None:
            found = b64(canonical({**more, "alg": "ES256", "kid": self.kid}))
            if len(self._headers) < 64:
                self._headers[key] = found
        return found


class SealingKey(_Pair):
    """The receiving side of sealing: its public half is what others seal to; `verify.open_jwe` opens."""


class _Dumped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    header: str
    key: str


class Sealer:
    """Seals for one party in one process: one ephemeral key, so every JWE has the same `epk` and its own IV.

    What `dump` gives opens everything sealed with it: keep it under the process's `post` key.
    """

    def __init__(self, header: str, key: bytes) -> None:
        self._header = header
        self._aad = header.encode()
        self._key = key
        self._cipher = AESGCM(key)

    @classmethod
    def new(cls, recipient: Mapping[str, Any], entropy: Entropy) -> Self:
        """Agree on a key with the recipient's public JWK (P-256). Raises Refused when it is not one."""
        ephemeral = SealingKey.new(entropy)
        header = {"alg": "ECDH-ES", "enc": "A256GCM", "epk": ephemeral.public_jwk, "kid": thumbprint(recipient)}
        return cls(b64(canonical(header)), derive(ephemeral._key, ec_public(recipient)))  # noqa: SLF001 - own file

    def seal(self, plain: bytes, entropy: Entropy) -> str:
        """Return a compact JWE that any JOSE library opens with the recipient's private key."""
        iv = entropy.draw(_IV_BYTES)
        sealed = self._cipher.encrypt(iv, plain, self._aad)
        return f"{self._header}..{b64(iv)}.{b64(sealed[:-16])}.{b64(sealed[-16:])}"

    def dump(self) -> bytes:
        """Return the state, canonical JSON. It is as secret as what was sealed."""
        return canonical({"header": self._header, "key": b64(self._key)})

    @classmethod
    def load(cls, state: bytes) -> Self:
        """Read what `dump` wrote. Raises Refused when it is something else."""
        try:
            found = msgspec.convert(parse(state), _Dumped)
        except msgspec.ValidationError:
            raise Refused("sealer", "This is not the state of a sealer.") from None
        return cls(found.header, unb64(found.key))


def hash64(data: bytes | str) -> str:
    """Return the base64url SHA-256 of bytes or text: how one statement refers to another."""
    return b64(sha256(data.encode() if isinstance(data, str) else data))

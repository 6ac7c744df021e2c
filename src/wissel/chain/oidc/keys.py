"""Keys that sign tokens: RS256, as eduID's, and ES256. Both are drawn from Entropy, so a simulation repeats them."""

import math
from collections.abc import Mapping
from typing import Final, Self

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from wissel.chain.oidc.words import Claims
from wissel.core.entropy import Entropy
from wissel.messages.jose import SigningKey
from wissel.messages.verify import b64, thumbprint, unb64

_E: Final = 65537
_BITS: Final = 1024  # of each prime: RSA-2048
_ROUNDS: Final = 5  # Miller-Rabin rounds for random 1024-bit candidates (FIPS 186-5 table B.1: 4 or 5)
_SMALL: Final = tuple(n for n in range(3, 2000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2)))


class RsaKey:
    """An RSA-2048 key that signs with RS256 (PKCS #1 v1.5: the same bytes, the same signature)."""

    alg = "RS256"

    def __init__(self, p: int, q: int) -> None:
        d = pow(_E, -1, math.lcm(p - 1, q - 1))
        numbers = rsa.RSAPrivateNumbers(
            p=p,
            q=q,
            d=d,
            dmp1=d % (p - 1),
            dmq1=d % (q - 1),
            iqmp=pow(q, -1, p),
            public_numbers=rsa.RSAPublicNumbers(_E, p * q),
        )
        self._key = numbers.private_key()
        self._primes = (p, q)
        self.public_jwk = {"kty": "RSA", "n": b64(_bytes(p * q)), "e": b64(_bytes(_E))}
        self.kid = thumbprint(self.public_jwk)

    @classmethod
    def new(cls, entropy: Entropy) -> Self:
        """Draw two primes (FIPS 186-5 A.1.3: top bits set, e coprime, far enough apart)."""
        p = _prime(entropy)
        q = _prime(entropy)
        while abs(p - q) >> (_BITS - 100) == 0:
            q = _prime(entropy)
        return cls(p, q)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, str]) -> Self:
        """Read what `private_jwk` wrote."""
        return cls(*(int.from_bytes(unb64(jwk[name])) for name in ("p", "q")))

    @property
    def private_jwk(self) -> dict[str, str]:
        """The private half, for the owner's key file only."""
        p, q = (b64(_bytes(prime)) for prime in self._primes)
        return {**self.public_jwk, "p": p, "q": q}

    @property
    def jwk(self) -> dict[str, str]:
        """The public JWK as the jwks document shows it."""
        return {**self.public_jwk, "alg": self.alg, "kid": self.kid, "use": "sig"}

    def sign(self, claims: Claims) -> str:
        """Return a compact JWT."""
        header = msgspec.json.encode({"alg": self.alg, "kid": self.kid, "typ": "JWT"})
        signed = f"{b64(header)}.{b64(msgspec.json.encode(claims))}"
        return f"{signed}.{b64(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


class EcKey:
    """A P-256 key that signs tokens with ES256."""

    alg = "ES256"

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self.kid = key.kid

    @property
    def jwk(self) -> dict[str, str]:
        """The public JWK as the jwks document shows it."""
        return {**self._key.public_jwk, "alg": self.alg, "kid": self.kid, "use": "sig"}

    def sign(self, claims: Claims) -> str:
        """Return a compact JWT."""
        return self._key.sign(msgspec.json.encode(claims), typ="JWT")


def _prime(entropy: Entropy) -> int:
    while True:
        candidate = int.from_bytes(entropy.draw(_BITS // 8)) | 0b11 << (_BITS - 2) | 1
        if (
            all(candidate % small for small in _SMALL)
            and math.gcd(candidate - 1, _E) == 1
            and _likely(candidate, entropy)
        ):
            return candidate


def _likely(number: int, entropy: Entropy) -> bool:
    """Miller-Rabin with random bases (FIPS 186-5 B.3.1)."""
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    odd = (number - 1) >> twos
    for _ in range(_ROUNDS):
        base = int.from_bytes(entropy.draw(_BITS // 8)) % (number - 3) + 2
        power = pow(base, odd, number)
        if power in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)

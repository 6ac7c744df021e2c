"""What a signature, a key or a sealed value must not be: each has its refusal."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.messages.evidence import Chance, rsa_key

from wissel.messages.jose import Sealer, SealingKey, SigningKey
from wissel.messages.verify import Refused, b64, canonical, check_jws, open_jwe, parse_json, unb64

KEY: Final = SigningKey.new(Chance("sign"))
OTHER: Final = SigningKey.new(Chance("other"))
SEAL: Final = SealingKey.new(Chance("seal"))
FULL: Final = b"\xff" * 64
ORDER: Final = ec.SECP256R1.group_order


def refusal(compact: str, jwk: Mapping[str, Any] = KEY.public_jwk, detached: bytes | None = None) -> str:
    """Return why a JWS is refused."""
    with pytest.raises(Refused) as refused:
        check_jws(compact, jwk, detached)
    return refused.value.code


def test_attached_and_detached_are_not_taken_for_each_other() -> None:
    assert refusal(KEY.sign(b"x"), detached=b"x") == "jws"
    assert refusal(KEY.sign(b"x", detached=True)) == "jws"


def test_what_a_signature_must_not_be_is_refused() -> None:
    good = KEY.sign(b"x")
    first, body, last = good.split(".")
    none = b64(canonical({"alg": "none", "kid": KEY.kid}))
    hs256 = b64(canonical({"alg": "HS256", "kid": KEY.kid}))
    assert refusal(f"{none}.{body}.") == "jws"
    assert refusal(f"{none}.{body}.{last}") == "jws"
    assert refusal(f"{hs256}.{body}.{last}") == "jws"
    assert refusal(good, rsa_key().public_jwk) == "jws"
    assert refusal(rsa_key().sign(b"x")) == "jws"
    assert refusal(good, OTHER.public_jwk) == "signature"
    assert refusal(f"{first}.{b64(b'y')}.{last}") == "signature"
    assert refusal(f"{first}.{body}") == "jws"
    assert refusal(f"{good}.") == "jws"
    assert refusal(f"{first}.{body}.{last[:-2]}") in {"base64", "jws"}
    assert refusal(f"{first}.{body}.{b64(bytes(64))}") == "signature"
    assert refusal(f"{first}.{body}.{b64(FULL)}") == "signature"
    assert refusal(f"{first}.{body}.{b64(unb64(last) + FULL[:1])}") == "jws"
    for extension in ({"crit": ["exp"]}, {"b64": False}):
        strange = b64(canonical({"alg": "ES256", **extension}))
        assert refusal(f"{strange}.{body}.{last}") == "jws"
    assert refusal(f"{b64(b'[]')}.{body}.{last}") == "jws"


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "EC", "crv": "P-384", "x": KEY.public_jwk["x"], "y": KEY.public_jwk["y"]},
        {"kty": "EC", "crv": "P-256", "x": KEY.public_jwk["x"], "y": KEY.public_jwk["x"]},
        {"kty": "EC", "crv": "P-256", "x": KEY.public_jwk["x"]},
        {"kty": "EC", "crv": "P-256", "x": b64(bytes(32)), "y": b64(bytes(32))},
        {"kty": "EC", "crv": "P-256", "x": b64(bytes(1) + unb64(KEY.public_jwk["x"])), "y": KEY.public_jwk["y"]},
        {"kty": "EC", "crv": "P-256", "x": 1, "y": 2},
    ],
)
def test_a_key_that_is_not_on_p_256_is_refused(jwk: dict[str, Any]) -> None:
    assert refusal(KEY.sign(b"x"), jwk) in {"key-kind", "jws"}


@pytest.mark.parametrize(
    ("n", "e"), [(b"\x01" * 128, b"\1\0\1"), (b"\xff" * 256, b"\1"), (b"\xff" * 256, b"\2"), (b"", b"")]
)
def test_a_weak_rsa_key_is_refused(n: bytes, e: bytes) -> None:
    assert refusal(rsa_key().sign(b"x"), {"kty": "RSA", "n": b64(n), "e": b64(e)}) == "key-kind"


def test_keys_drawn_from_any_bytes_lie_in_the_field() -> None:
    class Same:
        def __init__(self, byte: int) -> None:
            self.byte = byte

        def draw(self, count: int) -> bytes:
            return bytes([self.byte]) * count

    for byte in (0, 255):
        assert 0 < int.from_bytes(unb64(SigningKey.new(Same(byte)).private_jwk["d"])) < ORDER


def unsealed(compact: str, jwk: Mapping[str, Any] = SEAL.private_jwk) -> str:
    """Return why a JWE is refused."""
    with pytest.raises(Refused) as refused:
        open_jwe(compact, jwk)
    return refused.value.code


def test_what_a_sealed_value_must_not_be_is_refused() -> None:
    good = Sealer.new(SEAL.public_jwk, Chance("new")).seal(b"plain", Chance("iv"))
    first, _, iv, sealed, tag = good.split(".")
    found = parse_json(unb64(first))

    def again(**fields: Any) -> str:
        return f"{b64(canonical({**found, **fields}))}..{iv}.{sealed}.{tag}"

    assert unsealed(good, KEY.private_jwk) == "jwe-key"
    assert unsealed(again(kid=KEY.kid), KEY.private_jwk) == "jwe-open"
    assert unsealed(again(alg="dir")) == "jwe"
    assert unsealed(again(enc="A128GCM")) == "jwe"
    assert unsealed(again(zip="DEF")) == "jwe"
    assert unsealed(again(apu="AA")) == "jwe"
    assert unsealed(again(epk="x")) == "jwe"
    assert unsealed(again(epk={**found["epk"], "crv": "P-384"})) == "key-kind"
    assert unsealed(again(epk={**found["epk"], "y": found["epk"]["x"]})) == "key-kind"
    assert unsealed(again(typ="x")) == "jwe-open"
    assert unsealed(f"{first}.AAAA.{iv}.{sealed}.{tag}") == "jwe"
    assert unsealed(f"{first}..{iv}.{sealed}") == "jwe"
    assert unsealed(f"{first}..{iv}AAAA.{sealed}.{tag}") == "jwe"
    assert unsealed(f"{first}..{iv}.{sealed}.{tag[:-3]}") in {"jwe", "base64"}
    assert unsealed(f"{first}..{iv}.{b64(unb64(sealed)[1:])}.{tag}") == "jwe-open"
    assert unsealed(good, SEAL.public_jwk) == "key-kind"
    assert unsealed(good, {**SEAL.private_jwk, "d": b64(bytes(32))}) == "key-kind"
    assert unsealed(f"{b64(b'1')}..{iv}.{sealed}.{tag}") == "jwe"

"""Signing and sealing, held to joserfc in both directions."""

import hashlib
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import ECKey, RSAKey

from wissel.messages.jose import _ES256, Sealer, SealingKey, SigningKey, hash64
from wissel.messages.verify import Refused, b64, check_jws, jws_header, open_jwe, parse_json, thumbprint, unb64

HALF: Final = ec.SECP256R1.group_order // 2


class Chance:
    """Repeatable bytes."""

    def __init__(self, seed: str = "jose") -> None:
        self._seed, self._count = seed, 0

    def draw(self, count: int) -> bytes:
        """Return the next bytes; 64 at most."""
        self._count += 1
        return hashlib.sha512(f"{self._seed}/{self._count}".encode()).digest()[:count]


SIGNING: Final = SigningKey.new(Chance())
SEALING: Final = SealingKey.new(Chance("seal"))


def outside(key: SigningKey | SealingKey) -> ECKey:
    """Return a key as joserfc reads it."""
    found: ECKey = ECKey.import_key(dict(key.private_jwk))
    return found


def refusal(compact: str, jwk: dict[str, Any], detached: bytes | None = None) -> str:
    """Return the code with which a signature is refused."""
    with pytest.raises(Refused) as caught:
        check_jws(compact, jwk, detached)
    return caught.value.code


def opening(compact: str) -> str:
    """Return the code with which a sealed value is refused."""
    with pytest.raises(Refused) as caught:
        open_jwe(compact, SEALING.private_jwk)
    return caught.value.code


@given(st.binary(max_size=300))
def test_what_we_sign_is_verified_by_joserfc(payload: bytes) -> None:
    compact = SIGNING.sign(payload or b"-", typ="x")
    found = jws.deserialize_compact(compact, outside(SIGNING))
    assert found.payload == (payload or b"-")
    assert found.headers() == {"alg": "ES256", "kid": SIGNING.kid, "typ": "x"}


@given(st.binary(min_size=1, max_size=300))
def test_what_joserfc_signs_is_verified_by_us(payload: bytes) -> None:
    compact = jws.serialize_compact({"alg": "ES256", "kid": "any"}, payload, outside(SIGNING))
    assert check_jws(compact, SIGNING.public_jwk) == ({"alg": "ES256", "kid": "any"}, payload)


def test_an_rs256_token_of_joserfc_is_verified_by_us_and_a_short_key_is_not() -> None:
    key = RSAKey.generate_key(2048)
    compact = jws.serialize_compact({"alg": "RS256"}, b"claims", key)
    assert check_jws(compact, key.as_dict(private=False))[1] == b"claims"
    weak = {"kty": "RSA", "n": b64(b"\x01" * 128), "e": "AQAB"}
    assert refusal(compact, weak) == "key-kind"


def test_a_detached_signature_is_the_compact_one_without_its_middle() -> None:
    """RFC 7515 appendix F."""
    whole, detached = SIGNING.sign(b"payload"), SIGNING.sign(b"payload", detached=True)
    first, _, last = whole.split(".")
    assert detached == f"{first}..{last}"
    assert check_jws(detached, SIGNING.public_jwk, b"payload")[1] == b"payload"
    assert refusal(detached, SIGNING.public_jwk, b"another") == "signature"
    assert refusal(detached, SIGNING.public_jwk) == "jws"
    assert refusal(whole, SIGNING.public_jwk, b"payload") == "jws"


@settings(max_examples=60)
@given(st.binary(max_size=60), st.binary(min_size=8, max_size=8))
def test_signing_is_deterministic_with_the_lower_s(payload: bytes, seed: bytes) -> None:
    key = SigningKey.new(Chance(seed.hex()))
    compact = key.sign(payload, detached=True)
    assert compact == SigningKey.from_jwk(key.private_jwk).sign(payload, detached=True)
    assert int.from_bytes(unb64(compact.split(".")[2])[32:]) <= HALF


def test_nonces_are_those_of_rfc_6979() -> None:
    """Appendix A.2.5, P-256 with SHA-256, message "sample"."""
    key = SigningKey(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721)
    assert unb64(key.public_jwk["x"]).hex() == "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    r, s = utils.decode_dss_signature(key._key.sign(b"sample", _ES256))
    assert r == 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    assert s == 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": "RS256"}, {"alg": "ES384"}, {}])
def test_an_algorithm_that_does_not_fit_the_key_is_refused(header: dict[str, str]) -> None:
    first = b64(str(header).replace("'", '"').encode())
    compact = ".".join((first, *SIGNING.sign(b"x").split(".")[1:]))
    assert refusal(compact, SIGNING.public_jwk) == "jws"


@pytest.mark.parametrize("more", ["crit", "b64"])
def test_extensions_of_a_header_are_refused(more: str) -> None:
    first = b64(f'{{"alg":"ES256","{more}":"y"}}'.encode())
    compact = ".".join((first, *SIGNING.sign(b"x").split(".")[1:]))
    assert refusal(compact, SIGNING.public_jwk) == "jws"


@pytest.mark.parametrize("compact", ["", ".", "..", "a.b", "a.b.c.d", "....", "e30.e30.", "!.!.!"])
def test_what_is_no_signature_is_refused(compact: str) -> None:
    assert refusal(compact, SIGNING.public_jwk) in {"jws", "json", "base64"}


def test_a_key_read_again_is_the_same_key() -> None:
    again = SigningKey.from_jwk(SIGNING.private_jwk)
    assert (again.kid, again.public_jwk) == (SIGNING.kid, SIGNING.public_jwk)
    assert SIGNING.kid == thumbprint(SIGNING.public_jwk) == outside(SIGNING).thumbprint()
    assert "d" not in SIGNING.public_jwk


@pytest.mark.parametrize("change", [{"d": "AA"}, {"x": SEALING.public_jwk["x"]}, {"d": b64(b"\xff" * 32)}, {"d": ""}])
def test_a_private_key_whose_halves_do_not_fit_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        SigningKey.from_jwk({**SIGNING.private_jwk, **change})
    assert caught.value.code == "key-kind"


def test_thumbprints_are_those_of_rfc_7638() -> None:
    """Section 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )
    jwk = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@given(st.binary(max_size=500))
def test_what_we_seal_opens_with_joserfc_and_with_us(plain: bytes) -> None:
    sealer = Sealer.new(SEALING.public_jwk, Chance())
    compact = sealer.seal(plain, Chance("iv"))
    assert jwe.decrypt_compact(compact, outside(SEALING)).plaintext == plain
    assert open_jwe(compact, SEALING.private_jwk) == plain


@given(st.binary(min_size=1, max_size=500))
def test_what_joserfc_seals_opens_with_us(plain: bytes) -> None:
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": SEALING.kid}
    compact = jwe.encrypt_compact(header, plain, ECKey.import_key(dict(SEALING.public_jwk)))
    assert open_jwe(compact, SEALING.private_jwk) == plain


def test_one_sealer_keeps_its_ephemeral_key_and_never_an_iv() -> None:
    chance = Chance()
    sealer = Sealer.new(SEALING.public_jwk, chance)
    sealed = [sealer.seal(b"same", chance) for _ in range(20)]
    assert len({jws_header(one)["epk"]["x"] for one in sealed}) == 1
    assert len({one.split(".")[2] for one in sealed}) == len({one.split(".")[3] for one in sealed}) == 20
    other = Sealer.new(SEALING.public_jwk, chance).seal(b"same", chance)
    assert jws_header(other)["epk"] != jws_header(sealed[0])["epk"]


def test_a_sealer_read_again_seals_on() -> None:
    sealer = Sealer.new(SEALING.public_jwk, Chance())
    again = Sealer.load(sealer.dump())
    assert again.seal(b"x", Chance("iv")) == sealer.seal(b"x", Chance("iv"))


@pytest.mark.parametrize("state", [b"", b"{}", b'{"header":"e30","key":1}', b'{"header": "a", "key": "b"}'])
def test_what_is_no_state_of_a_sealer_is_refused(state: bytes) -> None:
    with pytest.raises(Refused):
        Sealer.load(state)


def test_a_point_off_the_curve_is_refused_as_receiver_and_as_ephemeral_key() -> None:
    off = {**SEALING.public_jwk, "y": b64(b"\x01" * 32)}
    with pytest.raises(Refused) as caught:
        Sealer.new(off, Chance())
    assert caught.value.code == "key-kind"
    compact = Sealer.new(SEALING.public_jwk, Chance()).seal(b"x", Chance())
    header = parse_json(unb64(compact.split(".")[0])) | {"epk": off}
    forged = ".".join((b64(str(header).replace("'", '"').encode()), *compact.split(".")[1:]))
    assert opening(forged) == "key-kind"


def test_a_value_sealed_to_another_says_so() -> None:
    other = SealingKey.new(Chance("other"))
    assert opening(Sealer.new(other.public_jwk, Chance()).seal(b"x", Chance())) == "jwe-key"


def test_bytes_that_move_between_the_parts_of_a_sealed_value_are_refused() -> None:
    """The library sees ciphertext and tag as one; the boundary counts too."""
    first, key, iv, sealed, tag = Sealer.new(SEALING.public_jwk, Chance()).seal(b"12345", Chance()).split(".")
    joined = unb64(sealed) + unb64(tag)
    assert opening(".".join((first, key, iv, b64(joined[:-17]), b64(joined[-17:])))) == "jwe"
    assert opening(".".join((first, key, b64(unb64(iv) + b"\0"), sealed, tag))) == "jwe"
    assert opening(f"{first}.AA.{iv}.{sealed}.{tag}") == "jwe"


def test_a_hash_is_the_same_for_text_and_for_its_bytes() -> None:
    assert hash64("é") == hash64("é".encode()) == b64(hashlib.sha256("é".encode()).digest())

import msgspec
import pytest
from tests.infra.http_scene import CountedEntropy, StillClock

from wissel.infra.http.errors import Busy, ProofRefused
from wissel.infra.http.jwt import sign_jwt
from wissel.infra.http.proof import TYP, Proofs, make_proof
from wissel.messages.jose import SigningKey, hash64
from wissel.messages.verify import b64, unb64

URL = "https://vault.example/copies"
BODY = b'{"copies":[]}'
KEY = SigningKey.new(CountedEntropy("platform"))
OTHER = SigningKey.new(CountedEntropy("other"))


def proofs(clock: StillClock, seen_max: int = 100) -> Proofs:
    return Proofs(clock, {KEY.kid: KEY.public_jwk}.get, seen_max=seen_max)


def proof(clock: StillClock, seed: str = "", key: SigningKey = KEY) -> str:
    return make_proof(key, method="POST", url=URL, body=BODY, now=clock.now(), entropy=CountedEntropy(seed))


def test_a_proof_holds_for_its_own_call_and_names_its_key() -> None:
    clock = StillClock()
    assert proofs(clock).check(proof(clock), method="post", url=f"{URL}?a=b#c", body=BODY) == KEY.kid


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [("PUT", URL, BODY), ("POST", "https://vault.example/messages", BODY), ("POST", URL, b"{}"), ("POST", URL, b"")],
)
def test_a_proof_does_not_hold_for_another_call(method: str, url: str, body: bytes) -> None:
    clock = StillClock()
    with pytest.raises(ProofRefused, match="another call"):
        proofs(clock).check(proof(clock), method=method, url=url, body=body)


@pytest.mark.parametrize(("seconds", "holds"), [(-61, False), (-60, True), (0, True), (60, True), (61, False)])
def test_a_proof_holds_for_a_minute_either_way(seconds: int, *, holds: bool) -> None:
    clock = StillClock()
    header = proof(clock)
    clock.forward(seconds)
    checker = proofs(clock)
    if holds:
        checker.check(header, method="POST", url=URL, body=BODY)
    else:
        with pytest.raises(ProofRefused, match="60 s"):
            checker.check(header, method="POST", url=URL, body=BODY)


def test_a_proof_is_good_once_as_long_as_it_is_good() -> None:
    clock = StillClock()
    header = proof(clock)
    clock.forward(-60)
    checker = proofs(clock)
    checker.check(header, method="POST", url=URL, body=BODY)
    for _ in range(120):
        clock.forward(1)
        with pytest.raises(ProofRefused, match="used before"):
            checker.check(header, method="POST", url=URL, body=BODY)


def test_a_strangers_proof_is_refused() -> None:
    clock = StillClock()
    with pytest.raises(ProofRefused, match="not known"):
        proofs(clock).check(proof(clock, key=OTHER), method="POST", url=URL, body=BODY)


def test_every_flipped_character_is_refused() -> None:
    clock = StillClock()
    header = proof(clock)
    checker = proofs(clock)
    for place, character in enumerate(header):
        other = header[:place] + ("A" if character != "A" else "B") + header[place + 1 :]
        with pytest.raises(ProofRefused):
            checker.check(other, method="POST", url=URL, body=BODY)
    checker.check(header, method="POST", url=URL, body=BODY)


@pytest.mark.parametrize("header", ["", "a", "a.b.c", ".", "..", "ä.b.c", "A" * 9000])
def test_what_is_no_proof_is_refused(header: str) -> None:
    with pytest.raises(ProofRefused):
        proofs(StillClock()).check(header, method="POST", url=URL, body=BODY)


def test_a_token_of_another_kind_is_no_proof() -> None:
    clock = StillClock()
    claims = {"htm": "POST", "htu": URL, "iat": int(clock.now().timestamp()), "jti": "a", "digest": hash64(BODY)}
    checker = proofs(clock)
    for typ in ("JWT", "at+jwt", "dpop+jwt"):
        with pytest.raises(ProofRefused, match="another kind"):
            checker.check(sign_jwt(KEY, typ, claims), method="POST", url=URL, body=BODY)
    for name in claims:
        short = {each: value for each, value in claims.items() if each != name}
        with pytest.raises(ProofRefused):
            checker.check(sign_jwt(KEY, TYP, short), method="POST", url=URL, body=BODY)
    checker.check(sign_jwt(KEY, TYP, claims), method="POST", url=URL, body=BODY)


def test_an_unsigned_proof_is_refused() -> None:
    clock = StillClock()
    head, body, _ = proof(clock).split(".")
    fields = msgspec.json.decode(unb64(head))
    none = b64(msgspec.json.encode({**fields, "alg": "none"}))
    for forged in (f"{none}.{body}.", f"{none}.{body}.AA", f"{head}.{body}."):
        with pytest.raises(ProofRefused):
            proofs(clock).check(forged, method="POST", url=URL, body=BODY)


def test_memory_of_used_proofs_is_bounded_and_fails_shut() -> None:
    clock = StillClock()
    checker = proofs(clock, seen_max=3)
    for number in range(3):
        checker.check(proof(clock, str(number)), method="POST", url=URL, body=BODY)
    with pytest.raises(Busy):
        checker.check(proof(clock, "more"), method="POST", url=URL, body=BODY)

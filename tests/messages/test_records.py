"""Acknowledgements, receipts and rarer statements: what is signed is read back, and none is taken for another."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from wissel.messages import records
from wissel.messages.envelope import SenderProof
from wissel.messages.jose import SigningKey, hash64
from wissel.messages.verify import Refused, b64, canonical, jws_header

NOW: Final = datetime(2026, 4, 15, 7, 0, 2, 500_000, tzinfo=UTC)
COMMITMENT: Final = hashlib.sha256(b"message").digest()
SENDER: Final = SenderProof(kind="signature", jws="a..b")


class Chance:
    """Always the same bytes."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def draw(self, count: int) -> bytes:
        """Return bytes; 64 at most."""
        return hashlib.sha512(self._seed).digest()[:count]


PLATFORM: Final = SigningKey.new(Chance(b"platform"))
SCHOOL: Final = SigningKey.new(Chance(b"school"))
ACKNOWLEDGEMENT: Final = records.acknowledge(
    PLATFORM,
    commitment=COMMITMENT,
    sender=SENDER,
    received=NOW,
    decision="accepted",
    ruleset="2026-27",
    log="wissel.example/log",
    keys={SCHOOL.kid: 12},
)
RECEIPT: Final = records.receipt(SCHOOL, acknowledgement=ACKNOWLEDGEMENT, outcome="accepted", at=NOW)
UNDELIVERED: Final = records.undelivered(
    PLATFORM, acknowledgement=ACKNOWLEDGEMENT, attempts=3, at=NOW, reason="the mailbox was full"
)
STATEMENT: Final = records.state_authentication(
    PLATFORM, issuer="https://eduid.example", acr="high", auth_time=1776236401, nonce=records.nonce_for(COMMITMENT)
)
READERS: Final[dict[str, Callable[[str, dict[str, str]], Any]]] = {
    ACKNOWLEDGEMENT: records.read_acknowledgement,
    RECEIPT: records.read_receipt,
    UNDELIVERED: records.read_undelivered,
}


def test_an_acknowledgement_says_what_was_counter_signed() -> None:
    found = records.read_acknowledgement(ACKNOWLEDGEMENT, PLATFORM.public_jwk)
    assert found == records.Acknowledgement(
        commitment=b64(COMMITMENT),
        sender=records.hash_proof(SENDER),
        received="2026-04-15T07:00:02.500Z",
        decision="accepted",
        ruleset="2026-27",
        log="wissel.example/log",
        keys={SCHOOL.kid: 12},
    )
    assert jws_header(ACKNOWLEDGEMENT) == {"alg": "ES256", "kid": PLATFORM.kid, "typ": "wissel-acknowledgement"}


@pytest.mark.parametrize("outcome", ["accepted", "rejected", "later"])
def test_a_receipt_names_the_acknowledgement_and_the_outcome(outcome: Any) -> None:
    compact = records.receipt(SCHOOL, acknowledgement=ACKNOWLEDGEMENT, outcome=outcome, at=NOW, reason="why")
    found = records.read_receipt(compact, SCHOOL.public_jwk)
    assert (found.outcome, found.reason, found.time) == (outcome, "why", "2026-04-15T07:00:02.500Z")
    assert found.acknowledgement == found.acknowledgement_hash == hash64(ACKNOWLEDGEMENT)


def test_not_delivered_is_a_statement_of_the_platform_with_its_attempts() -> None:
    found = records.read_undelivered(UNDELIVERED, PLATFORM.public_jwk)
    assert (found.outcome, found.attempts, found.reason) == ("undelivered", 3, "the mailbox was full")
    assert found.acknowledgement == hash64(ACKNOWLEDGEMENT)


@pytest.mark.parametrize("compact", [ACKNOWLEDGEMENT, RECEIPT, UNDELIVERED, STATEMENT])
@pytest.mark.parametrize("kind", [ACKNOWLEDGEMENT, RECEIPT, UNDELIVERED])
def test_no_record_is_taken_for_another(compact: str, kind: str) -> None:
    if compact == kind:
        return
    key = SCHOOL if compact == RECEIPT else PLATFORM
    with pytest.raises(Refused) as caught:
        READERS[kind](compact, key.public_jwk)
    assert caught.value.code == "record"


@pytest.mark.parametrize("compact", [ACKNOWLEDGEMENT, RECEIPT, UNDELIVERED])
def test_a_record_of_another_key_is_refused(compact: str) -> None:
    other = PLATFORM if compact == RECEIPT else SCHOOL
    with pytest.raises(Refused) as caught:
        READERS[compact](compact, other.public_jwk)
    assert caught.value.code == "signature"


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "perhaps"},
        {"time": "2026-04-15"},
        {"time": "2026-04-15T07:00:02.500+00:00"},
        {"reason": "x" * 501},
        {"more": "x"},
        {"acknowledgement": 1},
    ],
)
def test_a_receipt_with_other_fields_is_refused_however_well_signed(change: dict[str, Any]) -> None:
    facts = {"acknowledgement": hash64(ACKNOWLEDGEMENT), "outcome": "accepted", "time": "2026-04-15T07:00:02.500Z"}
    compact = SCHOOL.sign(canonical({**facts, **change}), typ=records.RECEIPT)
    with pytest.raises(Refused) as caught:
        records.read_receipt(compact, SCHOOL.public_jwk)
    assert caught.value.code == "record"


def test_a_receipt_that_is_not_canonical_is_refused() -> None:
    payload = b'{"outcome":"accepted","acknowledgement":"x","time":"2026-04-15T07:00:02.500Z"}'
    with pytest.raises(Refused) as caught:
        records.read_receipt(SCHOOL.sign(payload, typ=records.RECEIPT), SCHOOL.public_jwk)
    assert caught.value.code == "json-canonical"


def test_a_proof_has_one_hash_with_its_token_and_without() -> None:
    """So a copy that must not hold the learner's token bears the same acknowledgement as hers."""
    whole = SenderProof(kind="authentication", jws="a..b", portal="urn:p", token="t", tokenhash=hash64("t"))
    without = SenderProof(kind="authentication", jws="a..b", portal="urn:p", tokenhash=hash64("t"), statement="s")
    bare = SenderProof(kind="authentication", jws="a..b", portal="urn:p", token="t")
    assert records.hash_proof(whole) == records.hash_proof(without) == records.hash_proof(bare)


@pytest.mark.parametrize(
    "other",
    [
        SenderProof(kind="authentication", jws="a..b"),
        SenderProof(kind="signature", jws="a..c"),
        SenderProof(kind="signature", jws="a..b", portal="urn:p"),
        SenderProof(kind="signature", jws="a..b", token="t"),
    ],
)
def test_every_other_fact_of_a_proof_changes_its_hash(other: SenderProof) -> None:
    assert records.hash_proof(other) != records.hash_proof(SENDER)


def test_the_nonce_of_an_authentication_is_the_hash_of_the_commitment() -> None:
    assert records.nonce_for(COMMITMENT) == b64(hashlib.sha256(COMMITMENT).digest())

"""What the platform and the receivers sign about a message: acknowledgement, receipt, and two rarer ones.

Each is a compact JWS (ES256) over canonical JSON with exactly the fields below; `typ` in its header keeps
one kind from being taken for another. The platform signs acknowledgements, "undelivered" statements and
statements of authentication; the receiver alone signs receipts.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from wissel.core.moments import rfc3339
from wissel.messages.envelope import Moment, Outcome, SenderProof
from wissel.messages.jose import SigningKey, hash64
from wissel.messages.verify import Refused, b64, canonical, check_jws, parse, proof_hash, sha256

ACKNOWLEDGEMENT: Final = "wissel-acknowledgement"
RECEIPT: Final = "wissel-receipt"
UNDELIVERED: Final = "wissel-undelivered"
STATEMENT: Final = "wissel-statement"

_Short = Annotated[str, msgspec.Meta(max_length=500)]
_Record = TypeVar("_Record", bound=msgspec.Struct)


class Acknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The platform's counter-signature. `keys`: kid -> tree size at which it was not revoked."""

    commitment: str
    sender: str
    received: Moment
    decision: str
    ruleset: str
    log: str
    keys: dict[str, int]


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The receiver's signed outcome. `acknowledgement` is the base64url SHA-256 of the acknowledgement."""

    acknowledgement: str
    outcome: Outcome
    time: Moment
    reason: _Short = ""

    @property
    def acknowledgement_hash(self) -> str:
        """Which acknowledgement this answers."""
        return self.acknowledgement


class Undelivered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The platform's "no receipt came, after these attempts"."""

    acknowledgement: str
    outcome: Literal["undelivered"]
    attempts: int
    time: Moment
    reason: _Short


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the platform saw in an id_token that a copy must not hold. `auth_time`: seconds since 1970."""

    issuer: str
    acr: str
    auth_time: int
    nonce: str


def hash_proof(sender: SenderProof) -> str:
    """Return the hash under which the acknowledgement knows the sender's proof."""
    return proof_hash(msgspec.to_builtins(sender))


def nonce_for(commitment: bytes) -> str:
    """Return the nonce that a learner's fresh authentication must carry: base64url SHA-256(commitment)."""
    return b64(sha256(commitment))


def acknowledge(
    key: SigningKey,
    *,
    commitment: bytes,
    sender: SenderProof,
    received: datetime,
    decision: str,
    ruleset: str,
    log: str,
    keys: Mapping[str, int],
) -> str:
    """Counter-sign a message.

    `keys` must name the sender's (or portal's) key, and the id_token key if any:
    each with the size of the tree in which its `key.published` leaf stands and no revocation does.
    """
    facts = {
        "commitment": b64(commitment),
        "sender": hash_proof(sender),
        "received": rfc3339(received),
        "decision": decision,
        "ruleset": ruleset,
        "log": log,
        "keys": dict(keys),
    }
    return key.sign(canonical(facts), typ=ACKNOWLEDGEMENT)


def receipt(key: SigningKey, *, acknowledgement: str, outcome: Outcome, at: datetime, reason: str = "") -> str:
    """Sign, as the receiver, what became of a message."""
    facts = {"acknowledgement": hash64(acknowledgement), "outcome": outcome, "time": rfc3339(at), "reason": reason}
    return key.sign(canonical(facts), typ=RECEIPT)


def undelivered(key: SigningKey, *, acknowledgement: str, attempts: int, at: datetime, reason: str) -> str:
    """Sign, as the platform, that no receipt came before the end date. `reason` holds no personal data."""
    facts = {
        "acknowledgement": hash64(acknowledgement),
        "outcome": "undelivered",
        "attempts": attempts,
        "time": rfc3339(at),
        "reason": reason,
    }
    return key.sign(canonical(facts), typ=UNDELIVERED)


def state_authentication(key: SigningKey, *, issuer: str, acr: str, auth_time: int, nonce: str) -> str:
    """Sign, as the platform, what it saw in an id_token; for `SenderProof.statement`."""
    facts = {"issuer": issuer, "acr": acr, "auth_time": auth_time, "nonce": nonce}
    return key.sign(canonical(facts), typ=STATEMENT)


def read_acknowledgement(compact: str, jwk: Mapping[str, Any]) -> Acknowledgement:
    """Check and read the platform's counter-signature. Raises Refused."""
    return _read(compact, jwk, ACKNOWLEDGEMENT, Acknowledgement)


def read_receipt(compact: str, jwk: Mapping[str, Any]) -> Receipt:
    """Check and read a receiver's receipt with its public key. Raises Refused."""
    return _read(compact, jwk, RECEIPT, Receipt)


def read_undelivered(compact: str, jwk: Mapping[str, Any]) -> Undelivered:
    """Check and read the platform's statement that nothing was delivered. Raises Refused."""
    return _read(compact, jwk, UNDELIVERED, Undelivered)


def _read(compact: str, jwk: Mapping[str, Any], typ: str, record: type[_Record]) -> _Record:
    header, payload = check_jws(compact, jwk)
    if header.get("typ") != typ:
        raise Refused("record", f"This is not a {typ}.")
    try:
        return msgspec.convert(parse(payload), record)
    except msgspec.ValidationError as error:
        raise Refused("record", f"A {typ} has other fields: {error}.") from None

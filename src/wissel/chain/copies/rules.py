"""When a `Wissel-Proof` is good: a JWT in the shape of RFC 9449, by the platform, for exactly this request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from wissel.chain.copies.words import Proof
from wissel.chain.errors import NotAllowed
from wissel.messages.verify import Refused, b64, check_jws, jws_header, sha256

AGE_S_MAX: Final = 300


def check_proof(header: str, keys: Mapping[str, Mapping[str, Any]], *, url: str, body: bytes, now: datetime) -> Proof:
    """Return what the proof says. Raises NotAllowed with what is wrong."""
    try:
        key = keys.get(str(jws_header(header).get("kid")))
        if key is None:
            raise NotAllowed("Wissel-Proof is not by a key of the platform's card.", field="Wissel-Proof")
        proof = msgspec.json.decode(check_jws(header, key)[1], type=Proof)
    except (Refused, msgspec.DecodeError) as error:
        raise NotAllowed(f"Wissel-Proof cannot be read: {error}", field="Wissel-Proof") from error
    reasons = {
        "is for another method": proof.htm != "POST",
        "is for another address": proof.htu != url,
        "is too old, or from the future": abs(now.timestamp() - proof.iat) > AGE_S_MAX,
        "is for another body": proof.digest != b64(sha256(body)),
    }
    for reason, holds in reasons.items():
        if holds:
            raise NotAllowed(f"Wissel-Proof {reason}.", field="Wissel-Proof")
    return proof

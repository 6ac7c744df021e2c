"""The afschrift: one JSON document, canonical byte for byte, that proves what was said without the platform.

docs/afschrift.md describes every field; `messages/verify.py` checks one with public keys alone.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from wissel.messages.envelope import Envelope, SenderProof
from wissel.messages.verify import b64, canonical, sha256

VERSION: Final = "1"


class Proven(NamedTuple):
    """An audit entry and its C2SP tlog-proof: index, path and signed checkpoint."""

    entry: bytes
    proof: str


def compose(
    *,
    envelope: Envelope,
    payload: bytes,
    nonce: str,
    sender: SenderProof,
    acknowledgement: str,
    receipt: str,
    undelivered: str,
    leaves: Sequence[Proven],
    keys: Sequence[Proven],
) -> bytes:
    """Return the afschrift of one message whose outcome is known.

    Exactly one of `receipt` (the receiver's) and `undelivered` (the platform's statement) is given; a message that was
    not delivered is in its afschrift by the hash of its payload only. `leaves`: accepted, then outcome. `keys`: the
    `key.published` entry of every key that signed something in it.
    """
    document: dict[str, Any] = {
        "afschrift": VERSION,
        "envelope": msgspec.to_builtins(envelope),
        "nonce": nonce,
        "sender": {name: value for name, value in msgspec.to_builtins(sender).items() if value},
        "acknowledgement": acknowledgement,
        "leaves": [_proven(one) for one in leaves],
        "keys": [_proven(one) for one in keys],
    }
    if receipt:
        document |= {"payload": msgspec.json.decode(payload), "receipt": receipt}
    else:
        document |= {"payloadhash": b64(sha256(payload)), "undelivered": undelivered}
    return canonical(document)


def _proven(one: Proven) -> dict[str, str]:
    return {"entry": b64(one.entry), "proof": one.proof}

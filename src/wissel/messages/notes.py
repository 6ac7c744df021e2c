"""Signed notes of the audit log: checkpoints, witness cosignatures, proofs and the list of revoked keys.

C2SP signed-note, tlog-checkpoint, tlog-cosignature (v1, Ed25519) and tlog-proof. A note is its body, an
empty line and one line per signature; `verify` checks them.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wissel.core.entropy import Entropy
from wissel.core.moments import rfc3339
from wissel.messages.verify import REVOCATIONS, Refused, canonical, sha256

PROOF: Final = "c2sp.org/tlog-proof@v1"
_PRIVATE: Final = "PRIVATE+KEY"
_SEED_BYTES: Final = 32


class _Ed25519:
    """An Ed25519 key with a name, in the text forms of C2SP signed-note."""

    kind: ClassVar[int]

    def __init__(self, name: str, seed: bytes) -> None:
        if not name or "+" in name or any(sign.isspace() for sign in name) or len(seed) != _SEED_BYTES:
            raise Refused("note-key", "A note key has a name without blanks or +, and a seed of 32 bytes.")
        self.name = name
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        data = bytes([self.kind]) + self._key.public_key().public_bytes_raw()
        self.id: bytes = sha256(f"{name}\n".encode() + data)[:4]
        self.vkey: str = f"{name}+{self.id.hex()}+{_padded(data)}"

    @classmethod
    def new(cls, name: str, entropy: Entropy) -> Self:
        """Draw a key of that name."""
        return cls(name, entropy.draw(_SEED_BYTES))

    def dump(self) -> bytes:
        """Return the private key in the form that Go's `note` package writes. Secret."""
        return f"{_PRIVATE}+{self.name}+{self.id.hex()}+{_padded(bytes([self.kind]) + self._seed)}".encode()

    @classmethod
    def load(cls, state: bytes) -> Self:
        """Read what `dump` wrote. Raises Refused when it is damaged or of the other kind of key."""
        try:
            _, _, name, _, data = state.decode().split("+", 4)
            raw = base64.b64decode(data, validate=True)
        except ValueError:
            raise Refused("note-key", "This is not the private key of a note.") from None
        key = cls(name, raw[1:])
        if key.dump() != state:
            raise Refused("note-key", "This private key of a note is damaged or of another kind.")
        return key

    def _line(self, signature: bytes) -> str:
        return f"\u2014 {self.name} {_padded(self.id + signature)}\n"


class NoteKey(_Ed25519):
    """A log's own key (type 0x01)."""

    kind = 1

    def sign(self, body: str) -> str:
        """Return the signature line, with its line end, for a body that ends with a line end."""
        return self._line(self._key.sign(body.encode()))


class WitnessKey(_Ed25519):
    """A witness's key (type 0x04)."""

    kind = 4

    def cosign(self, checkpoint_body: str, at: datetime) -> str:
        """Return the cosignature/v1 line: "I saw this tree head at this second, and it continues the last"."""
        second = int(at.timestamp())
        signature = self._key.sign(f"cosignature/v1\ntime {second}\n{checkpoint_body}".encode())
        return self._line(second.to_bytes(8) + signature)


def checkpoint_body(origin: str, size: int, root: bytes) -> str:
    """Return the three signed lines of a checkpoint."""
    return f"{origin}\n{size}\n{_padded(root)}\n"


def note(body: str, lines: Iterable[str]) -> str:
    """Join a body and its signature lines (each ending with a line end), the log's own first."""
    return body + "\n" + "".join(lines)


def tlog_proof(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    """Return the C2SP tlog-proof of leaf `index` under a signed checkpoint."""
    hashes = "".join(_padded(node) + "\n" for node in path)
    return f"{PROOF}\nindex {index}\n{hashes}\n{checkpoint}"


def revocations_body(origin: str, at: datetime, revoked: Mapping[str, datetime]) -> str:
    """Return the body of the list of revoked keys: kid and the moment from which it counts, sorted by kid.

    The log's own NoteKey signs it; `note(body, [key.sign(body)])` is what `/log/revocations` serves.
    """
    lines = "".join(f"{kid} {rfc3339(moment)}\n" for kid, moment in sorted(revoked.items()))
    return f"{REVOCATIONS}\n{origin}\n{rfc3339(at)}\n{lines}"


def trust_file(logs: Mapping[str, str], witnesses: Sequence[str], quorum: int) -> bytes:
    """Return `trust.json`: log origins with their vkeys, witnesses' vkeys, and how many of those are enough."""
    return canonical({"logs": dict(logs), "quorum": quorum, "witnesses": sorted(witnesses)})


def _padded(data: bytes) -> str:
    return base64.b64encode(data).decode()

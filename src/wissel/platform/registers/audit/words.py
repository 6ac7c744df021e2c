"""Values that cross the threshold of the audit trail."""

from typing import NamedTuple

from wissel.messages.afschrift import Proven


class Head(NamedTuple):
    """The committed head of log number `log`. Entries below `minimum` were pruned."""

    log: int
    origin: str
    size: int
    root: bytes
    minimum: int
    open: bool


class Tile(NamedTuple):
    """Tile `n` of `level`: 1 to 256 hashes of 32 bytes, one after the other (C2SP tlog-tiles)."""

    level: int
    n: int
    hashes: bytes

    @property
    def width(self) -> int:
        """How many hashes it holds."""
        return len(self.hashes) // 32


class Logged(NamedTuple):
    """One entry where it stands: `leaf` is the id its maker drew, `at_ms` when it was made."""

    log: int
    idx: int
    leaf: bytes
    leaf_hash: bytes
    entry: bytes
    at_ms: int


class Proof(NamedTuple):
    """Leaves with their inclusion proofs, in the order asked. `witnesses`: the fewest that cosigned any of them."""

    proven: list[Proven]
    witnesses: int


class WitnessCard(NamedTuple):
    """A witness: the participant that runs it and its C2SP verifier key."""

    urn: str
    vkey: str


class WitnessState(NamedTuple):
    """What is known of a witness: the size it last said or signed, failures in a row, when it is due again."""

    size: int = 0
    failures: int = 0
    due_ms: int = 0
    quarrel: str = ""

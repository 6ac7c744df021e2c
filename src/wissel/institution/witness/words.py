"""Values of the witness."""

from typing import NamedTuple

from wissel.core.tree import EMPTY_ROOT
from wissel.messages.verify import Checkpoint


class Seen(NamedTuple):
    """The largest tree head of a log that was cosigned; before the first the empty tree."""

    size: int = 0
    root: bytes = EMPTY_ROOT


class Asked(NamedTuple):
    """A request to cosign: the size the log thinks we know, the proof from there, the checkpoint and its note."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: str


class Refusal(NamedTuple):
    """An HTTP status and a body. The body of a 409 is a size: `text/x.tlog.size`."""

    status: int
    body: str

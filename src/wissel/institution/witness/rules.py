"""What a witness cosigns (C2SP tlog-witness, section add-checkpoint). Pure."""

import base64
import re
from typing import Final

from wissel.core.tree import HASH_BYTES, check_consistency
from wissel.institution.witness.words import Asked, Refusal, Seen
from wissel.messages.verify import Refused, check_note, parse_checkpoint

PROOF_LINES_MAX: Final = 63
BODY_CHARS_MAX: Final = 64 * 1024
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")
_HASH: Final = re.compile(r"[A-Za-z0-9+/]{43}=")


def read(body: str) -> Asked | Refusal:
    """Read the body of a request: the old size, the proof, an empty line, the checkpoint."""
    head, empty, note = body[:BODY_CHARS_MAX].partition("\n\n")
    first, *lines = head.split("\n")
    old = _OLD.fullmatch(first)
    if len(body) > BODY_CHARS_MAX or not empty or not old or len(lines) > PROOF_LINES_MAX:
        return Refusal(400, "The body is to be: old <size>, up to 63 lines of proof, an empty line, a checkpoint.\n")
    if not all(_HASH.fullmatch(line) for line in lines):
        return Refusal(400, f"A line of the proof is to be {HASH_BYTES} bytes in base64.\n")
    try:
        checkpoint = parse_checkpoint(note)
    except Refused as refused:
        return Refusal(400, f"{refused}\n")
    return Asked(int(old[1]), tuple(base64.b64decode(line) for line in lines), checkpoint, note)


def judge(seen: Seen, asked: Asked, vkey: str | None) -> Seen | Refusal:
    """Return the head to remember and cosign, or why not. `vkey`: the trusted key of this origin, if it is known."""
    new = asked.checkpoint
    if vkey is None:
        return Refusal(404, "This witness does not know that log.\n")
    try:
        check_note(asked.note, vkey)
    except Refused as refused:
        return Refusal(403, f"{refused}\n")
    if asked.old > new.size:
        return Refusal(400, "The old size is larger than the checkpoint's.\n")
    if asked.old != seen.size or (new.size == seen.size and new.root != seen.root):
        return Refusal(409, f"{seen.size}\n")
    if not check_consistency(seen.size, new.size, seen.root, new.root, asked.proof):
        return Refusal(422, "The proof does not show that this checkpoint continues the one this witness cosigned.\n")
    return Seen(new.size, new.root)

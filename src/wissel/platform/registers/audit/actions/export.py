"""The whole published log as files in the C2SP tlog-tiles layout, for whoever wants to check it elsewhere."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from wissel.core.moments import rfc3339
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.actions.log import AuditLog
from wissel.platform.registers.audit.rules import TILE_WIDTH, number_path, tile_path, tiles_of
from wissel.platform.registers.audit.words import Head

CHECKPOINTS_PER_FILE: Final = 256

Write = Callable[[str, bytes], None]
"""(relative path, content): writes one file"""

_README: Final = """\
The audit log {origin}, exported at {at}.

checkpoint            the newest signed tree head with its cosignatures (C2SP tlog-checkpoint, tlog-cosignature)
tile/<L>/<N>[.p/<W>]  hash tiles (C2SP tlog-tiles; RFC 6962 hashes, SHA-256)
tile/entries/<N>      entry bundles: each entry after its length in 16 bits; canonical JSON; pruned below {minimum}
checkpoints/<N>.jsonl earlier signed tree heads, {per} to a file
keys.json             the log's verifier key and those of its witnesses
closed/<N>/           earlier logs of this platform, in the same layout

Each tile at level 0 holds the leaf hashes of a bundle; each hash at level L is the root over a full tile at L-1.
"""


class Exported(NamedTuple):
    """How much was written."""

    files: int
    entries: int


async def export(
    log: AuditLog, write: Write, now: datetime, *, vkeys: Sequence[str], witnesses: Sequence[str] = ()
) -> Exported:
    """Write every published checkpoint, tile and entry bundle. `vkeys`: of the logs; `witnesses`: of the witnesses.

    Entries are for their parties and the inspector: whoever calls this answers for where the files go.
    """
    total = Exported(0, 0)
    for head in await store.heads(log.database):
        prefix = "" if head.open else f"closed/{head.log}/"
        wrote = await _one(log, head, lambda path, data, at=prefix: write(at + path, data))  # type: ignore[misc]  # the default binds the prefix of this round
        total = Exported(total.files + wrote.files, total.entries + wrote.entries)
    keys = {"logs": {vkey.partition("+")[0]: vkey for vkey in vkeys}, "witnesses": sorted(witnesses)}
    write("keys.json", json.dumps(keys, indent=2, sort_keys=True).encode() + b"\n")
    minimum = next((head.minimum for head in await store.heads(log.database) if head.open), 0)
    readme = _README.format(origin=log.origin, at=rfc3339(now), minimum=minimum, per=CHECKPOINTS_PER_FILE)
    write("README.txt", readme.encode())
    return Exported(total.files + 2, total.entries)


async def _one(log: AuditLog, head: Head, write: Write) -> Exported:
    newest = await store.newest_checkpoint(log.database, head.log)
    if newest is None:
        return Exported(0, 0)
    size = newest[0]
    write("checkpoint", (await log.cosigned(head.log, *newest)).encode())
    files = 1 + await _checkpoints(log, head, write)
    for (level, last), width in tiles_of(size):
        for n in range(last + 1):
            wide = width if n == last else TILE_WIDTH
            hashes = (await store.tiles(log.database, head.log, [(level, n)]))[level, n]
            write(tile_path(level, n, wide), hashes[: wide * 32])
            files += 1
    entries = 0
    for n in range((size + TILE_WIDTH - 1) // TILE_WIDTH):
        wide = min(TILE_WIDTH, size - n * TILE_WIDTH)
        bundle = await log.entries(n, wide, head.log)
        if bundle is not None:
            write(tile_path(None, n, wide), bundle)
            files, entries = files + 1, entries + wide
    return Exported(files, entries)


async def _checkpoints(log: AuditLog, head: Head, write: Write) -> int:
    above, page_number = -1, 0
    while page := await store.checkpoints_between(log.database, head.log, above, CHECKPOINTS_PER_FILE):
        lines = [
            json.dumps({"size": size, "note": await log.cosigned(head.log, size, note)}) + "\n" for size, note in page
        ]
        write(f"checkpoints/{number_path(page_number)}.jsonl", "".join(lines).encode())
        above, page_number = page[-1][0], page_number + 1
    return page_number

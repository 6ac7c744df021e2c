"""Going on after a restore: the old log is closed for ever, a new origin starts and names where the old one ended."""

from datetime import datetime
from typing import Final, NamedTuple

from wissel.core.entropy import Entropy
from wissel.core.moments import to_ms
from wissel.core.tree import EMPTY_ROOT, root_from
from wissel.infra.sql.ports import Database, Statement
from wissel.messages.leaves import entry
from wissel.messages.notes import NoteKey
from wissel.messages.verify import parse_checkpoint
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.actions.sequence import Integrated, publish
from wissel.platform.registers.audit.actions.tiles import Tiles
from wissel.platform.registers.audit.errors import LogInconsistent, WrongLogKey
from wissel.platform.registers.audit.ports import Highest
from wissel.platform.registers.audit.rules import origin_number, wants_root
from wissel.platform.registers.audit.words import Head

_CHECKPOINTS_PER_QUERY: Final = 256


class Reopened(NamedTuple):
    """What reopening did: `last` is the old log's last known checkpoint, `again` how many leaves are logged anew."""

    origin: str
    last: str
    again: int
    checkpoint: str


async def next_origin(database: Database, highest: Highest, origin: str) -> str:
    """Return the name for the next log (and for its key): the base of `origin` and a number never used before."""
    base, number = origin_number(origin)
    used = [number, *await _numbers(database, highest.checkpoint())]
    return f"{base}/{max(used) + 1}"


async def reopen(database: Database, *, key: NoteKey, highest: Highest, entropy: Entropy, now: datetime) -> Reopened:
    """Close the open log and start the one that `key` is named for; its first leaf is `log.opened`.

    `key` is new, named by `next_origin`, and durable before this is called. What the old log holds beyond its
    last sound checkpoint is logged anew. Raises WrongLogKey when the name was used before or is out of order.
    """
    kept = highest.checkpoint()
    number = origin_number(key.name)[1]
    if number <= max(await _numbers(database, kept), default=0):
        raise WrongLogKey(f"A log {key.name} was there before. Make a key with the name that next_origin gives.")
    old = await store.open_head(database)
    last = kept or await _last_recorded(database, old)
    opened = entry("log.opened", now, entropy, previous=last)
    fresh = Head(number, key.name, 0, EMPTY_ROOT, 0, open=True)
    grown = Integrated(fresh, {}, [(entropy.draw(16), opened, to_ms(now))])
    again = await _unproven(database, old)
    unit = [store.close(old)] if old else []
    unit += await _placeholder(database, kept)
    unit += [store.begin(number, key.name, grown.head.size, grown.head.root), *grown.statements]
    unit += [store.pend_again(again)] if again else []
    await database.commit(unit)
    return Reopened(key.name, last, len(again), await publish(database, grown.head, key, highest))


async def _numbers(database: Database, kept: str) -> list[int]:
    origins = [head.origin for head in await store.heads(database)]
    origins += [parse_checkpoint(kept).origin] if kept else []
    return [origin_number(origin)[1] for origin in origins]


async def _last_recorded(database: Database, old: Head | None) -> str:
    newest = await store.newest_checkpoint(database, old.log) if old else None
    return newest[1] if newest else ""


async def _placeholder(database: Database, kept: str) -> list[Statement]:
    """Name a log that the key store knows and this database does not: it was restored to before that log."""
    if not kept:
        return []
    origin = parse_checkpoint(kept).origin
    if origin in {head.origin for head in await store.heads(database)}:
        return []
    return [store.begin_closed(origin_number(origin)[1], origin, EMPTY_ROOT)]


async def _unproven(database: Database, old: Head | None) -> list[tuple[bytes, bytes, int]]:
    """Return the entries that no sound checkpoint of the old log covers, as pending leaves."""
    if old is None:
        return []
    sound = await _sound_size(database, old)
    entries = await store.entries_from(database, old.log, sound)
    return [(logged.leaf, logged.entry, logged.at_ms) for logged in entries]


async def _sound_size(database: Database, old: Head) -> int:
    """Return the size of the newest recorded checkpoint that the tiles lead to; 0 when there is none."""
    tiles, below = Tiles(database), old.size
    while page := await store.checkpoints_down(database, old.log, below, _CHECKPOINTS_PER_QUERY):
        for size, signed in page:
            if await _leads_to(tiles, old, size, parse_checkpoint(signed).root):
                return size
        below = page[-1][0] - 1
    return 0


async def _leads_to(tiles: Tiles, old: Head, size: int, root: bytes) -> bool:
    try:
        read = await tiles.load(old.log, wants_root(size), fresh=True)
    except LogInconsistent:
        return False  # a tile is missing: this checkpoint is not sound here, a smaller one may be
    return root_from(size, read) == root

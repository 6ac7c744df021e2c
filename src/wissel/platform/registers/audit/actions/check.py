"""The full check: rebuild the whole tree from entries and tiles, and hold it against every checkpoint."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final, NamedTuple

from wissel.core.tree import HASH_BYTES, leaf_hash, root_from
from wissel.messages.verify import parse_checkpoint
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.actions.log import AuditLog
from wissel.platform.registers.audit.errors import LogInconsistent
from wissel.platform.registers.audit.rules import TILE_WIDTH, TileKey, TileTree, wants_root
from wissel.platform.registers.audit.words import Head

TILES_PER_STEP_MAX: Final = 16
CHECKPOINTS_PER_STEP_MAX: Final = 64


class Found(NamedTuple):
    """What a full check of one log saw; `reason`: why a closed log does not fit (the open one raises)."""

    origin: str
    entries: int
    tiles: int
    checkpoints: int
    reason: str = ""


class Check:
    """Goes through all logs, bit by bit, and starts over when it is done; `found` tells of the last whole round."""

    def __init__(self, log: AuditLog) -> None:
        self.found: list[Found] = []
        self.rounds = 0
        self._log = log
        self._round: list[Found] = []
        self._walk: AsyncIterator[int] = self._all()

    async def step(self, now: datetime) -> int:
        """Check a little more and return how many tiles and checkpoints; 0 when a round is complete.

        Raises LogInconsistent for the first thing that does not fit, and makes the log read-only.
        """
        del now
        try:
            done = await anext(self._walk, 0)
        except LogInconsistent as error:
            self._log.distrust(error)
            self._walk = self._all()
            raise
        if done:
            return done
        self.found, self._round = self._round, []
        self.rounds += 1
        self._walk = self._all()
        return 0

    async def _all(self) -> AsyncIterator[int]:
        self._round = []
        for head in reversed(await store.heads(self._log.database)):
            try:
                async for done in self._one(head):
                    yield done
            except LogInconsistent as error:
                if head.open:
                    raise
                self._round.append(Found(head.origin, 0, 0, 0, error.sentence))

    async def _one(self, head: Head) -> AsyncIterator[int]:
        tiles, entries, level, count = 0, 0, 0, head.size
        while count:
            last = (count - 1) // TILE_WIDTH
            for n in range(last + 1):
                width = min(TILE_WIDTH, count - n * TILE_WIDTH)
                entries += await self._tile(head, level, n, width)
                tiles += 1
                if tiles % TILES_PER_STEP_MAX == 0:
                    yield TILES_PER_STEP_MAX
            level, count = level + 1, count // TILE_WIDTH
        if await self._root_at(head, head.size) != head.root:
            raise LogInconsistent(f"The tiles of log {head.origin} do not lead to its head.")
        checkpoints = 0
        async for done in self._checkpoints(head):
            checkpoints += done
            yield done
        self._round.append(Found(head.origin, entries, tiles, checkpoints))

    async def _checkpoints(self, head: Head) -> AsyncIterator[int]:
        """Check the checkpoints up to the head at which this round began; the next round checks newer ones."""
        above = -1
        while page := await store.checkpoints_between(self._log.database, head.log, above, CHECKPOINTS_PER_STEP_MAX):
            due = [(size, note) for size, note in page if size <= head.size or not head.open]
            for size, note in due:
                await self._checkpoint(head, size, note)
            if due:
                yield len(due)
            if len(due) < len(page):
                return
            above = page[-1][0]

    async def _tile(self, head: Head, level: int, n: int, width: int) -> int:
        """Compare one tile with what lies below it; return how many entries were read."""
        below = (level - 1, n * TILE_WIDTH)
        found = await store.tiles(self._log.database, head.log, [(level, n)])
        hashes = found.get((level, n), b"")
        if len(hashes) < width * HASH_BYTES:
            raise LogInconsistent(f"Tile {n} of level {level} of log {head.origin} is gone, or narrower than {width}.")
        rows = [hashes[i * HASH_BYTES : (i + 1) * HASH_BYTES] for i in range(width)]
        if level == 0:
            return await self._entries(head, n, rows)
        keys: list[TileKey] = [(below[0], below[1] + i) for i in range(width)]
        under = await store.tiles(self._log.database, head.log, keys)
        for key, row in zip(keys, rows, strict=True):
            if len(under.get(key, b"")) != TILE_WIDTH * HASH_BYTES or TileTree(under[key]).root != row:
                raise LogInconsistent(f"Tile {key[1]} of level {key[0]} of log {head.origin} was changed.")
        return 0

    async def _entries(self, head: Head, n: int, rows: list[bytes]) -> int:
        start = n * TILE_WIDTH
        entries = await store.entries_between(self._log.database, head.log, start, start + len(rows))
        there = {logged.idx: logged for logged in entries}
        for index, row in enumerate(rows, start):
            logged = there.get(index)
            if logged is None and index >= head.minimum and index >= await self._minimum(head):
                raise LogInconsistent(f"Entry {index} of log {head.origin} is gone.")
            if logged and not logged.leaf_hash == row == leaf_hash(logged.entry):
                raise LogInconsistent(f"Entry {index} of log {head.origin} was changed.")
        return len(entries)

    async def _minimum(self, head: Head) -> int:
        """Return below which index entries were pruned, by now: it may have moved since the round began."""
        now = await store.head_of(self._log.database, head.log)
        return now.minimum if now else head.minimum

    async def _checkpoint(self, head: Head, size: int, note: str) -> None:
        known = parse_checkpoint(note)
        if (known.origin, known.size) != (head.origin, size) or size > head.size:
            raise LogInconsistent(f"Checkpoint {size} of log {head.origin} is not of this tree.")
        if await self._root_at(head, size) != known.root:
            raise LogInconsistent(f"Checkpoint {size} of log {head.origin} contradicts the tree.")

    async def _root_at(self, head: Head, size: int) -> bytes:
        return root_from(size, await self._log.tiles.load(head.log, wants_root(size), fresh=True))


async def check(log: AuditLog, now: datetime) -> list[Found]:
    """Check all logs from beginning to end. Raises LogInconsistent for the first thing that does not fit."""
    whole = Check(log)
    while await whole.step(now):
        pass
    return whole.found

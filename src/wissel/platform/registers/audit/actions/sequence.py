"""The sequencer: gives pending leaves their indexes, and signs what is committed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from wissel.core.tree import root_from
from wissel.infra.sql.ports import Conflict, Database, Statement
from wissel.messages.leaves import ENTRY_BYTES_MAX, EntryTooLong
from wissel.messages.notes import NoteKey, checkpoint_body, note
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.actions.log import AuditLog
from wissel.platform.registers.audit.errors import LogInconsistent, WrongLogKey
from wissel.platform.registers.audit.ports import Highest
from wissel.platform.registers.audit.rules import (
    TileKey,
    TileTree,
    grow,
    leaf_hashes,
    reader,
    wants_root,
)
from wissel.platform.registers.audit.words import Head, Logged

LEAVES_PER_STEP_MAX: Final = 4_096

Pending = tuple[bytes, bytes, int]
"""(leaf, entry, at_ms)"""


class Integrated:
    """A batch of leaves at their places in a tree: the statements that commit it, and the head it gives."""

    def __init__(self, head: Head, edge: dict[TileKey, bytes], batch: Sequence[Pending]) -> None:
        hashes = leaf_hashes(entry for _, entry, _ in batch)
        grown = grow(head.size, {level: row for (level, _), row in edge.items()}, hashes)
        rows = edge | {(tile.level, tile.n): tile.hashes for tile in grown.tiles}
        trees = {key: TileTree(rows[key]) for key in wants_root(grown.size)}
        self.head = head._replace(size=grown.size, root=root_from(grown.size, reader(trees)))
        entries = [
            Logged(head.log, head.size + i, leaf, hashes[i], entry, at_ms)
            for i, (leaf, entry, at_ms) in enumerate(batch)
        ]
        self.statements: list[Statement] = [store.add_entries(entries), store.write_tiles(head.log, grown.tiles)]


async def publish(database: Database, head: Head, key: NoteKey, highest: Highest) -> str:
    """Sign a committed head, keep the note in the key store, and only then record it: readers see it from here on."""
    body = checkpoint_body(head.origin, head.size, head.root)
    signed = note(body, [key.sign(body)])
    highest.keep_checkpoint(signed)
    await database.commit([store.record(head.log, head.size, signed)])
    return signed


class Sequencer:
    """Takes what is visible, never a cursor over ids: a leaf whose transaction ends late is not missed."""

    def __init__(self, log: AuditLog, *, key: NoteKey, highest: Highest, batch: int = LEAVES_PER_STEP_MAX) -> None:
        if key.name != log.origin:
            raise WrongLogKey(f"The log's key is named {key.name}, the log {log.origin}. Use the key of this log.")
        self._log = log
        self._database: Database = log.database
        self._key = key
        self._highest = highest
        self._batch = batch

    async def step(self, now: datetime) -> int:
        """Integrate one batch of pending leaves in one commit, then sign and publish; return how many leaves.

        Does nothing while the log is in trouble. Raises LogInconsistent the first time it is found to be,
        EntryTooLong for an entry that no bundle can hold.
        """
        del now  # a leaf bears the time of what it records
        if self._log.trouble:
            return 0
        try:
            done = await self._integrate()
            await self._publish()
        except LogInconsistent as error:
            self._log.distrust(error)
            raise
        return done

    async def _integrate(self) -> int:
        batch = await store.pending(self._database, self._batch)
        if not batch:
            return 0
        for leaf, entry, _ in batch:
            if len(entry) > ENTRY_BYTES_MAX:
                raise EntryTooLong(
                    f"Pending leaf {leaf.hex()} has {len(entry)} bytes, at most {ENTRY_BYTES_MAX} fit. Mend its maker."
                )
        head = await self._head()
        edge = await self._log.tiles.edge(head)
        grown = Integrated(head, edge, batch)
        try:
            await self._database.commit(
                [
                    store.move(head, grown.head.size, grown.head.root),
                    store.take_pending([leaf for leaf, _, _ in batch]),
                    *grown.statements,
                ]
            )
        except Conflict:
            if await store.open_head(self._database) == head:
                raise  # nobody else was faster: the rows themselves do not fit
            return 0
        return len(batch)

    async def _publish(self) -> None:
        """Sign the committed head if it is not published yet: compare, sign, keep outside, then record."""
        head = await self._head()
        newest = await store.newest_checkpoint(self._database, head.log)
        if newest and newest[0] == head.size:
            return
        head = await self._log.examine()
        await publish(self._database, head, self._key, self._highest)

    async def _head(self) -> Head:
        head = await store.open_head(self._database)
        if head is None or head.origin != self._key.name:
            raise LogInconsistent(f"The open log of the database is no longer {self._key.name}. Start again.")
        return head

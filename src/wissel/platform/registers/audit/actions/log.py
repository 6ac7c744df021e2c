"""The audit log as others see it: is it sound, may we go on, and proofs, tiles and entries of what is published."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from wissel.core.moments import from_ms, to_ms
from wissel.core.tree import EMPTY_ROOT, check_inclusion, inclusion_path, root_from
from wissel.infra.sql.ports import Database
from wissel.messages.afschrift import Proven
from wissel.messages.notes import tlog_proof
from wissel.messages.verify import Checkpoint, parse_checkpoint
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.actions.tiles import Recent, Tiles
from wissel.platform.registers.audit.errors import LogInconsistent
from wissel.platform.registers.audit.ports import Highest
from wissel.platform.registers.audit.rules import (
    TILE_WIDTH,
    bundle,
    origin_number,
    outvoted,
    served,
    signed_by,
    wants_inclusion,
    wants_root,
)
from wissel.platform.registers.audit.words import Head, Logged, Proof

PENDING_MS_MAX: Final = 10_000
LEAVES_PER_PROOF_MAX: Final = 512
_STALLED_ASKED_MS: Final = 1_000
_PROVEN_KEPT: Final = 4_096
_COSIGNATURES_ASKED: Final = 1_024
_REOPEN: Final = "Nothing is signed until an operator has run wissel audit reopen."


class AuditLog:
    """The open log and its closed predecessors. `vkey` is the open log's verifier key; its name is the origin."""

    def __init__(self, database: Database, *, vkey: str, highest: Highest, quorum: int = 1) -> None:
        self.origin = vkey.partition("+")[0]
        self.trouble: LogInconsistent | None = None
        self.quorum = quorum
        self.tiles = Tiles(database)
        self.database = database
        self._vkey = vkey
        self._highest = highest
        self._asked_ms = -_STALLED_ASKED_MS
        self._oldest_ms: int | None = None
        self._proven = Recent[tuple[int, int, int, int], Proven](_PROVEN_KEPT)
        self._where = Recent[bytes, Logged](_PROVEN_KEPT)

    # --- is it sound? ------------------------------------------------------------------------------------

    async def open(self, now: datetime) -> Head:
        """Begin the first log if there is none, and compare the tree with every checkpoint that is known.

        Raises LogInconsistent, and from then on serves read-only and signs nothing (`trouble`).
        """
        self._asked_ms = to_ms(now) - _STALLED_ASKED_MS
        if not await store.heads(self.database) and not self._highest.checkpoint():
            await self.database.commit([store.begin(origin_number(self.origin)[1], self.origin, 0, EMPTY_ROOT)])
        try:
            head = await self.examine()
            await self._heard(head)
        except LogInconsistent as error:
            self.distrust(error)
            raise
        return head

    async def _heard(self, head: Head) -> None:
        """Compare with what witnesses said before the last stop."""
        if outvoted((await store.witnesses(self.database, head.log)).values(), self.quorum):
            raise LogInconsistent(f"The witnesses know another or a longer log {head.origin}. {_REOPEN}")

    def distrust(self, error: LogInconsistent) -> None:
        """Serve read-only and sign nothing from now on; the first reason stands."""
        self.trouble = self.trouble or error

    async def examine(self) -> Head:
        """Return the committed head after comparing its right edge, read now, with the highest checkpoints.

        Raises LogInconsistent when the database is behind, or does not fit, one of them.
        """
        kept = self._highest.checkpoint()
        head = await store.open_head(self.database)
        if head is None or head.origin != self.origin:
            raise LogInconsistent(
                f"The open log of this database is {head.origin if head else 'absent'}, not {self.origin}. Use this"
                f" log's key and settings, or: {_REOPEN}"
            )
        if await self._root_at(head, head.size) != head.root:
            raise LogInconsistent(f"The tiles of log {head.origin} do not lead to its head. {_REOPEN}")
        newest = await store.newest_checkpoint(self.database, head.log)
        if newest:
            await self._fits(head, parse_checkpoint(newest[1]), "its newest recorded checkpoint")
        if kept or newest:
            await self._fits_kept(head, kept, recorded=bool(newest))
        return head

    async def _fits_kept(self, head: Head, kept: str, *, recorded: bool) -> None:
        if not kept:
            raise LogInconsistent(f"The key store lost the highest checkpoint of {head.origin}. {_REOPEN}")
        checkpoint = parse_checkpoint(kept)
        if checkpoint.origin == head.origin:
            if not signed_by(kept, self._vkey):
                raise LogInconsistent(f"The key store's highest checkpoint is not signed by {head.origin}. {_REOPEN}")
            await self._fits(head, checkpoint, "the key store's highest checkpoint")
            return
        before = {closed.origin for closed in await store.heads(self.database) if closed.log < head.log}
        if recorded or checkpoint.origin not in before:
            raise LogInconsistent(
                f"The key store's highest checkpoint is of {checkpoint.origin}, but {head.origin} is open. {_REOPEN}"
            )

    async def _fits(self, head: Head, known: Checkpoint, whose: str) -> None:
        if known.size > head.size:
            raise LogInconsistent(
                f"The database is behind: {head.origin} has {head.size} entries, {whose} has {known.size}. {_REOPEN}"
            )
        if await self._root_at(head, known.size) != known.root:
            raise LogInconsistent(f"Log {head.origin} contradicts {whose} of size {known.size}. {_REOPEN}")

    async def _root_at(self, head: Head, size: int) -> bytes:
        read = await self.tiles.load(head.log, wants_root(size), fresh=True)
        return root_from(size, read)

    async def stalled(self, now: datetime) -> bool:
        """Return whether accepting must stop: the log is in trouble, or a leaf has been pending for over 10 s.

        The database is asked once per second at most.
        """
        if self.trouble:
            return True
        now_ms = to_ms(now)
        if not 0 <= now_ms - self._asked_ms < _STALLED_ASKED_MS:
            self._oldest_ms = await store.oldest_pending_ms(self.database)
            self._asked_ms = now_ms
        return self._oldest_ms is not None and now_ms - self._oldest_ms > PENDING_MS_MAX

    # --- what is published -------------------------------------------------------------------------------

    async def checkpoint(self, log: int = 0) -> str:
        """Return the newest published checkpoint with its cosignatures; empty before the first. 0: the open log."""
        number = log or await self._open_log()
        newest = await store.newest_checkpoint(self.database, number)
        return await self.cosigned(number, *newest) if newest else ""

    async def tile(self, level: int, n: int, width: int = TILE_WIDTH, log: int = 0) -> bytes | None:
        """Return a hash tile of the published tree, or None when it has none such. 0: the open log."""
        number = log or await self._open_log()
        if not served(level, n, width, await self._published(number)):
            return None
        found = await store.tiles(self.database, number, [(level, n)])
        return found[level, n][: width * 32]

    async def entries(self, n: int, width: int = TILE_WIDTH, log: int = 0) -> bytes | None:
        """Return an entry bundle of the published tree; None when there is none such or it was pruned.

        Entries are for their parties and the inspector: the caller checks who asks.
        """
        number = log or await self._open_log()
        if not served(0, n, width, await self._published(number)):
            return None
        start = n * TILE_WIDTH
        found = await store.entries_between(self.database, number, start, start + width)
        return bundle(logged.entry for logged in found) if len(found) == width else None

    async def entry_of(self, index: int, log: int = 0) -> Logged | None:
        """Return one entry of the published tree; None when there is none such or it was pruned."""
        number = log or await self._open_log()
        if index >= await self._published(number):
            return None
        found = await store.entries_between(self.database, number, index, index + 1)
        return found[0] if found else None

    async def of_process(self, process: str, after: tuple[int, int] = (0, -1), limit: int = 1_000) -> list[Logged]:
        """Return up to `limit` entries of one process after (log, index), in order, as far as they were not pruned."""
        return await store.entries_of_process(self.database, process, after, limit)

    async def where(self, leaves: Sequence[bytes]) -> dict[bytes, tuple[str, Logged]]:
        """Return where each of `leaves` stands, with the origin of its log; what has no index yet is left out."""
        origins = {head.log: head.origin for head in await store.heads(self.database)}
        found = await self._locate(leaves)
        return {leaf: (origins[logged.log], logged) for leaf, logged in found.items()}

    async def witness_time(self) -> datetime | None:
        """Return the time that a quorum of witnesses has reached: a second clock for who is about to destroy keys.

        Each tells it in its newest cosignature; one alone can neither push it on nor, beside a quorum, hold it back.
        None while fewer than a quorum have told.
        """
        told = await store.newest_cosignatures(self.database, await self._open_log(), _COSIGNATURES_ASKED)
        latest, quorum = sorted(told.values(), reverse=True), max(1, self.quorum)
        return from_ms(latest[quorum - 1]) if len(latest) >= quorum else None

    async def cosigned(self, log: int, size: int, note: str) -> str:
        """Return a published checkpoint with the cosignatures that came in for it."""
        lines = await store.cosignatures(self.database, log, size)
        return note + "".join(f"{line}\n" for _, line in lines)

    async def _open_log(self) -> int:
        head = await store.open_head(self.database)
        return head.log if head else 0

    async def _published(self, log: int) -> int:
        newest = await store.newest_checkpoint(self.database, log)
        return newest[0] if newest else 0

    # --- proofs ------------------------------------------------------------------------------------------

    async def prove(self, leaves: Sequence[bytes]) -> Proof | None:
        """Return the entries of `leaves` with inclusion proofs against one checkpoint (one per log), in that order.

        The checkpoint is the newest that has the witness quorum, else the newest. None: a leaf is not in a
        published checkpoint yet. Raises LogInconsistent when tiles do not lead to the checkpoint, ValueError
        for more than 512 leaves.
        """
        if len(leaves) > LEAVES_PER_PROOF_MAX:
            raise ValueError(f"{len(leaves)} leaves in one proof; at most {LEAVES_PER_PROOF_MAX}")
        found = await self._locate(leaves)
        proven, witnesses = dict[bytes, Proven](), list[int]()
        for log in {logged.log for logged in found.values()}:
            mine = [logged for logged in found.values() if logged.log == log]
            chosen = await self._choose(log, 1 + max(logged.idx for logged in mine))
            if chosen is None:
                return None
            size, note = chosen
            full = await self.cosigned(log, size, note)
            witnesses.append(full.count("\n") - note.count("\n"))
            proven |= await self._prove(size, full, witnesses[-1], mine)
        if len(proven) < len(set(leaves)):
            return None
        return Proof([proven[leaf] for leaf in leaves], min(witnesses, default=0))

    async def _choose(self, log: int, least: int) -> tuple[int, str] | None:
        quorate = await store.quorum_checkpoint(self.database, log, least, self.quorum) if self.quorum else None
        return quorate or await store.newest_checkpoint(self.database, log, least)

    async def _locate(self, leaves: Sequence[bytes]) -> dict[bytes, Logged]:
        found = {leaf: logged for leaf in leaves if (logged := self._where.get(leaf))}
        unknown = [leaf for leaf in leaves if leaf not in found]
        for logged in await store.entries_by_leaf(self.database, unknown):
            found[logged.leaf] = logged
            self._where.put(logged.leaf, logged)
        return found

    async def _prove(self, size: int, note: str, witnesses: int, mine: Sequence[Logged]) -> dict[bytes, Proven]:
        """Prove entries of one log; what was proven against this very note before is not proven again."""
        keys = {logged.leaf: (logged.log, size, witnesses, logged.idx) for logged in mine}
        done = {leaf: known for leaf, key in keys.items() if (known := self._proven.get(key))}
        todo = [logged for logged in mine if logged.leaf not in done]
        if not todo:
            return done
        read = await self.tiles.load(todo[0].log, wants_inclusion([logged.idx for logged in todo], size))
        head = parse_checkpoint(note)
        for logged in todo:
            path = inclusion_path(logged.idx, size, read)
            if not check_inclusion(logged.leaf_hash, logged.idx, size, path, head.root):
                raise LogInconsistent(f"Entry {logged.idx} is not in checkpoint {size} of {head.origin}. {_REOPEN}")
            known = Proven(logged.entry, tlog_proof(logged.idx, path, note))
            self._proven.put(keys[logged.leaf], known)
            done[logged.leaf] = known
        return done

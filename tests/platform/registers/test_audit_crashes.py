"""Any order of writing, sequencing, dying at any point, restoring and reopening keeps the promises of the log."""

import asyncio
import hashlib
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.platform.registers.audit_parts import NOON, Crash, Dice, Fuse, Played, Rig, Stores, check_proof

from wissel.core.tree import leaf_hash, root
from wissel.infra.sql.sqlite import SqliteDatabase, back_up
from wissel.messages.notes import NoteKey
from wissel.messages.verify import parse_checkpoint
from wissel.platform.registers.audit.actions.check import check
from wissel.platform.registers.audit.actions.gather import Witnesses
from wissel.platform.registers.audit.actions.reopen import next_origin, reopen
from wissel.platform.registers.audit.errors import LogInconsistent

T = TypeVar("T")


class CrashingLog(RuleBasedStateMachine):
    """The model: every checkpoint that anyone could ever have read, and every entry that was ever committed."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.stores = Stores(Path(self.folder.name))
        self.published = dict[tuple[str, int], bytes]()
        self.written = dict[bytes, bytes]()
        self.number = 0
        self.night: tuple[str, dict[bytes, bytes]] | None = None

    def teardown(self) -> None:
        self.stores.close()
        self.loop.close()
        self.folder.cleanup()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(work)

    @initialize(batch=st.sampled_from([3, 100, 700]))
    def start(self, batch: int) -> None:
        self.rig: Rig = self.wait(self.stores.rig("first.db", batch=batch))
        self.played = Played(["first", "second"], self.rig.key.vkey)

    @rule(count=st.integers(1, 400))
    def write(self, count: int) -> None:
        entries = [f'{{"number":{self.number + n}}}'.encode() for n in range(count)]
        self.number += count
        leaves = self.wait(self.rig.pend(entries))
        self.written |= dict(zip(leaves, entries, strict=True))

    @rule(point=st.integers(0, 24))
    def step(self, point: int) -> None:
        """Sequence with a process that dies at that point (0: it lives), then start a new one."""
        self.rig.restart(Fuse(point))
        with suppress(Crash):
            self.wait(self.rig.sequencer.step(NOON))
        self.rig.restart()
        self.wait(self.rig.log.open(NOON))

    @rule(point=st.integers(0, 12))
    def gather(self, point: int) -> None:
        self.rig.restart(Fuse(point))
        witnesses = Witnesses(self.rig.log, call=self.played, cards=self.played.cards, entropy=Dice(self.number))
        with suppress(Crash):
            self.wait(witnesses.step(NOON))
        self.rig.restart()

    @rule()
    def take_backup(self) -> None:
        assert isinstance(self.rig.database, SqliteDatabase)
        name = f"night{len(self.published)}.{self.number}.{len(list(self.stores.folder.iterdir()))}.db"
        back_up(self.rig.database.path, self.stores.folder / name)
        self.night = (name, dict(self.written))

    @precondition(lambda self: self.night is not None)
    @rule()
    def restore(self) -> None:
        """Last night's database comes back: older than what is known is found, and the log is reopened."""
        assert self.night
        name, self.written = self.night
        self.night = None
        kept = self.rig.kept
        self.rig = self.wait(self.stores.restored(self.rig, name))
        size, origin = self.wait(self.rig.database.fetch("SELECT size, origin FROM log_state WHERE state = 'open'"))[0]
        known = parse_checkpoint(kept.note) if kept.note else None
        if known and (known.origin != origin or known.size > int(str(size))):
            with pytest.raises(LogInconsistent):
                self.wait(self.rig.log.open(NOON))
            assert self.wait(self.rig.sequencer.step(NOON)) == 0
            self.reopen()
        else:
            self.wait(self.rig.log.open(NOON))

    def reopen(self) -> None:
        key = NoteKey.new(
            self.wait(next_origin(self.rig.database, self.rig.kept, self.rig.key.name)), Dice(self.number)
        )
        done = self.wait(
            reopen(self.rig.database, key=key, highest=self.rig.kept, entropy=Dice(self.number + 1), now=NOON)
        )
        assert done.last
        self.rig = Rig(self.rig.database, self.rig.kept, key, self.rig.quorum, self.rig.batch)
        self.wait(self.rig.log.open(NOON))
        self.played = Played(["first", "second"], key.vkey)

    @rule()
    def finish_and_check(self) -> None:
        self.wait(self.rig.run())
        assert self.wait(self.rig.database.fetch("SELECT COUNT(*) FROM pending_leaves")) == [(0,)]
        assert all(not found.reason for found in self.wait(check(self.rig.log, NOON)))
        self.step(0)

    @rule(data=st.data())
    def prove_some(self, data: st.DataObject) -> None:
        if not self.written:
            return
        leaves = data.draw(st.lists(st.sampled_from(sorted(self.written)), min_size=1, max_size=5))
        proof = self.wait(self.rig.log.prove(leaves))
        for leaf, proven in zip(leaves, proof.proven if proof else [], strict=False):
            assert proven.entry == self.written[leaf]
            origin = parse_checkpoint(proven.proof.partition("\n\n")[2]).origin
            if origin == self.rig.key.name:
                check_proof(proven.entry, proven.proof, self.rig.key.vkey)

    @invariant()
    def no_published_checkpoint_is_contradicted(self) -> None:
        if not hasattr(self, "rig"):
            return
        for (note,) in self.wait(self.rig.database.fetch("SELECT note FROM log_checkpoints")):
            seen = parse_checkpoint(str(note))
            assert self.published.setdefault((seen.origin, seen.size), seen.root) == seen.root
        tree = self.tree()
        for (origin, size), head in self.published.items():
            if origin == self.rig.key.name:
                assert root(tree[:size]) == head, f"checkpoint {size} is no prefix of the tree"

    @invariant()
    def the_key_store_knows_the_highest(self) -> None:
        if not hasattr(self, "rig"):
            return
        mine = [size for origin, size in self.published if origin == self.rig.key.name]
        if mine:
            assert parse_checkpoint(self.rig.kept.note).size >= max(mine)

    @invariant()
    def no_committed_entry_is_lost_or_doubled(self) -> None:
        if not hasattr(self, "rig"):
            return
        pending = self.wait(self.rig.database.fetch("SELECT leaf FROM pending_leaves"))
        logged = self.wait(
            self.rig.database.fetch(
                "SELECT leaf FROM log_entries e JOIN log_state s ON e.log = s.log WHERE s.state = 'open'"
            )
        )
        now = [bytes(leaf) for (leaf,) in pending + logged if isinstance(leaf, bytes)]
        assert len(now) == len(set(now))
        older = self.wait(self.rig.database.fetch("SELECT leaf FROM log_entries"))
        ever = set(now) | {bytes(leaf) for (leaf,) in older if isinstance(leaf, bytes)}
        assert set(self.written) <= ever

    def tree(self) -> list[bytes]:
        rows = self.wait(
            self.rig.database.fetch(
                "SELECT entry FROM log_entries e JOIN log_state s ON e.log = s.log WHERE s.state = 'open' ORDER BY idx"
            )
        )
        return [leaf_hash(bytes(entry)) for (entry,) in rows if isinstance(entry, bytes)]


CrashingLog.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestCrashingLog = CrashingLog.TestCase


async def test_every_single_point_of_dying_is_survived(stores: Stores) -> None:
    """Exhaustive where the machine above samples: die at each point of one step, restart, and compare."""
    whole = await stores.rig("whole.db")
    entries = [hashlib.sha256(n.to_bytes(2)).digest() for n in range(300)]
    await whole.pend(entries)
    await whole.run()
    expected = parse_checkpoint(await whole.log.checkpoint()).root
    died = 0
    for point in range(1, 40):
        rig = await stores.rig(f"die{point}.db")
        await rig.pend(entries)
        rig.restart(Fuse(point))
        try:
            await rig.sequencer.step(NOON)
        except Crash:
            died += 1
        rig.restart()
        await rig.log.open(NOON)
        await rig.sequencer.step(NOON)
        assert parse_checkpoint(await rig.log.checkpoint()).root == expected
        assert parse_checkpoint(rig.kept.note).root == expected
    assert 10 < died < 39, "each point is real, and the last ones lie behind the end"

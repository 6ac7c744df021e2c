"""Sequencing: dense indexes in one commit, and only what is committed is signed."""

import time
from datetime import timedelta

import pytest
from tests.platform.registers.audit_parts import (
    NOON,
    ORIGIN,
    Crash,
    Dice,
    Fuse,
    Kept,
    Rig,
    Stores,
    entries_of,
)

from wissel.core.tree import leaf_hash, root
from wissel.infra.sql.ports import Conflict, Statement
from wissel.messages.leaves import ENTRY_BYTES_MAX, EntryTooLong
from wissel.messages.notes import NoteKey
from wissel.messages.verify import check_note, parse_checkpoint
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.actions.sequence import Sequencer
from wissel.platform.registers.audit.errors import LogInconsistent, WrongLogKey
from wissel.platform.registers.audit.rules import unbundle
from wissel.platform.store.leaves import pending


async def test_an_empty_log_has_a_signed_checkpoint_of_size_zero(rig: Rig) -> None:
    assert await rig.log.checkpoint() == ""
    assert await rig.sequencer.step(NOON) == 0
    assert parse_checkpoint(await rig.log.checkpoint()).size == 0


async def test_pending_leaves_get_dense_indexes_and_leave_the_queue(rig: Rig) -> None:
    entries = entries_of(300)
    await rig.pend(entries)
    assert await rig.run() == 300
    assert await rig.database.fetch("SELECT COUNT(*) FROM pending_leaves") == [(0,)]
    rows = await rig.database.fetch("SELECT idx FROM log_entries ORDER BY idx")
    assert rows == [(n,) for n in range(300)]
    note = await rig.log.checkpoint()
    check_note(note, rig.key.vkey)
    hashes = [leaf_hash(entry) for _, entry in await _in_order(rig)]
    assert parse_checkpoint(note)[:3] == (ORIGIN, 300, root(hashes))


async def test_a_leaf_that_becomes_visible_late_is_not_missed(rig: Rig) -> None:
    await rig.pend(entries_of(5, start=100), at=NOON)
    await rig.run()
    (late,) = await rig.pend([b"late"], at=NOON - timedelta(seconds=3))
    await rig.run()
    assert (await rig.prove([late])).proven[0].entry == b"late"


async def test_a_step_takes_a_bounded_batch_and_publishes_one_checkpoint(stores: Stores) -> None:
    rig = await stores.rig("a.db", batch=10)
    await rig.pend(entries_of(25))
    sizes = []
    while await rig.sequencer.step(NOON):
        sizes.append(parse_checkpoint(await rig.log.checkpoint()).size)
    assert sizes == [10, 20, 25]
    assert await rig.database.fetch("SELECT size FROM log_checkpoints ORDER BY size") == [(10,), (20,), (25,)]


async def test_what_was_committed_before_a_crash_is_signed_by_the_next_process(rig: Rig) -> None:
    await rig.pend(entries_of(3))
    for point in range(1, 100):
        rig.restart(Fuse(point))
        try:
            await rig.sequencer.step(NOON)
        except Crash:
            continue
        break
    rig.restart()
    await rig.log.open(NOON)
    await rig.sequencer.step(NOON)
    assert parse_checkpoint(await rig.log.checkpoint()).size == 3
    assert rig.kept.note == await rig.log.checkpoint()


async def test_a_checkpoint_is_kept_outside_before_anyone_can_read_it(rig: Rig) -> None:
    await rig.pend(entries_of(3))
    for point in range(1, 100):
        rig.restart(Fuse(point))
        died = False
        try:
            await rig.sequencer.step(NOON)
        except Crash:
            died = True
        published = await rig.database.fetch("SELECT note FROM log_checkpoints ORDER BY size DESC LIMIT 1")
        if published:
            assert parse_checkpoint(str(published[0][0])).size <= parse_checkpoint(rig.kept.note).size
        if not died:
            return
    raise AssertionError("the step never came to its end")


async def test_two_sequencers_never_give_an_index_twice(rig: Rig) -> None:
    other = Rig(rig.database, rig.kept, rig.key, batch=7)
    rig.batch = 5
    rig.restart()
    await rig.pend(entries_of(60))
    while await rig.sequencer.step(NOON) + await other.sequencer.step(NOON):
        pass
    rows = await rig.database.fetch("SELECT idx, COUNT(*) FROM log_entries GROUP BY idx ORDER BY idx")
    assert rows == [(n, 1) for n in range(60)]


async def test_a_sequencer_that_was_overtaken_writes_nothing(rig: Rig) -> None:
    """Another one commits between reading the queue and committing: this unit must fail whole."""
    await rig.pend(entries_of(4))

    class Overtaken:
        def __init__(self) -> None:
            self.once = True

        async def commit(self, unit: list[Statement]) -> None:
            if self.once:
                self.once = False
                await Rig(rig.database, rig.kept, rig.key).run()
            await rig.database.commit(unit)

        async def fetch(self, sql: str, args: tuple[int | str | bytes | None, ...] = ()) -> object:
            return await rig.database.fetch(sql, args)

    slow = Rig(Overtaken(), rig.kept, rig.key)  # type: ignore[arg-type]  # a database as far as it is used
    assert await slow.sequencer.step(NOON) == 0
    assert await rig.database.fetch("SELECT COUNT(*) FROM log_entries") == [(4,)]


async def test_a_head_moves_on_only_from_where_it_was_read(rig: Rig) -> None:
    await rig.run()
    head = (await store.heads(rig.database))[0]
    await rig.database.commit([store.move(head, 7, b"r" * 32)])
    with pytest.raises(Conflict):
        await rig.database.commit([store.move(head, 9, b"s" * 32)])
    assert (await store.heads(rig.database))[0].size == 7


async def test_rows_that_do_not_fit_are_an_error_not_a_silence(rig: Rig) -> None:
    await rig.database.commit(
        [Statement("INSERT INTO log_entries VALUES (1, 0, ?, ?, ?, 0, NULL)", [(b"x" * 16, b"h" * 32, b"stray")])]
    )
    await rig.pend(entries_of(1))
    with pytest.raises(Conflict):
        await rig.sequencer.step(NOON)


async def test_a_leaf_id_used_twice_is_logged_twice_and_holds_up_nothing(rig: Rig) -> None:
    (leaf,) = await rig.pend([b"same"])
    await rig.run()
    await rig.pend([b"same"])
    assert await rig.run() == 1
    assert (await rig.prove([leaf])).proven[0].entry == b"same"


def test_an_entry_too_long_for_a_bundle_is_not_made() -> None:
    assert pending(bytes(ENTRY_BYTES_MAX), bytes(16), 1).rows[0][1] == bytes(0xFFFF)
    with pytest.raises(EntryTooLong, match="65536 bytes"):
        pending(bytes(ENTRY_BYTES_MAX + 1), bytes(16), 1)


async def test_an_entry_too_long_for_a_bundle_is_named(rig: Rig) -> None:
    leaf = bytes(16)  # written past our own door
    sql = "INSERT INTO pending_leaves (leaf, entry, at_ms) VALUES (?, ?, ?)"
    await rig.database.commit([Statement(sql, [(leaf, b"x" * 65_536, 1)])])
    with pytest.raises(EntryTooLong, match=leaf.hex()):
        await rig.sequencer.step(NOON)


async def test_a_key_of_another_log_is_refused(rig: Rig) -> None:
    with pytest.raises(WrongLogKey):
        Sequencer(rig.log, key=NoteKey.new("other.example/log", Dice(2)), highest=Kept())


async def test_accepting_stops_when_a_leaf_waits_for_more_than_ten_seconds(rig: Rig) -> None:
    await rig.pend([b"waits"])
    assert not await rig.log.stalled(NOON + timedelta(seconds=10))
    assert await rig.log.stalled(NOON + timedelta(seconds=11))
    await rig.run()
    assert not await rig.log.stalled(NOON + timedelta(seconds=13))


async def test_accepting_stops_at_once_when_the_log_is_in_trouble(rig: Rig) -> None:
    rig.log.distrust(LogInconsistent("a test says so"))
    assert await rig.log.stalled(NOON)
    await rig.pend([b"waits"])
    assert await rig.sequencer.step(NOON) == 0
    assert await rig.database.fetch("SELECT COUNT(*) FROM pending_leaves") == [(1,)]


async def test_tiles_are_what_a_fresh_computation_gives(stores: Stores) -> None:
    rig = await stores.rig("a.db", batch=997)
    await rig.pend(entries_of(70_000 // 20))
    await rig.run()
    hashes = [leaf_hash(entry) for _, entry in await _in_order(rig)]
    level = 0
    while hashes:
        for n in range((len(hashes) + 255) // 256):
            part = hashes[n * 256 : (n + 1) * 256]
            assert await rig.log.tile(level, n, len(part)) == b"".join(part)
        hashes = [root(hashes[i : i + 256]) for i in range(0, len(hashes) - 255, 256)]
        level += 1
    assert level == 2


async def test_only_tiles_of_a_published_tree_are_served(rig: Rig) -> None:
    await rig.pend(entries_of(300))
    await rig.run()
    assert len(await rig.log.tile(0, 1, 44) or b"") == 44 * 32
    assert len(await rig.log.tile(0, 1, 3) or b"") == 3 * 32
    for wrong in [(0, 1, 45), (0, 2, 1), (1, 0, 2), (1, 1, 1), (0, -1, 1), (64, 0, 1), (0, 0, 0), (0, 0, 257)]:
        assert await rig.log.tile(*wrong) is None, wrong


async def test_bundles_hold_entries_in_their_order(rig: Rig) -> None:
    await rig.pend(entries_of(300))
    await rig.run()
    first, second = await rig.log.entries(0), await rig.log.entries(1, 44)
    assert first is not None
    assert second is not None
    assert unbundle(first) + unbundle(second) == [entry for _, entry in await _in_order(rig)]
    assert await rig.log.entries(1) is None


async def test_what_happened_in_one_process_can_be_read_in_order(rig: Rig) -> None:
    await rig.pend(entries_of(21))
    await rig.run()
    found = await rig.log.of_process("p3")
    assert len(found) == 3
    assert [logged.idx for logged in found] == sorted(logged.idx for logged in found)
    entry = await rig.log.entry_of(found[0].idx)
    assert entry == found[0]
    assert await rig.log.entry_of(21) is None
    first = await rig.log.of_process("p3", limit=2)
    rest = await rig.log.of_process("p3", after=(first[-1].log, first[-1].idx), limit=2)
    assert first + rest == found
    assert await rig.log.of_process("p3", after=(found[-1].log, found[-1].idx)) == []
    assert await rig.log.of_process("p3", after=(found[-1].log - 1, 1 << 40)) == found, "an older log comes before"


async def test_ten_thousand_leaves_take_a_few_seconds_of_processor_at_most(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    leaves = await rig.pend(entries_of(10_000))
    started = time.process_time()
    assert await rig.run() == 10_000
    assert (await rig.prove(leaves[::100])).proven
    assert time.process_time() - started < 5


async def test_two_stores_share_nothing(stores: Stores) -> None:
    first, second = await stores.rig("a.db"), await stores.open("b.db")
    await first.pend([b"one"])
    await first.run()
    assert await second.fetch("SELECT COUNT(*) FROM log_state") == [(0,)]


async def _in_order(rig: Rig) -> list[tuple[int, bytes]]:
    rows = await rig.database.fetch("SELECT idx, entry FROM log_entries ORDER BY idx")
    return [(int(str(index)), bytes(entry)) for index, entry in rows if isinstance(entry, bytes)]

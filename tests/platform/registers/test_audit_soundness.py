"""A published checkpoint is never contradicted: old, changed and forked databases are found, and reopened."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.platform.registers.audit_parts import (
    NOON,
    ORIGIN,
    Crash,
    Dice,
    Fuse,
    Played,
    Rig,
    Stores,
    check_proof,
    entries_of,
)

from wissel.core.tree import leaf_hash, root
from wissel.infra.sql.ports import Statement, Value
from wissel.infra.sql.sqlite import SqliteDatabase, back_up
from wissel.messages.notes import NoteKey
from wissel.messages.verify import check_note, parse_checkpoint
from wissel.platform.registers.audit.actions.check import Check, check
from wissel.platform.registers.audit.actions.export import export
from wissel.platform.registers.audit.actions.gather import Witnesses
from wissel.platform.registers.audit.actions.prune import Policy, prune
from wissel.platform.registers.audit.actions.reopen import next_origin, reopen
from wissel.platform.registers.audit.errors import LogInconsistent, PruneRefused, WrongLogKey
from wissel.platform.registers.audit.rules import unbundle

YEARS = timedelta(days=5 * 366)


async def backed_up(rig: Rig, folder: Path) -> None:
    assert isinstance(rig.database, SqliteDatabase)
    back_up(rig.database.path, folder / "night.db")


async def reopened(rig: Rig, seed: int = 9) -> Rig:
    """Do what `wissel audit reopen` does, and start the platform again."""
    origin = await next_origin(rig.database, rig.kept, rig.key.name)
    key = NoteKey.new(origin, Dice(seed))
    await reopen(rig.database, key=key, highest=rig.kept, entropy=Dice(seed + 1), now=NOON)
    again = Rig(rig.database, rig.kept, key, rig.quorum, rig.batch)
    await again.log.open(NOON)
    return again


async def test_a_restart_of_a_sound_log_goes_on(rig: Rig) -> None:
    await rig.pend(entries_of(300))
    await rig.run()
    rig.restart()
    head = await rig.log.open(NOON)
    assert (head.size, rig.log.trouble) == (300, None)


async def test_a_restored_database_is_found_at_start_and_signs_nothing(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    await rig.pend(entries_of(300))
    await rig.run()
    await backed_up(rig, stores.folder)
    await rig.pend(entries_of(10, start=300))
    await rig.run()
    old = await stores.restored(rig, "night.db")
    with pytest.raises(LogInconsistent, match=r"behind: .* has 300 entries, .* has 310"):
        await old.log.open(NOON)
    assert await old.log.stalled(NOON)
    await old.pend(entries_of(10, start=900))
    assert await old.sequencer.step(NOON) == 0
    assert parse_checkpoint(await old.log.checkpoint()).size == 300, "what was published is still served"


async def test_a_database_restored_under_a_running_process_is_found_before_the_next_signature(rig: Rig) -> None:
    await rig.pend(entries_of(20))
    await rig.run()
    await rig.database.commit(_back_to(10, entries_of(20)))
    await rig.pend(entries_of(30, start=900))
    with pytest.raises(LogInconsistent):
        await rig.run()
    assert parse_checkpoint(rig.kept.note).size == 20
    assert await rig.log.stalled(NOON)


async def test_a_fork_of_the_same_size_is_found(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    await rig.pend(entries_of(10))
    await backed_up(rig, stores.folder)
    await rig.run()
    other = await stores.restored(rig, "night.db")
    await other.database.commit([Statement("DELETE FROM pending_leaves")])
    await other.pend(entries_of(10, start=500))
    with pytest.raises(LogInconsistent):
        await other.run()
    assert await other.log.checkpoint() == ""


async def test_a_lost_key_store_stops_the_log(rig: Rig) -> None:
    await rig.pend(entries_of(3))
    await rig.run()
    rig.kept.note = ""
    rig.restart()
    with pytest.raises(LogInconsistent, match="key store lost"):
        await rig.log.open(NOON)


async def test_a_lost_database_does_not_begin_the_same_log_again(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    await rig.run()
    empty = Rig(await stores.open("empty.db"), rig.kept, rig.key)
    with pytest.raises(LogInconsistent, match="absent"):
        await empty.log.open(NOON)
    again = await reopened(empty)
    assert again.key.name == f"{ORIGIN}/2"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE log_state SET root = zeroblob(32)",
        "UPDATE log_state SET size = size - 1",
        "UPDATE log_tiles SET hashes = zeroblob(length(hashes)) WHERE level = 0 AND n = 1",
        "DELETE FROM log_tiles WHERE level = 0 AND n = 1",
        "DELETE FROM log_tiles WHERE level = 1",
    ],
)
async def test_a_damaged_right_edge_is_found_at_start(rig: Rig, damage: str) -> None:
    await rig.pend(entries_of(300))
    await rig.run()
    await rig.database.commit([Statement(damage)])
    rig.restart()
    with pytest.raises(LogInconsistent):
        await rig.log.open(NOON)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE log_entries SET entry = CAST('{}' AS BLOB) WHERE idx = 7", "Entry 7 .* was changed"),
        ("UPDATE log_entries SET leaf_hash = zeroblob(32) WHERE idx = 8", "Entry 8 .* was changed"),
        ("DELETE FROM log_entries WHERE idx = 9", "Entry 9 .* is gone"),
        ("UPDATE log_tiles SET hashes = zeroblob(8192) WHERE level = 0 AND n = 0", "Entry 0 .* was changed"),
        ("UPDATE log_tiles SET hashes = zeroblob(32) WHERE level = 1", "Tile 0 of level 0 .* was changed"),
    ],
)
async def test_the_full_check_finds_a_change_anywhere(rig: Rig, damage: str, said: str) -> None:
    await rig.pend(entries_of(300))
    await rig.run()
    assert (await check(rig.log, NOON))[0][:4] == (ORIGIN, 300, 3, 1)
    await rig.database.commit([Statement(damage)])
    with pytest.raises(LogInconsistent, match=said):
        await check(rig.log, NOON)
    assert await rig.log.stalled(NOON)


async def test_the_full_check_holds_the_tree_against_every_checkpoint(rig: Rig) -> None:
    await rig.pend(entries_of(5))
    await rig.run()
    await rig.pend(entries_of(5, start=5))
    await rig.run()
    false = rig.key
    body = f"{ORIGIN}\n5\n{'A' * 43}=\n"
    await rig.database.commit(
        [Statement("UPDATE log_checkpoints SET note = ? WHERE size = 5", [(body + "\n" + false.sign(body),)])]
    )
    with pytest.raises(LogInconsistent, match=r"Checkpoint 5 .* contradicts"):
        await check(rig.log, NOON)


async def test_the_background_check_goes_bit_by_bit_while_the_log_grows(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    await rig.pend(entries_of(8_000))
    await rig.run()
    background, steps = Check(rig.log), 0
    while not background.rounds:
        assert await background.step(NOON) <= 64
        await rig.pend(entries_of(300, start=8_000 + 300 * steps))
        await rig.run()
        steps += 1
        assert steps < 20, "a growing log must not keep the check from coming to its end"
    assert steps >= 3
    assert background.found[0].entries == 8_000


async def test_reopening_starts_a_new_origin_that_names_where_the_old_one_ended(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    early = await rig.pend(entries_of(300))
    await rig.run()
    await backed_up(rig, stores.folder)
    await rig.pend(entries_of(10, start=300))
    await rig.run()
    last = rig.kept.note
    again = await reopened(await stores.restored(rig, "night.db"))
    assert again.key.name == f"{ORIGIN}/2"
    first = await again.log.entry_of(0)
    assert first is not None
    opened = json.loads(first.entry)
    assert opened["event"] == "log.opened"
    assert parse_checkpoint(last).root.hex() in str(opened) or last in opened.values()
    late = await again.pend(entries_of(3, start=900))
    await again.run()
    proof = await again.prove([early[0], late[0]])
    assert check_proof(proof.proven[0].entry, proof.proven[0].proof, rig.key.vkey)[1] == 300
    assert check_proof(proof.proven[1].entry, proof.proven[1].proof, again.key.vkey)[1] == 4
    assert [found.reason for found in await check(again.log, NOON)] == ["", ""]


async def test_leaves_that_no_sound_checkpoint_covers_are_logged_anew(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    await rig.pend(entries_of(300))
    await rig.run()
    (lost,) = await rig.pend([b"committed, never signed"])
    for point in range(1, 100):
        rig.restart(Fuse(point))
        with pytest.raises(Crash):
            await rig.sequencer.step(NOON)
        if await rig.database.fetch("SELECT 1 FROM log_entries WHERE leaf = ?", (lost,)):
            break
    assert parse_checkpoint(rig.kept.note).size == 300
    again = await reopened(rig)
    await again.run()
    proof = await again.prove([lost])
    assert check_proof(proof.proven[0].entry, proof.proven[0].proof, again.key.vkey) == (1, 2)


async def test_a_crash_while_reopening_can_be_finished_by_starting_with_the_new_key(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    await rig.pend(entries_of(3))
    await rig.run()
    key = NoteKey.new(f"{ORIGIN}/2", Dice(5))

    class Dies:
        def checkpoint(self) -> str:
            return rig.kept.note

        def keep_checkpoint(self, note: str) -> None:
            raise Crash

    with pytest.raises(Crash):
        await reopen(rig.database, key=key, highest=Dies(), entropy=Dice(6), now=NOON)
    again = Rig(rig.database, rig.kept, key)
    await again.log.open(NOON)
    await again.sequencer.step(NOON)
    check_note(await again.log.checkpoint(), key.vkey)


async def test_a_back_up_from_before_a_reopening_never_reuses_its_origin(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    await rig.pend(entries_of(3))
    await rig.run()
    await backed_up(rig, stores.folder)
    await reopened(rig)
    old = await stores.restored(rig, "night.db")
    with pytest.raises(LogInconsistent, match=r"/2, but .* is open"):
        await old.log.open(NOON)
    third = await reopened(old, seed=20)
    assert third.key.name == f"{ORIGIN}/3"
    with pytest.raises(WrongLogKey):
        await reopen(old.database, key=rig.key, highest=rig.kept, entropy=Dice(7), now=NOON)
    assert await next_origin(old.database, rig.kept, third.key.name) == f"{ORIGIN}/4"


async def test_witnesses_tell_that_a_database_and_its_key_store_are_both_behind(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    played = Played(["first", "second", "third"], rig.key.vkey)
    await rig.pend(entries_of(30))
    await rig.run()
    await backed_up(rig, stores.folder)
    old_note = rig.kept.note
    await rig.pend(entries_of(10, start=30))
    await rig.run()
    await Witnesses(rig.log, call=played, cards=played.cards, entropy=Dice(3)).step(NOON)
    rig.kept.note = old_note
    old = await stores.restored(rig, "night.db")
    await old.log.open(NOON)
    with pytest.raises(LogInconsistent, match="3 witnesses know another or a longer log"):
        await Witnesses(old.log, call=played, cards=played.cards, entropy=Dice(3)).step(NOON)
    assert await old.log.stalled(NOON)
    old.restart()
    with pytest.raises(LogInconsistent, match="witnesses know"):
        await old.log.open(NOON)


async def test_the_export_is_the_tree_in_the_layout_of_the_specification(stores: Stores) -> None:
    rig = await stores.rig("a.db", batch=200)
    entries = entries_of(700)
    await rig.pend(entries)
    await rig.run()
    rig = await reopened(rig)
    files = dict[str, bytes]()
    await export(rig.log, files.__setitem__, NOON, vkeys=[rig.key.vkey])
    assert {name for name in files if name.startswith("closed/1/tile")} == {
        "closed/1/tile/0/000",
        "closed/1/tile/0/001",
        "closed/1/tile/0/002.p/188",
        "closed/1/tile/1/000.p/2",
        "closed/1/tile/entries/000",
        "closed/1/tile/entries/001",
        "closed/1/tile/entries/002.p/188",
    }
    bundles = [files[name] for name in sorted(files) if name.startswith("closed/1/tile/entries/")]
    hashes = [leaf_hash(entry) for data in bundles for entry in unbundle(data)]
    assert parse_checkpoint(files["closed/1/checkpoint"].decode()).root == root(hashes)
    sizes = [json.loads(line)["size"] for line in files["closed/1/checkpoints/000.jsonl"].splitlines()]
    assert sizes == [200, 400, 600, 700]
    assert files["checkpoint"].decode() == await rig.log.checkpoint()
    assert json.loads(files["keys.json"])["logs"] == {f"{ORIGIN}/2": rig.key.vkey}
    assert f"{ORIGIN}/2".encode() in files["README.txt"]


async def test_pruned_entries_go_and_old_proofs_stay_valid(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    old = await rig.pend(entries_of(600))
    await rig.run()
    before = await rig.prove(old[:1])
    later = NOON + YEARS + timedelta(days=1)
    young = await rig.pend(entries_of(10, start=600), at=later)
    await rig.run()
    done = await prune(rig.log, Policy("docs/audit-log.md", YEARS), later, Dice(8))
    assert [(each.head.origin, each.minimum, each.entries) for each in done] == [(ORIGIN, 512, 512)]
    await rig.run()
    assert await rig.log.entries(0) is None
    assert await rig.log.entry_of(5) is None
    assert await rig.log.entry_of(512) is not None
    assert await rig.log.tile(0, 0) is not None
    check_proof(before.proven[0].entry, before.proven[0].proof, rig.key.vkey)
    fresh = await rig.prove(young[:1])
    assert check_proof(fresh.proven[0].entry, fresh.proven[0].proof, rig.key.vkey)[0] >= 600
    assert (await check(rig.log, NOON))[0].entries == 611 - 512
    last = await rig.log.entry_of(610)
    assert last is not None
    assert json.loads(last.entry)["event"] == "log.pruned"


@pytest.mark.parametrize("policy", [Policy("", YEARS), Policy("docs/audit-log.md", timedelta(days=30))])
async def test_nothing_is_pruned_without_a_policy_that_keeps_a_year(rig: Rig, policy: Policy) -> None:
    with pytest.raises(PruneRefused):
        await prune(rig.log, policy, NOON, Dice(8))


def _back_to(size: int, entries: list[bytes]) -> list[Statement]:
    hashes = [leaf_hash(entry) for entry in sorted(entries)][:size]
    row: tuple[Value, ...] = (size, root(hashes))
    return [
        Statement("UPDATE log_state SET size = ?, root = ?", [row]),
        Statement("UPDATE log_tiles SET width = ?, hashes = ?", [(size, b"".join(hashes))]),
        Statement("DELETE FROM log_entries WHERE idx >= ?", [(size,)]),
        Statement("DELETE FROM log_checkpoints"),
    ]

"""Inclusion proofs: several leaves, one checkpoint, checkable with nothing but keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.platform.registers.audit_parts import NOON, Dice, Played, Rig, Stores, check_proof, entries_of

from wissel.core.tree import inclusion_path, leaf_hash, list_reader, root, root_from
from wissel.infra.sql.ports import Statement
from wissel.messages.verify import check_note
from wissel.platform.registers.audit.actions.gather import Witnesses
from wissel.platform.registers.audit.errors import LogInconsistent
from wissel.platform.registers.audit.rules import (
    TileTree,
    bundle,
    grow,
    number_path,
    origin_number,
    reader,
    tile_path,
    unbundle,
    wants_consistency,
    wants_inclusion,
    wants_root,
)


async def test_every_leaf_can_be_proven_against_one_checkpoint(stores: Stores) -> None:
    rig = await stores.rig("a.db", batch=100)
    entries = entries_of(777)
    leaves = await rig.pend(entries)
    await rig.run()
    numbers = set()
    for start in range(0, 777, 111):
        proof = await rig.prove(leaves[start : start + 111])
        for proven, entry in zip(proof.proven, entries[start:], strict=False):
            assert proven.entry == entry
            number, size = check_proof(proven.entry, proven.proof, rig.key.vkey)
            assert size == 777
            numbers.add(number)
    assert numbers == set(range(777))


async def test_a_leaf_that_is_not_published_yet_has_no_proof(rig: Rig) -> None:
    first = await rig.pend(entries_of(2))
    await rig.run()
    second = await rig.pend(entries_of(2, start=2))
    assert await rig.log.prove([*first, second[0]]) is None
    assert await rig.log.prove([b"unknown"]) is None


async def test_the_same_leaf_asked_again_gives_the_same_proof(rig: Rig) -> None:
    (key_leaf,) = await rig.pend([b"key"])
    await rig.run()
    first = await rig.prove([key_leaf, key_leaf])
    assert first.proven[0] == first.proven[1] == (await rig.prove([key_leaf])).proven[0]
    await rig.pend(entries_of(300))
    await rig.run()
    later = await rig.prove([key_leaf])
    assert check_proof(later.proven[0].entry, later.proven[0].proof, rig.key.vkey) == (0, 301)


async def test_a_proof_prefers_the_checkpoint_that_the_quorum_signed(stores: Stores) -> None:
    rig = await stores.rig("a.db", quorum=2)
    played = Played(["first", "second", "third"], rig.key.vkey)
    witnesses = Witnesses(rig.log, call=played, cards=played.cards, entropy=Dice(3))
    early = await rig.pend(entries_of(5))
    await rig.run()
    assert await witnesses.step(NOON) == 3
    late = await rig.pend(entries_of(5, start=5))
    await rig.run()
    proof = await rig.prove(early)
    assert proof.witnesses == 3
    assert check_proof(proof.proven[0].entry, proof.proven[0].proof, rig.key.vkey)[1] == 5
    for card in played.cards():
        check_note(proof.proven[0].proof.partition("\n\n")[2], card.vkey)
    newer = await rig.prove([early[0], late[0]])
    assert newer.witnesses == 0
    assert check_proof(newer.proven[1].entry, newer.proven[1].proof, rig.key.vkey)[1] == 10


async def test_one_witness_of_two_is_not_a_quorum_but_is_counted(stores: Stores) -> None:
    rig = await stores.rig("a.db", quorum=2)
    played = Played(["first", "second"], rig.key.vkey)
    played.down = {"urn:second"}
    leaves = await rig.pend(entries_of(5))
    await rig.run()
    await Witnesses(rig.log, call=played, cards=played.cards, entropy=Dice(3)).step(NOON)
    assert (await rig.prove(leaves)).witnesses == 1


async def test_a_proof_from_changed_tiles_is_never_handed_out(rig: Rig) -> None:
    leaves = await rig.pend(entries_of(5))
    await rig.run()
    await rig.database.commit([Statement("UPDATE log_tiles SET hashes = ?", [(b"\0" * 160,)])])
    rig.restart()  # a process that has not read the tile before
    with pytest.raises(LogInconsistent):
        await rig.log.prove(leaves[:1])


async def test_too_many_leaves_at_once_are_refused(rig: Rig) -> None:
    with pytest.raises(ValueError, match="at most 512"):
        await rig.log.prove([n.to_bytes(16) for n in range(513)])


HASHES = [leaf_hash(n.to_bytes(8)) for n in range(70_000)]


@given(st.lists(st.integers(1, 900), min_size=1, max_size=8))
def test_a_tree_grown_in_any_portions_is_the_same_tree(portions: list[int]) -> None:
    size, rows = 0, dict[tuple[int, int], bytes]()
    for portion in portions:
        edge = {level: row for (level, _), row in rows.items() if len(row) < 8192}
        grown = grow(size, edge, HASHES[size : size + portion])
        rows |= {(tile.level, tile.n): tile.hashes for tile in grown.tiles}
        size = grown.size
    read = reader({key: TileTree(row) for key, row in rows.items()})
    assert size == sum(portions)
    assert root_from(size, read) == root(HASHES[:size])


def test_proofs_read_only_the_tiles_they_named_beforehand() -> None:
    size = 70_000
    grown = grow(0, {}, HASHES[:size])
    trees = {(tile.level, tile.n): TileTree(tile.hashes) for tile in grown.tiles}
    assert [(t.level, t.n, t.width) for t in grown.tiles if t.width < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    for index in (0, 255, 256, 65_535, 65_536, 69_887, 69_999):
        wants = wants_inclusion([index], size)
        narrow = reader({key: trees[key] for key in wants})
        assert inclusion_path(index, size, narrow) == inclusion_path(index, size, list_reader(HASHES[:size]))
        assert len(wants) <= 5
    assert len(wants_root(size)) == 3
    assert len(wants_consistency(69_000, size)) <= 5


@pytest.mark.parametrize(("n", "path"), [(0, "000"), (67, "067"), (1000, "x001/000"), (1_234_067, "x001/x234/067")])
def test_a_tile_number_is_written_in_three_digits(n: int, path: str) -> None:
    assert number_path(n) == path
    assert tile_path(1, n, 256) == f"tile/1/{path}"
    assert tile_path(None, n, 12) == f"tile/entries/{path}.p/12"


@given(st.lists(st.binary(max_size=70)))
def test_a_bundle_gives_back_its_entries(entries: list[bytes]) -> None:
    assert unbundle(bundle(entries)) == entries


def test_a_cut_bundle_is_refused() -> None:
    with pytest.raises(ValueError, match="middle"):
        unbundle(bundle([b"whole"])[:-1])


@pytest.mark.parametrize(
    ("origin", "base", "number"),
    [("x.nl/log", "x.nl/log", 1), ("x.nl/log/2", "x.nl/log", 2), ("x.nl/log/1", "x.nl/log/1", 1), ("log", "log", 1)],
)
def test_an_origin_says_which_log_it_is(origin: str, base: str, number: int) -> None:
    assert origin_number(origin) == (base, number)

"""RFC 6962 arithmetic, held to the words of the RFC and to the vectors of its reference implementation."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wissel.core.tree import (
    EMPTY_ROOT,
    HashReader,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
    leaf_hash,
    list_reader,
    root,
    root_from,
)

SIZE_MAX: Final = 200
# The eight entries and the heads over the first 1 to 8 of them in certificate-transparency's merkle_tree_test.
ENTRIES: Final = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
HEADS: Final = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES: Final = [leaf_hash(b"entry %d" % number) for number in range(SIZE_MAX)]
READ: Final = list_reader(LEAVES)


def naive_head(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, as it stands there, over hashes of leaves."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = naive_split(len(leaves))
    return sha256(b"\x01" + naive_head(leaves[:k]) + naive_head(leaves[k:])).digest()


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = naive_split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_head(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_head(leaves[:k])]


def naive_subproof(m: int, leaves: Sequence[bytes], *, known: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if known else [naive_head(leaves)]
    k = naive_split(len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], known=known), naive_head(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], known=False), naive_head(leaves[:k])]


def naive_split(n: int) -> int:
    """Return the largest power of two smaller than `n`."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def strict(size: int) -> HashReader:
    """Return a reader that, as tiles do, knows only perfect subtrees that are complete in a tree of `size`."""

    def read(level: int, index: int) -> bytes:
        assert (index + 1) << level <= size
        return READ(level, index)

    return read


sizes = st.integers(1, SIZE_MAX)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT == root([]) == root_from(0, READ) == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_heads_equal_those_of_the_reference_implementation(size: int) -> None:
    assert root([leaf_hash(entry) for entry in ENTRIES[:size]]).hex() == HEADS[size - 1]


def test_an_inclusion_proof_equals_one_of_the_reference_implementation() -> None:
    """Leaf 5 of 8, and its path, from the same vectors."""
    path = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    assert [node.hex() for node in inclusion_path(5, 8, list_reader(leaves))][1:] == path[1:]
    assert inclusion_path(5, 8, list_reader(leaves))[0] == leaf_hash(ENTRIES[4])
    assert path[0] == leaf_hash(ENTRIES[4]).hex()


@pytest.mark.parametrize("size", range(1, SIZE_MAX + 1))
def test_head_and_paths_are_those_of_the_rfc_for_every_size(size: int) -> None:
    leaves = LEAVES[:size]
    assert root_from(size, strict(size)) == root(leaves) == naive_head(leaves)
    index = size * 7 // 11
    assert inclusion_path(index, size, strict(size)) == naive_path(index, leaves)
    old = size * 5 // 9 or 1
    assert consistency_path(old, size, strict(size)) == naive_subproof(old, leaves, known=True)


@given(sizes, st.data())
def test_a_path_shows_its_leaf_and_no_other(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path, head = inclusion_path(index, size, strict(size)), root(LEAVES[:size])
    assert path == naive_path(index, LEAVES[:size])
    assert check_inclusion(LEAVES[index], index, size, path, head)
    assert not check_inclusion(LEAVES[(index + 1) % SIZE_MAX], index, size, path, head)
    other = data.draw(st.integers(0, size - 1))
    assert check_inclusion(LEAVES[index], other, size, path, head) is (other == index)


@given(sizes, st.data())
def test_a_changed_path_shows_nothing(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path, head = inclusion_path(index, size, READ), root(LEAVES[:size])
    place = data.draw(st.integers(0, len(path)))
    strange = LEAVES[data.draw(st.integers(0, SIZE_MAX - 1))]
    assert not check_inclusion(LEAVES[index], index, size, [*path[:place], strange, *path[place:]], head)
    if place < len(path):
        assert not check_inclusion(LEAVES[index], index, size, [*path[:place], *path[place + 1 :]], head)
    for wrong in (-1, size, size + 1):
        assert not check_inclusion(LEAVES[index], wrong, size, path, head)


@settings(max_examples=300)
@given(st.data())
def test_consistency_holds_for_a_tree_that_grew_and_for_no_other(data: st.DataObject) -> None:
    new = data.draw(sizes)
    old = data.draw(st.integers(1, new))
    path = consistency_path(old, new, strict(new))
    assert path == naive_subproof(old, LEAVES[:new], known=True)
    before, after = root(LEAVES[:old]), root(LEAVES[:new])
    assert check_consistency(old, new, before, after, path)
    rewritten = root([leaf_hash(b"rewritten"), *LEAVES[1:old]])
    assert not check_consistency(old, new, rewritten, after, path)
    if old < new:
        assert not check_consistency(old, new, before, before, path)
        assert not check_consistency(old, new, before, after, [*path, LEAVES[0]])
        assert not check_consistency(old, new, before, after, path[:-1])


def test_the_empty_tree_is_continued_by_every_tree_and_nothing_by_a_smaller_one() -> None:
    head = root(LEAVES[:9])
    assert consistency_path(0, 9, READ) == []
    assert check_consistency(0, 9, EMPTY_ROOT, head, [])
    assert not check_consistency(0, 9, head, head, [])
    assert not check_consistency(0, 9, EMPTY_ROOT, head, [head])
    assert not check_consistency(9, 8, head, root(LEAVES[:8]), [])
    assert not check_consistency(-1, 8, head, head, [])


@given(st.binary(max_size=80), st.integers(), st.integers(), st.lists(st.binary(max_size=40), max_size=70))
def test_whatever_a_stranger_sends_is_answered_with_no(leaf: bytes, index: int, size: int, path: list[bytes]) -> None:
    assert not check_inclusion(leaf, index, size, path, EMPTY_ROOT)
    assert not check_consistency(index, size, leaf, EMPTY_ROOT, path)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 4), (4, 4)])
def test_a_path_to_a_leaf_that_is_not_there_is_a_mistake_of_the_caller(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        inclusion_path(index, size, READ)


def test_a_proof_of_a_tree_that_shrank_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="does not continue"):
        consistency_path(5, 4, READ)

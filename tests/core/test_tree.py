"""The Merkle tree against the definition of RFC 6962 section 2.1, written down as it stands there."""

import hashlib
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wissel.core.tree import (
    EMPTY_ROOT,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
    leaf_hash,
    list_reader,
    node_hash,
    root,
    root_from,
)

# The inputs and heads by which Certificate Transparency logs test themselves (RFC 6962 trees of 1 to 8 leaves).
INPUTS: Final = [
    bytes.fromhex(text)
    for text in (
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


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4)) for number in range(count)]


def split(count: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def mth(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, over hashes of leaves."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return hashlib.sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: list[bytes], *, known: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if m == len(hashes):
        return [] if known else [mth(hashes)]
    k = split(len(hashes))
    if m <= k:
        return [*subproof(m, hashes[:k], known=known), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], known=False), mth(hashes[:k])]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_heads_are_ours(size: int) -> None:
    assert root([leaf_hash(data) for data in INPUTS[:size]]).hex() == HEADS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_from(0, list_reader([])) == EMPTY_ROOT


def test_leaves_and_nodes_cannot_be_taken_for_each_other() -> None:
    left, right = leaves(2)
    assert node_hash(left, right) != leaf_hash(left + right)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 200))
def test_the_head_is_that_of_the_definition(size: int) -> None:
    assert root(leaves(size)) == mth(leaves(size))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_inclusion_path_is_that_of_the_definition_and_holds(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    found = inclusion_path(index, size, list_reader(hashes))
    assert found == path(index, hashes)
    assert check_inclusion(hashes[index], index, size, found, mth(hashes))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_consistency_path_is_that_of_the_definition_and_holds(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 200))
    old = data.draw(st.integers(1, new))
    hashes = leaves(new)
    found = consistency_path(old, new, list_reader(hashes))
    assert found == subproof(old, hashes)
    assert check_consistency(old, new, mth(hashes[:old]), mth(hashes), found)


def test_every_proof_of_every_small_tree_holds() -> None:
    for size in range(1, 34):
        hashes = leaves(size)
        read, head = list_reader(hashes), root(hashes)
        for index in range(size):
            assert check_inclusion(hashes[index], index, size, inclusion_path(index, size, read), head)
        for old in range(size + 1):
            assert check_consistency(old, size, root(hashes[:old]), head, consistency_path(old, size, read))


changes = st.sampled_from(["drop", "add", "flip", "swap", "index", "size", "leaf", "short"])


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_other_inclusion_holds(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 200))
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    head, leaf, found = root(hashes), hashes[index], inclusion_path(index, size, list_reader(hashes))
    place, change = data.draw(st.integers(0, len(found) - 1)), data.draw(changes)
    other = list(found)
    match change:
        case "drop":
            del other[place]
        case "add":
            other.insert(place, bytes(32))
        case "flip":
            other[place] = bytes([other[place][0] ^ 1]) + other[place][1:]
        case "swap":
            other.reverse()
        case "short":
            other[place] = other[place][:31]
        case "leaf":
            leaf = leaf_hash(b"another")
        case "index":
            index = data.draw(st.integers(-1, 2**64).filter(lambda drawn: drawn != index))
        case "size":
            size = data.draw(st.integers(-1, 2**64).filter(lambda drawn: drawn not in {size, *same_shape(index, size)}))
    if change != "swap" or other != found:
        assert not check_inclusion(leaf, index, size, other, head)


def same_shape(index: int, size: int) -> set[int]:
    """Sizes in which this leaf has a path of the same turns: only the signed size tells them apart."""
    mine = turns(index, size)
    return {other for other in range(index + 1, 2 * size + 2) if turns(index, other) == mine}


def turns(index: int, size: int) -> list[str]:
    low, high, found = 0, size, list[str]()
    while high - low > 1:
        middle = low + split(high - low)
        found.append("left" if index < middle else "right")
        low, high = (low, middle) if index < middle else (middle, high)
    return found


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_other_history_is_consistent(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 200))
    old = data.draw(st.integers(1, new - 1))
    hashes = leaves(new)
    found = consistency_path(old, new, list_reader(hashes))
    forged = leaves(old)
    forged[data.draw(st.integers(0, old - 1))] = leaf_hash(b"another")
    assert not check_consistency(old, new, root(forged), root(hashes), found)
    other = list(found)
    place = data.draw(st.integers(0, len(found) - 1))
    other[place] = bytes([other[place][0] ^ 1]) + other[place][1:]
    assert not check_consistency(old, new, root(hashes[:old]), root(hashes), other)
    assert not check_consistency(old, new, root(hashes[:old]), root(hashes), [*found, bytes(32)])
    assert not check_consistency(old, new, root(hashes[:old]), root(hashes), found[:-1])


@settings(max_examples=300, deadline=None)
@given(
    st.integers(-3, 2**70),
    st.integers(-3, 2**70),
    st.lists(st.binary(max_size=40), max_size=70),
    st.binary(max_size=40),
    st.binary(max_size=40),
)
def test_whatever_a_stranger_hands_over_is_answered(
    one: int, two: int, nodes: list[bytes], first: bytes, second: bytes
) -> None:
    assert check_inclusion(first, one, two, nodes, second) in {True, False}
    assert check_consistency(one, two, first, second, nodes) in {True, False}


def test_nothing_is_consistent_with_everything_and_with_nothing_else() -> None:
    assert check_consistency(0, 5, EMPTY_ROOT, root(leaves(5)), [])
    assert not check_consistency(0, 5, bytes(32), root(leaves(5)), [])
    assert not check_consistency(0, 5, EMPTY_ROOT, root(leaves(5)), [bytes(32)])
    assert not check_consistency(6, 5, root(leaves(6)), root(leaves(5)), [])
    assert not check_consistency(5, 5, root(leaves(5)), root(leaves(5)), [bytes(32)])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_a_leaf_outside_the_tree_is_the_callers_mistake(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_path(index, size, list_reader(leaves(size)))


def test_a_tree_that_shrank_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="does not continue"):
        consistency_path(3, 2, list_reader(leaves(3)))

"""The arithmetic of RFC 6962 Merkle trees (the same tree as RFC 9162), over hashes alone.

A tree of `size` leaves is read through a `HashReader`, so that proofs come from tiles, a database or a list
alike. Promise: `check_*` answer False, never raise, for whatever path a stranger hands over.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

HashReader = Callable[[int, int], bytes]
"""(level, index) -> hash of the perfect subtree of 2**level leaves that starts at leaf index * 2**level."""

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry (RFC 6962 section 2.1: prefix 0x00)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 6962 section 2.1: prefix 0x01)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the tree head over `leaf_hashes`, which are hashes of leaves already."""
    return root_from(len(leaf_hashes), list_reader(leaf_hashes))


def list_reader(leaf_hashes: Sequence[bytes]) -> HashReader:
    """Return a reader over leaf hashes in memory; it computes inner nodes when asked."""

    def read(level: int, index: int) -> bytes:
        row = list(leaf_hashes[index << level : (index + 1) << level])
        while len(row) > 1:
            row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
        return row[0]

    return read


def root_from(size: int, read: HashReader) -> bytes:
    """Return the tree head of the first `size` leaves."""
    return _range(0, size, read) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, read: HashReader) -> list[bytes]:
    """Return PATH(index, D[size]) of RFC 6962 section 2.1.1, the leaf's sibling first.

    Raises ValueError when the leaf is not in the tree: that is a mistake of the caller.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    low, high, path = 0, size, list[bytes]()
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range(middle, high, read))
            high = middle
        else:
            path.append(_range(low, middle, read))
            low = middle
    path.reverse()
    return path


def consistency_path(old: int, new: int, read: HashReader) -> list[bytes]:
    """Return PROOF(old, D[new]) of RFC 6962 section 2.1.2; empty when `old` is 0 or equals `new`.

    Raises ValueError when `old` is larger than `new`: that is a mistake of the caller.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not continue one of {old}")
    if old in {0, new}:
        return []
    low, high, path = 0, new, list[bytes]()
    whole = True  # the old tree's own head is known to whoever asks
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_range(middle, high, read))
            high = middle
        else:
            path.append(_range(low, middle, read))
            low, whole = middle, False
    if not whole:
        path.append(_range(low, high, read))
    path.reverse()
    return path


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether `path` shows that `leaf` (a hash) is number `index` of the tree (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, here = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            here = node_hash(sibling, here)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            here = node_hash(here, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and here == root


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Return whether `path` shows that the new tree continues the old one (RFC 9162 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    nodes = list(path) if old & (old - 1) else [old_root, *path]
    if not nodes:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """Return the largest power of two below `count` (>= 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def _range(low: int, high: int, read: HashReader) -> bytes:
    """Hash the leaves [low, high); every range that the proofs ask for starts on a multiple of its split."""
    count = high - low
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return read(level, low >> level)
    middle = low + _split(count)
    return node_hash(_range(low, middle, read), _range(middle, high, read))

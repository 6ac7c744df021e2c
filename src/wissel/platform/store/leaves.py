"""Pending leaves: what a transaction records, without an index yet. The audit register's sequencer takes them."""

from wissel.infra.sql.ports import Statement


def pending(entry: bytes, leaf: bytes, at_ms: int) -> Statement:
    """Record `entry` under the 16-byte id `leaf` that its maker drew."""
    return Statement("INSERT INTO pending_leaves (leaf, entry, at_ms) VALUES (?, ?, ?)", [(leaf, entry, at_ms)])

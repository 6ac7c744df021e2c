"""Pending leaves: what a transaction records, without an index yet. The audit register's sequencer takes them."""

from wissel.infra.sql.ports import Statement
from wissel.messages.leaves import ENTRY_BYTES_MAX, EntryTooLong


def pending(entry: bytes, leaf: bytes, at_ms: int) -> Statement:
    """Record `entry` under the 16-byte id `leaf` that its maker drew.

    Raises EntryTooLong: one that no bundle can hold would stop the log for all, so what makes it fails instead.
    """
    if len(entry) > ENTRY_BYTES_MAX:
        raise EntryTooLong(f"An entry of {len(entry)} bytes was made; at most {ENTRY_BYTES_MAX} fit. Mend its maker.")
    return Statement("INSERT INTO pending_leaves (leaf, entry, at_ms) VALUES (?, ?, ?)", [(leaf, entry, at_ms)])

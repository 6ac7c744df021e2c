"""Identifiers: UUIDv7 for what is new, UUIDv8 for what follows from something else (RFC 9562)."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from wissel.core.entropy import Entropy
from wissel.core.moments import to_ms

PARTITIONS: Final = 64


def _stamped(raw: bytes, version: int) -> str:
    number = int.from_bytes(raw[:16])
    number = number & ~(0xF << 76) | version << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=number))


def uuid7(now: datetime, entropy: Entropy) -> str:
    """Return a new time-ordered id (RFC 9562 section 5.7)."""
    return _stamped(to_ms(now).to_bytes(6) + entropy.draw(10), 7)


def uuid7_from(now: datetime, *parts: str) -> str:
    """Return the time-ordered id that always follows from `now` and `parts`: a retry gives the same one."""
    return _stamped(to_ms(now).to_bytes(6) + _digest(*parts)[:10], 7)


def process_id(source: str, message_id: str) -> str:
    """Return the process that a first message starts: UUIDv8 of SHA-256(source, id), architecture section 4."""
    return _stamped(_digest(source, message_id), 8)


def partition_of(process: str) -> int:
    """Return which of the 64 partitions owns `process`."""
    return hashlib.sha256(process.encode()).digest()[0] % PARTITIONS


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()

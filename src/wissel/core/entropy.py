"""Chance is handed in: ids, nonces, keys and jitter all come from one source that a test can repeat."""

from typing import Protocol


class Entropy(Protocol):
    """Where random bytes come from."""

    def draw(self, count: int) -> bytes:
        """Return `count` unpredictable bytes."""
        ...


def jitter(entropy: Entropy) -> float:
    """Return a number in [0, 1) for spreading retries; 32 bits of chance are enough for that."""
    return int.from_bytes(entropy.draw(4)) / 2**32

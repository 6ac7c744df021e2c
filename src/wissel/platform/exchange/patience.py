"""What failed is left alone for a while, longer each time: it holds up nobody, and is not tried in vain all day."""

from collections.abc import Hashable
from datetime import datetime
from typing import Final, Generic, TypeVar

from wissel.core.entropy import Entropy, jitter
from wissel.platform.exchange.rules import back_off

CONFLICTS_MAX: Final = 10
"""So many conflicts in a row are no coincidence: somebody who came first would have changed what the next try reads."""

KEPT_MAX: Final = 10_000

K = TypeVar("K", bound=Hashable)


class Patience(Generic[K]):
    """Counts failures in a row, by key. It is memory only: after a restart everything is tried again."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._failed: dict[K, tuple[int, datetime]] = {}

    def failed(self, key: K, now: datetime) -> int:
        """Note a failure, and let `key` wait for its next try; return how many there were in a row."""
        before = self._failed.get(key, (0, now))[0]
        if len(self._failed) >= KEPT_MAX:
            self._failed.clear()
        self._failed[key] = (before + 1, now + back_off(before, jitter(self._entropy)))
        return before + 1

    def passed(self, key: K) -> None:
        """Note that it went well."""
        self._failed.pop(key, None)

    def waits(self, key: K, now: datetime) -> bool:
        """Tell whether it is too soon to try again."""
        return key in self._failed and now < self._failed[key][1]

    def waiting(self, now: datetime) -> int:
        """Return how many wait for their next try."""
        return sum(now < until for _, until in self._failed.values())

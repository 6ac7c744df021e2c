"""Remembers what was said once, so that it cannot be said again; and it never forgets to make room."""

import heapq
from datetime import datetime
from typing import Final

from wissel.infra.http.errors import Busy

SEEN_MAX: Final = 100_000


class Seen:
    """Names (token ids) that were used, each until the moment at which it would be refused anyway."""

    def __init__(self, size_max: int = SEEN_MAX) -> None:
        self._size_max = size_max
        self._names: set[str] = set()
        self._ends: list[tuple[datetime, str]] = []

    def first(self, name: str, until: datetime, now: datetime) -> bool:
        """Return whether `name` is new, and remember it until `until`. Raises Busy when there is no room.

        Forgetting a name early would let it be used twice, so a full memory refuses instead.
        """
        while self._ends and self._ends[0][0] < now:
            self._names.discard(heapq.heappop(self._ends)[1])
        if name in self._names:
            return False
        if len(self._names) >= self._size_max:
            raise Busy("Too many tokens were used in the last minutes. Try again in a minute.", retry_after_s=60)
        self._names.add(name)
        heapq.heappush(self._ends, (until, name))
        return True

    def __len__(self) -> int:
        return len(self._names)

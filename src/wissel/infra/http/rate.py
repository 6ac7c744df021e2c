"""How often one caller may ask: a bucket that fills at a steady rate and holds a small reserve."""

import math
from collections import OrderedDict
from typing import Final

from wissel.core.clock import Clock
from wissel.core.moments import to_ms
from wissel.infra.http.errors import TooMany

HOLDERS_MAX: Final = 10_000


class Buckets:
    """One bucket per caller: `per_second` calls flow in, at most `burst` wait in it.

    The bucket used longest ago is dropped when there are more than `holders_max`: it is full by then, or the
    caller gets one reserve more than it should, which is harmless.
    """

    def __init__(self, clock: Clock, *, per_second: float, burst: int, holders_max: int = HOLDERS_MAX) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._holders_max = holders_max
        self._levels: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, holder: str) -> None:
        """Take one call out of the bucket of `holder`. Raises TooMany, which says when to come back."""
        now = self._clock.now()
        level, since_ms = self._levels.get(holder, (float(self._burst), to_ms(now)))
        passed = max(0.0, (to_ms(now) - since_ms) / 1000)
        level = min(float(self._burst), level + passed * self._per_second)
        enough = level >= 1.0
        self._levels[holder] = (level - 1.0 if enough else level, to_ms(now))
        self._levels.move_to_end(holder)
        if len(self._levels) > self._holders_max:
            self._levels.popitem(last=False)
        if not enough:
            wait = math.ceil((1.0 - level) / self._per_second)
            raise TooMany(f"Too many requests; try again in {wait} s.", retry_after_s=wait)

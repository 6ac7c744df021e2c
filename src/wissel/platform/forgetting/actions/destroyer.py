"""Carry out orders to destroy: zero the slots, be certain, then drop the order and write the leaf."""

from collections import defaultdict
from datetime import date, datetime
from typing import Final

from wissel.core.entropy import Entropy
from wissel.core.moments import to_ms
from wissel.infra.sql.ports import Conflict, Database, Statement
from wissel.messages.leaves import entry
from wissel.platform.forgetting import store
from wissel.platform.forgetting.actions.keys import Keys
from wissel.platform.forgetting.errors import ForgettingError
from wissel.platform.forgetting.ports import KeyStore
from wissel.platform.forgetting.words import LEAF_BYTES, OrderRow
from wissel.platform.store.leaves import pending

ORDERS_PER_STEP_MAX: Final = 1000


class Destroyer:
    """Zeroes the slots that committed units ordered destroyed. It may die anywhere and be started again."""

    def __init__(self, keystore: KeyStore, database: Database, keys: Keys, entropy: Entropy) -> None:
        self._store = keystore
        self._database = database
        self._keys = keys
        self._entropy = entropy
        self.failure = ""  # why the last step left orders standing; empty when it did not

    async def step(self, now: datetime) -> int:
        """Carry out up to 1,000 orders, oldest first; return how many. What fails stays and is tried again."""
        by_day: dict[str, list[OrderRow]] = defaultdict(list)
        for order in await store.orders(self._database, ORDERS_PER_STEP_MAX):
            by_day[order.day].append(order)
        self.failure = ""
        done: list[OrderRow] = []
        for day, orders in sorted(by_day.items()):
            if self._zero(day, orders):
                done += orders
        if not done:
            return 0
        try:
            await self._database.commit([store.delete_orders(done), *self._leaves(done, now)])
        except Conflict:
            return 0  # another step of ours was faster and wrote the leaves
        return len(done)

    def _zero(self, day: str, orders: list[OrderRow]) -> bool:
        numbers = [order.slot for order in orders]
        self._keys.evict(day, numbers)
        try:
            self._store.zero(date.fromisoformat(day), numbers)
        except (OSError, ForgettingError) as error:
            self.failure = f"{len(orders)} slots of day {day} are not zero yet ({type(error).__name__})."
            return False
        return True

    def _leaves(self, orders: list[OrderRow], now: datetime) -> list[Statement]:
        """One leaf per process, class and reason; a key that moved lives on, so its old slot has none."""
        counts: dict[tuple[str, str, str], int] = defaultdict(int)
        for order in orders:
            if order.reason != "moved":
                counts[order.process, order.cls, order.reason] += 1
        return [
            pending(
                entry(
                    "key.destroyed",
                    now,
                    self._entropy,
                    process=process,
                    **{"class": cls},
                    reason=reason,
                    count=count,
                ),
                self._entropy.draw(LEAF_BYTES),
                to_ms(now),
            )
            for (process, cls, reason), count in sorted(counts.items())
        ]

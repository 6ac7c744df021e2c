"""Mint and unwrap data keys: the hot path. Nothing here waits, except for a disk when a block of slots is used up."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.core.moments import dutch_day, end_of, to_ms
from wissel.infra.sql.ports import Database
from wissel.messages.leaves import entry
from wissel.platform.forgetting import rules, store
from wissel.platform.forgetting.errors import DayPassed, KeyGone, KeyStoreLost
from wissel.platform.forgetting.ports import KeyStore
from wissel.platform.forgetting.words import (
    LEAF_BYTES,
    NONCE_BYTES,
    SECRET_BYTES,
    CanaryRow,
    DataKey,
    KeyClass,
    KeyName,
    KeyRing,
    KeyRow,
    Minted,
    Moved,
    Slot,
)
from wissel.platform.store.leaves import pending

CACHE_AGE_MAX: Final = timedelta(seconds=60)
CACHED_KEYS_MAX: Final = 20_000
BLOCK_MIN: Final = 64
BLOCK_MAX: Final = 4096


@dataclass(slots=True)
class _Pool:
    """Slots of one day that are handed out to this process and not used yet."""

    ends: datetime
    block: int = BLOCK_MIN
    slots: deque[Slot] = field(default_factory=deque)


class Keys:
    """The data keys of the platform. One `KeyStore` outside the database, one `Database` for the wrapped forms."""

    def __init__(self, keystore: KeyStore, database: Database, clock: Clock, entropy: Entropy) -> None:
        self._store = keystore
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._pools: dict[date, _Pool] = {}
        self._cache: OrderedDict[tuple[str, int], tuple[datetime, DataKey]] = OrderedDict()
        self._canaries: list[CanaryRow] = []
        self._canaries_checked = False
        self._lost: KeyStoreLost | None = None

    @property
    def lost(self) -> KeyStoreLost | None:
        """What is lost, or None. While it is not None nothing is minted, so the platform accepts nothing."""
        return self._lost

    def mint(self, process: str, partition: int, cls: KeyClass, scope: str, day: date) -> Minted:
        """Make a data key that lives until the end of `day` (Dutch). Its slot is durable already.

        Commit `statement` in the unit with the first thing that the key seals. Raises DayPassed or KeyStoreLost.
        """
        now = self._clock.now()
        slot = self._take(day, now)
        name = KeyName(process, cls, scope)
        drawn = self._entropy.draw(SECRET_BYTES + NONCE_BYTES)
        secret = drawn[:SECRET_BYTES]
        row = KeyRow(
            partition=partition,
            process=process,
            cls=cls,
            scope=scope,
            day=day.isoformat(),
            slot=slot.number,
            wrapped=rules.wrap(self._store.day_key(day), slot.secret, name, secret, drawn[SECRET_BYTES:]),
            made_ms=to_ms(now),
        )
        key = DataKey(row, secret, self._entropy)
        self._remember(key, now)
        return Minted(key, store.insert_key(row))

    def unwrap(self, row: KeyRow) -> DataKey:
        """Return the data key of a row, from memory when it was unwrapped less than 60 s ago. Raises KeyGone."""
        now = self._clock.now()
        cached = self._cache.get((row.day, row.slot))
        if cached and cached[0] > now and cached[1].row == row:
            return cached[1]
        key = DataKey(row, self._open(row), self._entropy)
        self._remember(key, now)
        return key

    async def load(self, processes: Sequence[str]) -> KeyRing:
        """Return the living data keys of these processes (one query per 10,000). Dead ones raise when asked for."""
        ring = KeyRing()
        for row in await self.rows(processes):
            try:
                ring[row.name] = self.unwrap(row)
            except KeyGone:
                continue  # the ring raises KeyGone for it, where it is needed
        return ring

    async def rows(self, processes: Sequence[str]) -> list[KeyRow]:
        """Return the wrapped keys of these processes, dead or alive."""
        rows: list[KeyRow] = []
        for start in range(0, len(processes), store.PROCESSES_PER_QUERY_MAX):
            rows += await store.keys_of(self._database, processes[start : start + store.PROCESSES_PER_QUERY_MAX])
        return rows

    def move(self, row: KeyRow, day: date, now: datetime) -> Moved:
        """Give a data key another end day: a slot of that day, and the old slot ordered zeroed.

        What it sealed stays as it is. Raises KeyGone, DayPassed or KeyStoreLost.
        """
        secret = self._open(row)
        slot = self._take(day, now)
        nonce = self._entropy.draw(NONCE_BYTES)
        wrapped = rules.wrap(self._store.day_key(day), slot.secret, row.name, secret, nonce)
        moved = replace(row, day=day.isoformat(), slot=slot.number, wrapped=wrapped)
        orders = store.insert_orders([row], "moved", to_ms(now))
        return Moved(DataKey(moved, secret, self._entropy), [store.replace_key(row, moved), orders])

    def derived(self, day: date, purpose: str) -> bytes:
        """Return 32 bytes for `purpose` that die with `day`, e.g. the key of its index of running processes."""
        self._open_day(day, self._clock.now())
        return rules.derived(self._store.day_key(day), purpose)

    def derived_alive(self, purpose: str) -> dict[date, bytes]:
        """Return for each day that is alive its 32 bytes for `purpose`. Makes no day and takes no slot."""
        return {day: rules.derived(self._store.day_key(day), purpose) for day in self._store.days()}

    def evict(self, day: str, numbers: Sequence[int]) -> None:
        """Forget unwrapped keys, because their slots are about to be zeroed."""
        for number in numbers:
            self._cache.pop((day, number), None)

    def evict_day(self, day: date) -> None:
        """Forget everything of a day, because it is about to be destroyed."""
        self._pools.pop(day, None)
        for place in [place for place in self._cache if place[0] == day.isoformat()]:
            del self._cache[place]

    async def step(self, now: datetime) -> int:
        """Refill blocks that run low, write canaries, drop keys older than 60 s, see that the days are still there.

        Returns what was done. Call it every second or so. Raises KeyStoreLost when living days have vanished.
        """
        done = self._sweep(now)
        for day in [day for day, pool in self._pools.items() if pool.ends <= now]:
            del self._pools[day]
        alive = set(self._store.days())
        if gone := sorted(day.isoformat() for day in self._pools if day not in alive):
            await self._lose(gone)
        for day, pool in self._pools.items():
            if len(pool.slots) < pool.block // 4:
                self._refill(day, pool)
                done += 1
        return done + await self._keep_canaries()

    async def check(self) -> None:
        """Compare the key store with what the database knows of it. At every start, before anything is accepted.

        Raises KeyStoreLost, and refuses to mint from then on, when a day that the database knows is neither alive
        (with the very key and slots it had) nor rightly passed.
        """
        passed = self._store.passed()
        days = await store.days_known(self._database)
        made = {canary.day: canary for canary in await store.canaries(self._database)}
        lost = [
            day
            for day in sorted({*days, *made})
            if (passed is None or date.fromisoformat(day) > passed)
            and not self._stands(day, made.get(day), days[day][2] if day in days else -1)
        ]
        self._lost = None
        if lost:
            await self._lose(lost)

    async def write_off(self, now: datetime) -> int:
        """Let an operator give up what the key store lost, so that the platform can accept again; return the days.

        The wrapped keys of the lost days go, with a leaf for each day. What they sealed is unreadable already.
        """
        if self._lost is None:
            return 0
        days = self._lost.days
        unit = [statement for day in days for statement in (store.delete_day(day), store.delete_canary(day))]
        for day in days:
            leaf = entry("day.destroyed", now, self._entropy, day=day, method="lost with the key store")
            unit.append(pending(leaf, self._entropy.draw(LEAF_BYTES), to_ms(now)))
        await self._database.commit(unit)
        self._canaries_checked = False
        await self.check()
        return len(days)

    def _stands(self, day: str, canary: CanaryRow | None, slot_top: int) -> bool:
        end_day = date.fromisoformat(day)
        try:
            key = self._store.day_key(end_day)
        except KeyGone:
            return False
        if canary is not None and not rules.opens_canary(key, end_day, canary.sealed):
            return False
        return slot_top < 0 or self._store.count(end_day).made > slot_top

    async def _lose(self, days: Sequence[str]) -> None:
        self._lost = KeyStoreLost(days, await store.losses(self._database, days))
        self._pools.clear()
        self._cache.clear()
        raise self._lost

    def _open(self, row: KeyRow) -> bytes:
        day = row.end_day
        return rules.unwrap(self._store.day_key(day), self._store.slot(day, row.slot), row.name, row.wrapped)

    def _take(self, day: date, now: datetime) -> Slot:
        pool = self._open_day(day, now)
        if not pool.slots:
            self._refill(day, pool)
        return pool.slots.popleft()

    def _open_day(self, day: date, now: datetime) -> _Pool:
        if self._lost:
            raise KeyStoreLost(self._lost.days, self._lost.lost)
        pool = self._pools.get(day)
        ends = pool.ends if pool else end_of(day)
        if ends <= now:
            raise DayPassed(f"Day {day} has passed: nothing can be kept until then.", field="/enddate")
        if pool:
            return pool
        if day - dutch_day(now) > timedelta(days=rules.DAYS_AHEAD_MAX):
            raise DayPassed(f"Day {day} lies more than ten years ahead: nothing is kept that long.", field="/enddate")
        if self._store.make_day(day):
            self._canaries.append(self._canary(day))
        pool = self._pools[day] = _Pool(ends)
        return pool

    def _refill(self, day: date, pool: _Pool) -> None:
        pool.slots.extend(self._store.reserve(day, pool.block))
        pool.block = min(BLOCK_MAX, pool.block * 2)

    def _canary(self, day: date) -> CanaryRow:
        sealed = rules.seal_canary(self._store.day_key(day), day, self._entropy.draw(NONCE_BYTES))
        return CanaryRow(day=day.isoformat(), sealed=sealed, state="alive")

    async def _keep_canaries(self) -> int:
        if not self._canaries_checked:  # a crash between making a day and this may have left one without
            known = {canary.day for canary in await store.canaries(self._database)}
            fresh = {canary.day for canary in self._canaries}
            missing = [day for day in self._store.days() if day.isoformat() not in known | fresh]
            self._canaries += [self._canary(day) for day in missing]
            self._canaries_checked = True
        writing = list(self._canaries)
        if writing:
            await self._database.commit([store.keep_canaries(writing)])
            self._canaries = self._canaries[len(writing) :]
        return len(writing)

    def _remember(self, key: DataKey, now: datetime) -> None:
        while len(self._cache) >= CACHED_KEYS_MAX:
            self._cache.popitem(last=False)
        self._cache[key.row.day, key.row.slot] = (now + CACHE_AGE_MAX, key)

    def _sweep(self, now: datetime) -> int:
        old = [place for place, (until, _) in self._cache.items() if until <= now]
        for place in old:
            del self._cache[place]
        return len(old)

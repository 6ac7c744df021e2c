"""End days: destroy a day's key and slots when two clocks agree that it is over, one day per run."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from wissel.core.entropy import Entropy
from wissel.core.moments import to_ms
from wissel.infra.sql.ports import Database, Statement
from wissel.infra.telemetry.log import Log
from wissel.messages.leaves import entry
from wissel.platform.forgetting import rules, store
from wissel.platform.forgetting.actions.keys import Keys
from wissel.platform.forgetting.errors import ForgettingError, KeyGone
from wissel.platform.forgetting.ports import DatabaseClock, KeyStore, WitnessClock
from wissel.platform.forgetting.words import LEAF_BYTES, NONCE_BYTES, CanaryRow, Watch
from wissel.platform.store.leaves import pending

TOLD_EVERY: Final = timedelta(hours=1)
METHOD: Final = "zeroed, synced, read back, unlinked"


class Days:
    """Ends days. What it waits or stopped for stands in `day_watch`; an alarm in the log says so once an hour."""

    def __init__(
        self,
        keystore: KeyStore,
        database: Database,
        keys: Keys,
        entropy: Entropy,
        *,
        database_clock: DatabaseClock,
        witness_clock: WitnessClock,
        journal: Log,
    ) -> None:
        self._journal = journal
        self._told: datetime | None = None
        self._store = keystore
        self._database = database
        self._keys = keys
        self._entropy = entropy
        self._database_clock = database_clock
        self._witness_clock = witness_clock

    async def step(self, now: datetime) -> int:
        """Go one step towards ending the oldest day that is due; return 1 when a day was destroyed, else 0.

        A day that a crash left half ended is finished first.
        """
        if await self._finish(now):
            return 1
        clocks = (now, await self._database_clock(), await self._witness_clock())
        watch = await self.watch()
        self._tell(watch, clocks[1])
        failed = {canary.day for canary in await store.canaries(self._database) if canary.state == "failed"}
        alive = [day for day in self._store.days() if day.isoformat() not in failed]  # those are tried in `_finish`
        verdict = rules.judge(alive, watch, clocks, demo=self._store.demo)
        match verdict.act:
            case "rest" if verdict.day is None and watch != Watch():
                await self._database.commit([store.keep_watch(Watch())])
            case "ask" if verdict.day:
                await self._ask(verdict.day, watch, clocks, now)
            case "stop" if verdict.day and verdict.why:
                stopped = replace(watch, state=verdict.why, day=verdict.day.isoformat())
                leaf = self._leaf("clock.differs", now, day=stopped.day, reason=stopped.state)
                await self._database.commit([store.keep_watch(stopped), leaf])
            case "destroy" if verdict.day:
                await self._end(verdict.day, watch)
                return await self._finish(now)
            case _:
                pass
        return 0

    async def watch(self) -> Watch:
        """Return what the ending of days waits or stopped for."""
        return await store.watch(self._database)

    def _tell(self, watch: Watch, at: datetime) -> None:
        """Say in the log that days do not end, once an hour while it is so."""
        alarm = rules.alarm(watch, at)
        if not alarm:
            self._told = None
        elif self._told is None or at - self._told >= TOLD_EVERY:
            self._told = at
            self._journal.write("days.waiting", day=watch.day, code=alarm)

    async def _ask(
        self, day: date, watch: Watch, clocks: tuple[datetime, datetime, datetime | None], now: datetime
    ) -> None:
        """Write a leaf, so that the witnesses have something new to sign, and note when."""
        _, database, witness = clocks
        asked = replace(
            watch,
            state="asked",
            day=day.isoformat(),
            asked_ms=to_ms(database),
            witness_ms=to_ms(witness) if witness else 0,
        )
        await self._database.commit([store.keep_watch(asked), self._leaf("day.due", now, day=asked.day)])

    async def _end(self, day: date, watch: Watch) -> None:
        """Commit the end of what the day still held, before its key goes."""
        text = day.isoformat()
        known = {canary.day for canary in await store.canaries(self._database)}
        unit = [store.delete_day(text), store.mark_canary(text, "ending")]
        if text not in known:  # the canary was never written: the day was made and not used
            sealed = rules.seal_canary(self._store.day_key(day), day, self._entropy.draw(NONCE_BYTES))
            unit.insert(0, store.keep_canaries([CanaryRow(day=text, sealed=sealed, state="alive")]))
        if watch.through <= text:
            unit.append(store.keep_watch(Watch()))
        await self._database.commit(unit)

    async def _finish(self, now: datetime) -> int:
        """Destroy the oldest day whose end is committed, or that the key store has passed; return 1 when it is dead.

        A day whose canary still opened is tried again each time, and does not hold up the others.
        """
        passed = self._store.passed()
        for canary in await store.canaries(self._database):
            day = date.fromisoformat(canary.day)
            if canary.state == "alive" and (passed is None or day > passed):
                continue
            slots = self._store.count(day).made
            self._keys.evict_day(day)
            self._store.destroy_day(day)
            if await self._prove(canary, day, slots, now):
                return 1
        return 0

    async def _prove(self, canary: CanaryRow, day: date, slots: int, now: datetime) -> int:
        """Try to open the canary with every day key there is; write what came of it."""
        if self._opens(canary, day):
            if canary.state != "failed":
                leaf = self._leaf("canary.failed", now, day=canary.day)
                await self._database.commit([store.mark_canary(canary.day, "failed"), leaf])
            return 0
        unit = [
            store.delete_day(canary.day),
            store.mark_canary(canary.day, "dead"),
            self._leaf("day.destroyed", now, day=canary.day, slots=slots, method=METHOD),
            self._leaf("canary.dead", now, day=canary.day),
        ]
        await self._database.commit(unit)
        return 1

    def _opens(self, canary: CanaryRow, day: date) -> bool:
        for candidate in {day, *self._store.days()}:
            try:
                if rules.opens_canary(self._store.day_key(candidate), day, canary.sealed):
                    return True
            except KeyGone:
                continue  # as it must be for the day itself
        return False

    def _leaf(self, event: str, now: datetime, **fields: Any) -> Statement:
        return pending(entry(event, now, self._entropy, **fields), self._entropy.draw(LEAF_BYTES), to_ms(now))


async def operator_continue(
    database: Database,
    database_clock: DatabaseClock,
    through: date,
    now: datetime,
    entropy: Entropy,
    *,
    role: str = "operator",
) -> None:
    """Let an operator say that the days up to and including `through` may go, one per run.

    The operator has looked at the clocks. Raises ForgettingError when the ending of days did not stop, or when
    `through` is not due even by the database's own clock.
    """
    watch = await store.watch(database)
    if watch.state not in ("clocks-differ", "days-behind"):
        raise ForgettingError("The ending of days did not stop: there is nothing to continue.")
    if not rules.due_days([through], await database_clock()):
        raise ForgettingError(f"Day {through} and the 24 hours after it are not over by the database's clock.")
    leaf = entry("days.continued", now, entropy, day=through.isoformat(), role=role)
    unit = [
        store.keep_watch(replace(watch, state="quiet", through=through.isoformat())),
        pending(leaf, entropy.draw(LEAF_BYTES), to_ms(now)),
    ]
    await database.commit(unit)

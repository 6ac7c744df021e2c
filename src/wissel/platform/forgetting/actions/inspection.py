"""Say what can still be read, since when, and what is under way to become unreadable."""

from datetime import date, datetime
from typing import Final

from wissel.core.moments import from_ms
from wissel.infra.sql.ports import Database
from wissel.platform.forgetting import rules, store
from wissel.platform.forgetting.errors import KeyGone
from wissel.platform.forgetting.ports import KeyReader
from wissel.platform.forgetting.words import DayReport, ForgettingReport

_PAGE: Final = 500


async def oldest_readable(keystore: KeyReader, database: Database) -> datetime | None:
    """Return when the oldest personal datum that can still be read got its key, None when nothing can be read.

    A key whose end is committed counts as long as its slot is not zero. This is the public metric.
    """
    waiting = await _oldest_ordered(keystore, database)
    candidates = [] if waiting is None else [waiting]
    days = await store.days_known(database)
    for day, (_, oldest, _) in sorted(days.items(), key=lambda item: item[1][1]):
        if candidates and oldest >= min(candidates):
            break
        found = await _oldest_of(keystore, database, day)
        if found is not None:
            candidates.append(found)
    return from_ms(min(candidates)) if candidates else None


async def inspect(keystore: KeyReader, database: Database, now: datetime) -> ForgettingReport:
    """Return the report of `wissel inspect forgetting`. It changes nothing and needs no lock."""
    known = await store.days_known(database)
    watch = await store.watch(database)
    orders, oldest_order = await store.count_orders(database)
    days = tuple(
        DayReport(day, keystore.count(day), known.get(day.isoformat(), (0, 0, 0))[0]) for day in keystore.days()
    )
    return ForgettingReport(
        demo=keystore.demo,
        days=days,
        passed=keystore.passed(),
        oldest_readable=await oldest_readable(keystore, database),
        orders=orders,
        oldest_order=from_ms(oldest_order) if orders else None,
        canaries=await store.count_canaries(database),
        watch=watch,
        alarm=rules.alarm(watch, now),
    )


async def _oldest_of(keystore: KeyReader, database: Database, day: str) -> int | None:
    """Return made_ms of the oldest key of a day whose slot is alive. Dead ones are rare: only a restore leaves them."""
    for offset in range(0, 1 << 40, _PAGE):
        page = await store.oldest_keys(database, day, offset, _PAGE)
        for made, slot in page:
            if _lives(keystore, day, slot):
                return made
        if len(page) < _PAGE:
            return None
    return None


async def _oldest_ordered(keystore: KeyReader, database: Database) -> int | None:
    """Return made_ms of the oldest key that was ordered destroyed and whose slot is not zero yet."""
    for offset in range(0, 1 << 40, _PAGE):
        page = await store.oldest_orders(database, offset, _PAGE)
        for made, day, slot in page:
            if _lives(keystore, day, slot):
                return made
        if len(page) < _PAGE:
            return None
    return None


def _lives(keystore: KeyReader, day: str, slot: int) -> bool:
    try:
        keystore.day_key(date.fromisoformat(day))
        keystore.slot(date.fromisoformat(day), slot)
    except KeyGone:
        return False
    return True

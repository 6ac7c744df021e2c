"""Until when a vault keeps what came: the day of its message, unless its owner names another one (architecture rule 3).

The platform hands that day over beside each sealed form; a provider cannot read it there. A *default* is noted once;
what the owner *chose* stands against every default, sooner or later, and also when the thing itself comes after it.
"""

from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from wissel.core.moments import dutch_day, end_of, from_ms, to_ms
from wissel.learner.errors import Unfit
from wissel.learner.ports import VaultStore
from wissel.learner.words import KeptEnd, Waiting

COPY: Final = "end."  # of a copy, and of the message that waits for it
FILE: Final = "fileend."
MESSAGE: Final = "message."
LATE: Final = timedelta(days=30)  # for what comes when its day has passed, so that she can see it and say otherwise
REMEMBERED: Final = timedelta(days=60)  # what she chose, after it passed: longer than a parcel of the platform lives


def of(store: VaultStore, name: str) -> KeptEnd | None:
    """Return the end that is noted under a name (`COPY` or `FILE` and an id), or None."""
    data = store.noted(name)
    return None if data is None else msgspec.json.decode(data, type=KeptEnd)


def choose(store: VaultStore, name: str, until: str) -> None:
    """Note the day that the owner names. Raises Unfit."""
    try:
        date.fromisoformat(until)
    except ValueError:
        raise Unfit("This is not a day: YYYY-MM-DD.", field="/until") from None
    store.note(name, msgspec.json.encode(KeptEnd(until=until, chosen=True)))


def destroyed(store: VaultStore, name: str, now: datetime) -> None:
    """Note that the owner destroyed it, so that it does not come back when the platform brings it once more."""
    choose(store, name, (dutch_day(now) - timedelta(days=1)).isoformat())


def take(store: VaultStore, name: str, until: date, now: datetime) -> bool:
    """Note the default end of what comes. Returns whether to keep it: not when its owner's day for it has passed."""
    known = of(store, name)
    if known is not None:
        return not known.chosen or not _passed(known.until, now)
    day = until if end_of(until) > now else dutch_day(now) + LATE
    store.note(name, msgspec.json.encode(KeptEnd(until=day.isoformat())))
    return True


def sweep(store: VaultStore, now: datetime) -> int:
    """Destroy what is past its end; return how many items went."""
    gone = 0
    for prefix, destroy in ((COPY, store.destroy), (FILE, store.destroy_file)):
        for name in store.notes(prefix):
            end = of(store, name)
            if end is None or not _passed(end.until, now):
                continue
            gone += destroy(name.removeprefix(prefix))
            if not end.chosen or _passed(end.until, from_ms(to_ms(now)) - REMEMBERED):
                store.drop(name)
    return gone + _sweep_messages(store, now)


def _sweep_messages(store: VaultStore, now: datetime) -> int:
    """Drop messages whose copy never came, and the receipts of those whose copy did: nobody asks for either again."""
    gone = 0
    for name in store.notes(MESSAGE):
        data = store.noted(name)
        waiting = msgspec.json.decode(data, type=Waiting) if data else None
        if waiting is None:
            continue
        chosen = of(store, COPY + waiting.commitment) if waiting.jwe else None
        if _passed(chosen.until if chosen else waiting.until, now):
            gone += store.drop(name)
    return gone


def _passed(day: str, now: datetime) -> bool:
    return end_of(date.fromisoformat(day)) <= now

"""The end of things: mail past its end date, and processes that are settled and then forgotten (architecture 6)."""

from datetime import datetime
from typing import Final

from wissel.core.moments import to_ms
from wissel.infra.sql.ports import Conflict, Statement
from wissel.messages.leaves import entry
from wissel.platform.exchange import mailbox
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.errors import NotOffered
from wissel.platform.forgetting.shred import order_destroy_class
from wissel.platform.forgetting.words import KeyClass
from wissel.platform.store import messages, processes
from wissel.platform.store.leaves import pending
from wissel.platform.store.words import ProcessRow

PER_STEP_MAX: Final = 200
ALL: Final[tuple[KeyClass, ...]] = ("memory", "post", "parcel", "number", "special")


class Lifecycle:
    """Ends what is past its end date, settles what is decided, forgets what is settled."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def step(self, now: datetime) -> int:
        """Run one round; return how many messages were ended and processes moved on."""
        done = await self._end_mail(now)
        done += await self._settle(now)
        done += await self._forget(now)
        await self._desk.database.commit([messages.drop_old_answers(to_ms(now))])
        return done

    async def _end_mail(self, now: datetime) -> int:
        past = await messages.past_end(self._desk.database, to_ms(now), PER_STEP_MAX)
        keys = await self._desk.keys.load(list({head.process for head in past}))
        for head in past:
            row = await messages.find(self._desk.database, head.which)
            if row is not None:
                try:
                    await mailbox.finish(self._desk, head, row, keys, "undelivered", why="past its end date")
                except NotOffered:
                    continue  # its receipt came first
        return len(past)

    async def _settle(self, now: datetime) -> int:
        done = 0
        for row in await processes.ready_to_settle(self._desk.database, PER_STEP_MAX):
            unit = [*processes.settle(row.where), self._leaf("process.settled", row, now)]
            unit += order_destroy_class(row.process, ("post", "number", "special"), "settled", now)
            done += await self._commit(unit, "process.settled", row)
        return done

    async def _forget(self, now: datetime) -> int:
        done = 0
        for row in await processes.ready_to_forget(self._desk.database, PER_STEP_MAX):
            unit = [*processes.forget(row.where), self._leaf("process.forgotten", row, now)]
            unit += order_destroy_class(row.process, ALL, "delivered", now)
            done += await self._commit(unit, "process.forgotten", row)
        return done

    async def _commit(self, unit: list[Statement], event: str, row: ProcessRow) -> int:
        try:
            await self._desk.database.commit(unit)
        except Conflict:
            return 0  # a message or a copy came in between: another round
        self._desk.journal.write(event, process=row.process)
        return 1

    def _leaf(self, event: str, row: ProcessRow, now: datetime) -> Statement:
        entropy = self._desk.entropy
        return pending(entry(event, now, entropy, process=row.process), entropy.draw(16), to_ms(now))

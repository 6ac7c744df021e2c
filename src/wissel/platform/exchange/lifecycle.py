"""The end of things: mail and processes past their end, then settled and then forgotten (architecture 6).

One that cannot be ended (a key that is gone, bytes that do not open) is passed over with a line in the log: it
never stops the others.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import datetime
from typing import Final

from wissel.core.errors import WisselError
from wissel.core.moments import dutch_day, to_ms
from wissel.infra.sql.ports import Conflict, Statement, StoreFailed
from wissel.messages.envelope import LEARNER
from wissel.messages.leaves import entry
from wissel.platform.exchange import ending, grants, mailbox
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.errors import NotOffered
from wissel.platform.forgetting.errors import KeyGone
from wissel.platform.forgetting.shred import order_destroy_class
from wissel.platform.forgetting.words import KeyClass, KeyRing
from wissel.platform.identity import store as index
from wissel.platform.store import messages, processes
from wissel.platform.store.leaves import pending
from wissel.platform.store.words import MailRow, MessageRow, ProcessRow

PER_STEP_MAX: Final = 200
ALL: Final[tuple[KeyClass, ...]] = ("memory", "post", "parcel", "number", "special")


class Lifecycle:
    """Ends what is past its end date, settles what is decided, forgets what is settled."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def step(self, now: datetime) -> int:
        """Run one round; return how many messages were ended and processes moved on."""
        done = await self._end_mail(now)
        done += await self._end_taken(now)
        done += await self._end_processes(now)
        done += await self._settle(now)
        done += await self._forget(now)
        await self._desk.database.commit([messages.drop_old_answers(to_ms(now))])
        return done

    async def _end_mail(self, now: datetime) -> int:
        past = await messages.past_end(self._desk.database, to_ms(now), PER_STEP_MAX)
        keys = await self._desk.keys.load(list({head.process for head in past}))
        return await _all(self._end_one(head, keys, now) for head in past)

    async def _end_one(self, head: MailRow, keys: KeyRing, now: datetime) -> int:
        row = await messages.find(self._desk.database, head.which)
        if row is None:
            return 0
        try:
            await mailbox.finish(self._desk, head, row, keys, "undelivered", why=self._why(row, now))
        except NotOffered:
            return 0  # its receipt came first
        except KeyGone as error:
            if not ending.is_over(head, now):
                return self._passed_over(head.process, error)
            return await self._commit(ending.close(self._desk, row, now, head), "message.closed", head.process)
        except StoreFailed:
            raise
        except WisselError as error:
            return self._passed_over(head.process, error)
        return 1

    def _why(self, row: MessageRow, now: datetime) -> str:
        """Say why a message was not delivered: its copy tells both parties."""
        granted = row.recipient.startswith(LEARNER) or grants.may_send(
            row.source, row.recipient, row.type, self._desk.participants, now
        )
        return "past its end date" if granted else "past its end date, and its receiver's grant was over"

    async def _end_taken(self, now: datetime) -> int:
        """End messages past their end date of which nobody decided, while they can still be opened."""
        past = await messages.overdue(self._desk.database, to_ms(now), PER_STEP_MAX)
        keys = await self._desk.keys.load(list({row.process for row in past}))
        return await _all(self._end_undecided(row, keys, now) for row in past)

    async def _end_undecided(self, row: MessageRow, keys: KeyRing, now: datetime) -> int:
        try:
            unit = ending.end_taken(self._desk, row, keys, now)
        except KeyGone as error:
            if not ending.is_over(row, now):
                return self._passed_over(row.process, error)
            unit = ending.close(self._desk, row, now)
        except WisselError as error:
            return self._passed_over(row.process, error)
        return await self._commit(unit, "message.ended", row.process)

    async def _end_processes(self, now: datetime) -> int:
        today = dutch_day(now).isoformat()
        return await _all(
            self._end_process(row, now) for row in await processes.past_end(self._desk.database, today, PER_STEP_MAX)
        )

    async def _end_process(self, row: ProcessRow, now: datetime) -> int:
        try:
            unit = await ending.end_process(self._desk, row, now)
        except WisselError as error:
            return self._passed_over(row.process, error)
        return await self._commit(unit, "process.ended", row.process)

    async def _settle(self, now: datetime) -> int:
        ready = await processes.ready_to_settle(self._desk.database, PER_STEP_MAX)
        return await _all(self._settle_one(row, now) for row in ready)

    async def _settle_one(self, row: ProcessRow, now: datetime) -> int:
        unit = [
            *processes.settle(row.where),
            index.drop(row.where),
            self._leaf("process.settled", row, now),
            *order_destroy_class(row.process, ("post", "number", "special"), "settled", now),
        ]
        try:
            unit += await ending.keep_parcels(self._desk, row.where, now)
        except KeyGone as error:
            self._passed_over(row.process, error)  # its copies cannot be read: they are given up when their time is up
        return await self._commit(unit, "process.settled", row.process)

    async def _forget(self, now: datetime) -> int:
        ready = await processes.ready_to_forget(self._desk.database, PER_STEP_MAX)
        return await _all(
            self._commit(
                [
                    *processes.forget(row.where),
                    self._leaf("process.forgotten", row, now),
                    *order_destroy_class(row.process, ALL, "delivered", now),
                ],
                "process.forgotten",
                row.process,
            )
            for row in ready
        )

    async def _commit(self, unit: list[Statement], event: str, process: str) -> int:
        try:
            await self._desk.database.commit(unit)
        except Conflict:
            return 0  # a message or a copy came in between: another round
        self._desk.journal.write(event, process=process)
        return 1

    def _passed_over(self, process: str, error: WisselError) -> int:
        self._desk.journal.write("lifecycle.passedover", process=process, code=error.code)
        return 0

    def _leaf(self, event: str, row: ProcessRow, now: datetime) -> Statement:
        entropy = self._desk.entropy
        return pending(entry(event, now, entropy, process=row.process), entropy.draw(16), to_ms(now))


async def _all(work: Iterable[Awaitable[int]]) -> int:
    """Do it all at once, so that one sync serves every unit; return the sum."""
    return sum(await asyncio.gather(*work))

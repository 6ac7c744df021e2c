"""The end of things: mail and processes past their end, then settled and then forgotten (architecture 6).

One that cannot be ended (a key that is gone, bytes that do not open, a unit that never fits) is told in the log and
left alone for a while: it never stops the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from wissel.core.errors import WisselError
from wissel.core.moments import dutch_day, to_ms
from wissel.infra.sql.ports import Conflict, Statement, StoreFailed
from wissel.messages.envelope import LEARNER
from wissel.messages.leaves import entry
from wissel.platform.exchange import ending, files, grants, mailbox
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.errors import NotOffered
from wissel.platform.exchange.patience import CONFLICTS_MAX, Patience
from wissel.platform.forgetting.errors import KeyGone
from wissel.platform.forgetting.shred import order_destroy_class
from wissel.platform.forgetting.words import KeyClass, KeyRing
from wissel.platform.identity import store as index
from wissel.platform.store import files as file_rows
from wissel.platform.store import messages, processes
from wissel.platform.store.files import FileRow
from wissel.platform.store.leaves import pending
from wissel.platform.store.words import MailRow, MessageRow, ProcessRow, Where, Which

PER_STEP_MAX: Final = 200
ALL: Final[tuple[KeyClass, ...]] = ("memory", "post", "parcel", "number", "special")

Row = TypeVar("Row", MailRow, MessageRow, ProcessRow, FileRow)
Key = tuple[str, Where | Which]


class Lifecycle:
    """Ends what is past its end date, settles what is decided, forgets what is settled."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._patience = Patience[Key](desk.entropy)

    async def step(self, now: datetime) -> int:
        """Run one round; return how many messages were ended and processes moved on."""
        database, most = self._desk.database, PER_STEP_MAX + self._patience.waiting(now)
        at_ms, today = to_ms(now), dutch_day(now).isoformat()
        done = await self._end_mail(await messages.past_end(database, at_ms, most), now)
        done += await self._end_taken(await messages.overdue(database, at_ms, most), now)
        done += await self._each("end", await processes.past_end(database, today, most), self._end_process, now)
        done += await self._each("settle", await processes.ready_to_settle(database, most), self._settle, now)
        done += await self._each("forget", await processes.ready_to_forget(database, most), self._forget, now)
        done += await self._each("file", await file_rows.past_end(database, at_ms, most), self._end_file, now)
        await database.commit([messages.drop_old_answers(at_ms)])
        return done

    async def _end_mail(self, past: Sequence[MailRow], now: datetime) -> int:
        keys = await self._desk.keys.load(list({head.process for head in past}))

        async def end(head: MailRow, now: datetime) -> int:
            return await self._end_one(head, keys, now)

        return await self._each("mail", past, end, now)

    async def _end_one(self, head: MailRow, keys: KeyRing, now: datetime) -> int:
        row = await messages.find(self._desk.database, head.which)
        if row is None or row.stage != "mail":  # its outcome is known; nothing is left to hand over
            return await self._commit([messages.drop_mail(head)], "mail.dropped", head.process)
        try:
            await mailbox.finish(self._desk, head, row, keys, "undelivered", why=self._why(row, now))
        except (NotOffered, StoreFailed):
            raise
        except WisselError:
            if not ending.is_over(head, now):
                raise
            return await self._commit(ending.close(self._desk, row, now, head), "message.closed", head.process)
        return 1

    def _why(self, row: MessageRow, now: datetime) -> str:
        """Say why a message was not delivered: its copy tells both parties."""
        granted = row.recipient.startswith(LEARNER) or grants.may_send(
            row.source, row.recipient, row.type, self._desk.participants, now
        )
        return "past its end date" if granted else "past its end date, and its receiver's grant was over"

    async def _end_taken(self, past: Sequence[MessageRow], now: datetime) -> int:
        """End messages past their end date of which nobody decided, while they can still be opened."""
        keys = await self._desk.keys.load(list({row.process for row in past}))

        async def end(row: MessageRow, now: datetime) -> int:
            try:
                unit = ending.end_taken(self._desk, row, keys, now)
            except WisselError:
                if not ending.is_over(row, now):
                    raise
                unit = ending.close(self._desk, row, now)
            return await self._commit(unit, "message.ended", row.process)

        return await self._each("taken", past, end, now)

    async def _end_process(self, row: ProcessRow, now: datetime) -> int:
        return await self._commit(await ending.end_process(self._desk, row, now), "process.ended", row.process)

    async def _settle(self, row: ProcessRow, now: datetime) -> int:
        unit = [
            *processes.settle(row.where),
            index.drop(row.where),
            self._leaf("process.settled", row, now),
            *order_destroy_class(row.process, ("post", "number", "special"), "settled", now),
        ]
        try:
            unit += await ending.keep_parcels(self._desk, row.where, now)
        except KeyGone as error:  # its copies cannot be read: they are given up when their time is up
            self._desk.journal.write("lifecycle.passedover", process=row.process, code=error.code)
        return await self._commit(unit, "process.settled", row.process)

    async def _forget(self, row: ProcessRow, now: datetime) -> int:
        unit = [
            *processes.forget(row.where),
            self._leaf("process.forgotten", row, now),
            *order_destroy_class(row.process, ALL, "delivered", now),
        ]
        return await self._commit(unit, "process.forgotten", row.process)

    async def _end_file(self, row: FileRow, now: datetime) -> int:
        return await files.end(self._desk, row, now)

    async def _commit(self, unit: Sequence[Statement], event: str, process: str) -> int:
        await self._desk.database.commit(unit)
        self._desk.journal.write(event, process=process)
        return 1

    async def _each(
        self, what: str, rows: Sequence[Row], one: Callable[[Row, datetime], Awaitable[int]], now: datetime
    ) -> int:
        """Do it for all at once, so that one sync serves every unit; what failed a moment ago is left alone."""
        due = [
            (key, row) for key, row in ((_key(what, row), row) for row in rows) if not self._patience.waits(key, now)
        ]
        return sum(await asyncio.gather(*(self._try(key, one(row, now), now) for key, row in due)))

    async def _try(self, key: Key, work: Awaitable[int], now: datetime) -> int:
        try:
            done = await work
        except StoreFailed:
            raise
        except (Conflict, NotOffered) as conflict:
            await self._met(conflict, key, now)
            return 0
        except WisselError as error:
            self._patience.failed(key, now)
            self._desk.journal.write("lifecycle.passedover", process=key[1].process, code=error.code)
            return 0
        self._patience.passed(key)
        return done

    async def _met(self, conflict: WisselError, key: Key, now: datetime) -> None:
        """Count a conflict: a message, a receipt or a copy came in between, or it never fits and somebody must look."""
        where = Where(key[1].partition, key[1].process)
        if self._patience.failed(key, now) == CONFLICTS_MAX:
            await self._desk.database.commit(ending.set_aside(self._desk, where, conflict.code, now))

    def _leaf(self, event: str, row: ProcessRow, now: datetime) -> Statement:
        entropy = self._desk.entropy
        return pending(entry(event, now, entropy, process=row.process), entropy.draw(16), to_ms(now))


def _key(what: str, row: MailRow | MessageRow | ProcessRow | FileRow) -> Key:
    if isinstance(row, FileRow):
        return what, Which(row.partition, row.process, row.sender, row.hash)
    return what, row.where if isinstance(row, ProcessRow) else row.which

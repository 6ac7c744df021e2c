"""What the PSP does when asked, and what it does by itself (`step`)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final, Literal

import msgspec

from wissel.chain.door.keys import same
from wissel.chain.errors import Clash, NotAllowed
from wissel.chain.psp.store import Book, MandateRow, digest_of
from wissel.chain.psp.words import Count, Decision, Hint, Mandate, MandateOrder, State
from wissel.chain.steering import Conduct, conduct
from wissel.chain.world import World
from wissel.core.moments import end_of, to_ms
from wissel.infra.http.ports import Request, Unreachable

HINTS_MAX: Final = 12
HINT_S_MAX: Final = 300
_BANK: Final[Mapping[str, State | Literal[""]]] = {"confirmed": "confirmed", "declined": "declined", "silent": ""}


class Psp:
    """The played PSP. `base` is its own public address."""

    def __init__(self, world: World, book: Book, base: str) -> None:
        self._world = world
        self._book = book
        self._base = base

    async def create(self, request: str, order: MandateOrder) -> tuple[Mandate, bool]:
        """Create a mandate, or return the one there is, and whether it is new. Raises Clash."""
        await self._world.think("psp")
        now = self._world.clock.now()
        row = self._order(request, order, conduct(order.holder), now)
        standing, new = await self._book.create(row)
        return self._show(standing), new

    async def fetch(self, mandate: str) -> Mandate:
        """Return a mandate as it stands. Raises NotKnown."""
        await self._world.think("psp")
        return self._show(await self._book.find(mandate))

    async def cancel(self, request: str) -> Mandate:
        """Take an order back for its creditor, open or confirmed; one that comes later under this id is cancelled too.

        One that was declined or has expired stays what it is: nothing stands on it.
        """
        await self._world.think("psp")
        now = self._world.clock.now()
        return self._show(await self._book.cancel(self._row(request), to_ms(now)))

    async def decide(self, mandate: str, decision: Decision) -> Mandate:
        """Let the payer decide at the link. The first decision stands. Raises NotAllowed or Clash."""
        row = await self._book.find(mandate)
        if not same(decision.key, row.linkkey):
            raise NotAllowed("This link is not the payer's.", field="/key")
        wanted: State = "confirmed" if decision.decision == "confirm" else "declined"
        if not await self._book.decide(row, wanted, to_ms(self._world.clock.now())):
            raise Clash("This mandate was decided before.")
        return self._show(await self._book.find(mandate))

    async def count(self) -> Count:
        """Say what the book holds, in numbers."""
        return await self._book.count()

    async def step(self, now: datetime) -> int:
        """Let banks decide, let orders expire, and give the hints that are due. Return how many things happened."""
        now_ms, done = to_ms(now), 0
        for row in await self._book.due(now_ms):
            in_time = bool(row.bank) and row.bank_ms < row.due_ms
            done += await self._book.decide(row, row.bank if in_time and row.bank else "expired", now_ms)
        for row in await self._book.hints(now_ms):
            await self._hint(row, now)
            done += 1
        return done

    def _order(self, request: str, order: MandateOrder, met: Conduct, now: datetime) -> MandateRow:
        return replace(
            self._row(request),
            digest=digest_of(order),
            state="open",
            amount=order.amount,
            parts=order.parts,
            bank=_BANK[met.mandate],
            bank_ms=to_ms(now + timedelta(seconds=met.mandate_after_s)),
            due_ms=to_ms(end_of(date.fromisoformat(order.due))),
            webhook=order.webhook,
        )

    def _row(self, request: str) -> MandateRow:
        """Return a mandate of which only the creditor's id is known: cancelled before it was ordered."""
        token = self._world.entropy.draw(16).hex()
        return MandateRow(
            mandate=f"mdt_{token[:20]}",
            request=request,
            reference=f"WISSEL{token[:20].upper()}",
            linkkey=self._world.entropy.draw(16).hex(),
        )

    def _show(self, row: MandateRow) -> Mandate:
        link = f"{self._base}/pay/{row.mandate}?key={row.linkkey}" if row.state == "open" else ""
        return Mandate(
            mandate=row.mandate,
            state=row.state,
            reference=row.reference,
            amount=row.amount,
            parts=row.parts,
            link=link,
        )

    async def _hint(self, row: MandateRow, now: datetime) -> None:
        """Tell the webhook to look; when it does not listen, try again later, and at last no more."""
        body = msgspec.json.encode(Hint(mandate=row.mandate))
        try:
            answer = await self._world.http.send(
                Request("POST", row.webhook, {"Content-Type": "application/json"}, body, answer_bytes_max=10_000)
            )
            heard = 200 <= answer.status < 300  # noqa: PLR2004 (RFC 9110 section 15.3: successful)
        except Unreachable:
            heard = False
        wait_s = min(HINT_S_MAX, 2**row.hints)
        again = not heard and row.hints + 1 < HINTS_MAX
        await self._book.hinted(row, to_ms(now + timedelta(seconds=wait_s)) if again else 0)

"""What DUO does when asked."""

from datetime import timedelta

from wissel.chain.duo import rules
from wissel.chain.duo.store import Book
from wissel.chain.duo.words import (
    Count,
    EducationAnswer,
    EducationQuestion,
    Enrolment,
    IdentityAnswer,
    IdentityQuestion,
    Receipt,
)
from wissel.chain.errors import Invalid, OutOfOrder
from wissel.chain.steering import conduct
from wissel.chain.world import World
from wissel.core.moments import rfc3339, to_ms


class Duo:
    """The played DUO."""

    def __init__(self, world: World, book: Book) -> None:
        self._world = world
        self._book = book

    async def identity(self, question: IdentityQuestion) -> IdentityAnswer:
        """Say whether the BRP knows her as she says; without a BSN give an onderwijsnummer (WHW 7.31e(3))."""
        await self._up(question.bsn)
        if not question.bsn:
            who = f"{question.surname}|{question.prefix}|{question.givennames}|{question.birthdate}"
            number = await self._book.education_number(who)
            return IdentityAnswer(result="unknown", educationnumber=number)
        return rules.identity(question, self._world.people.by_bsn(question.bsn))

    async def education(self, question: EducationQuestion) -> EducationAnswer:
        """Say what the register of diplomas holds."""
        await self._up(question.bsn)
        return rules.education(question, self._world.people.by_bsn(question.bsn))

    async def deliver(self, delivery: str, enrolment: Enrolment) -> tuple[Receipt, bool]:
        """Write a delivery to the register; return its receipt, and whether it is new. The same again: the same."""
        await self._up(enrolment.bsn)
        rules.check_number(enrolment.bsn)
        if (enrolment.kind == "ended") != bool(enrolment.end):
            raise Invalid("An ending has an `end`, and only an ending has one.", field="/end")
        known = await self._book.receipt(delivery, enrolment)
        if known:
            return known, False
        now = self._world.clock.now()
        number = f"ROD-{self._world.entropy.draw(6).hex().upper()}"
        receipt = Receipt(delivery=delivery, number=number, kind=enrolment.kind, registered=rfc3339(now))
        return await self._book.write(receipt, enrolment)

    async def count(self) -> Count:
        """Say what the book holds, in numbers."""
        return await self._book.count()

    async def _up(self, bsn: str) -> None:
        """Think, and be out of order for whom the steering says so."""
        await self._world.think("duo")
        person = self._world.people.by_bsn(bsn)
        down_s = conduct(person.surname).duo_down_s if person else 0
        if not down_s:
            return
        now = self._world.clock.now()
        until = await self._book.down_until(bsn, to_ms(now + timedelta(seconds=down_s)))
        left_ms = until - to_ms(now)
        if left_ms > 0:
            raise OutOfOrder("DUO is out of order. Ask again later.", retry_s=-(-left_ms // 1000))

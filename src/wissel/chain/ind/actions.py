"""What IND does when asked."""

from wissel.chain.ind import rules
from wissel.chain.ind.store import Book
from wissel.chain.ind.words import ResidenceAnswer, ResidenceQuestion
from wissel.chain.people import Person
from wissel.chain.steering import conduct
from wissel.chain.world import World
from wissel.core.moments import to_ms


class Ind:
    """The played IND."""

    def __init__(self, world: World, book: Book) -> None:
        self._world = world
        self._book = book

    async def residence(self, request: str, question: ResidenceQuestion) -> tuple[ResidenceAnswer, int]:
        """Answer, or `pending` and in how many seconds to ask again with the same request id."""
        await self._world.think("ind")
        now_ms = to_ms(self._world.clock.now())
        asked_ms = await self._book.asked(request, question, now_ms)
        person = self._find(question)
        wait_ms = asked_ms + 1000 * (conduct(person.surname).residence_after_s if person else 0) - now_ms
        if wait_ms > 0:
            return ResidenceAnswer(result="pending"), -(-wait_ms // 1000)
        return rules.residence(question, person), 0

    async def count(self) -> int:
        """Say how many different questions came."""
        return await self._book.count()

    def _find(self, question: ResidenceQuestion) -> Person | None:
        found = self._world.people.by_name(question.surname, question.birthdate)
        if question.vnumber:
            return found if found and found.vnumber == question.vnumber else None
        return found

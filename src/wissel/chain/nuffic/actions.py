"""What Nuffic does when asked."""

from wissel.chain.nuffic.store import Book, Opened
from wissel.chain.nuffic.words import Case, DiplomaQuestion
from wissel.chain.steering import advice
from wissel.chain.world import World
from wissel.core.moments import to_ms


class Nuffic:
    """The played Nuffic."""

    def __init__(self, world: World, book: Book) -> None:
        self._world = world
        self._book = book

    async def open(self, request: str, question: DiplomaQuestion) -> tuple[Case, int]:
        """Open a case; return it, and in how many seconds to look again (0: the advice is given)."""
        await self._world.think("nuffic")
        number = f"NUF-{self._world.entropy.draw(5).hex().upper()}"
        return self._stand(await self._book.open(request, number, question, to_ms(self._world.clock.now())))

    async def look(self, request: str) -> tuple[Case, int]:
        """Return where a case stands; see `open`. Raises NotKnown."""
        await self._world.think("nuffic")
        return self._stand(await self._book.find(request))

    async def count(self) -> int:
        """Say how many cases there are."""
        return await self._book.count()

    def _stand(self, opened: Opened) -> tuple[Case, int]:
        found = advice(opened.school)
        wait_ms = opened.opened_ms + 1000 * found.after_s - to_ms(self._world.clock.now())
        if wait_ms > 0:
            return Case(case=opened.number, state="received"), -(-wait_ms // 1000)
        given = Case(
            case=opened.number, state="given", result=found.result, equivalent=found.equivalent, advice=found.text
        )
        return given, 0

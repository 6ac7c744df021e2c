"""IND's door: `/v1/...` with an API key, `/copies` for the platform, `/play/book` for who wants to count."""

from typing import Annotated

from litestar import Litestar, Response, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from wissel.chain.copies.actions import Drawer
from wissel.chain.copies.door import take_copies
from wissel.chain.door.answers import Sign
from wissel.chain.door.app import guarded, make_app
from wissel.chain.door.keys import api_key
from wissel.chain.ind.actions import Ind
from wissel.chain.ind.store import Book
from wissel.chain.ind.words import ResidenceAnswer, ResidenceQuestion

RequestId = Annotated[
    str, PathParameter(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)", description="the asker's own id, once")
]


@put("/residence/{request_id:str}")
async def ask_residence(
    request_id: RequestId, data: JSONBody[ResidenceQuestion], ind: NamedDependency[Ind]
) -> Response[ResidenceAnswer]:
    """Ask about a stay: 200 with the answer, or 202 `pending` with Retry-After; then ask the same again."""
    answer, wait_s = await ind.residence(request_id, data)
    if wait_s:
        return Response(answer, status_code=202, headers={"Retry-After": str(wait_s)})
    return Response(answer, status_code=200)


@get("/play/book")
async def count_book(ind: NamedDependency[Ind]) -> dict[str, int]:
    """Count the questions, without persons. Not part of the partner's interface."""
    return {"questions": await ind.count()}


def ind_app(ind: Ind, book: Book, drawer: Drawer, *, key: str, sign: Sign | None = None) -> Litestar:
    """Return IND's application. `key` is the API key that callers must show."""
    api = guarded("/v1", [ask_residence], api_key(key), tag="ind")
    return make_app(
        "IND (played)",
        "1.0.0",
        [api, take_copies, count_book],
        given={"ind": ind, "drawer": drawer},
        sign=sign,
        prepare=[book.prepare],
    )

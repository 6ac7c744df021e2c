"""Nuffic's door: `/v1/...` with an API key, `/copies` for the platform, `/play/book` for who wants to count."""

from typing import Annotated

from litestar import Litestar, Response, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from wissel.chain.copies.actions import Drawer
from wissel.chain.copies.door import take_copies
from wissel.chain.door.answers import Sign
from wissel.chain.door.app import guarded, make_app
from wissel.chain.door.keys import api_key
from wissel.chain.nuffic.actions import Nuffic
from wissel.chain.nuffic.store import Book
from wissel.chain.nuffic.words import Case, DiplomaQuestion

CaseId = Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)", description="the asker's own id, once")]


@put("/advice/{case_id:str}")
async def open_case(
    case_id: CaseId, data: JSONBody[DiplomaQuestion], nuffic: NamedDependency[Nuffic]
) -> Response[Case]:
    """Ask an advice: 202 while it is being made (Retry-After), 200 when it is given."""
    return _stand(*await nuffic.open(case_id, data))


@get("/advice/{case_id:str}")
async def look_at_case(case_id: CaseId, nuffic: NamedDependency[Nuffic]) -> Response[Case]:
    """See where a case stands, as `PUT` answers."""
    return _stand(*await nuffic.look(case_id))


@get("/play/book")
async def count_book(nuffic: NamedDependency[Nuffic]) -> dict[str, int]:
    """Count the cases. Not part of the partner's interface."""
    return {"cases": await nuffic.count()}


def _stand(case: Case, wait_s: int) -> Response[Case]:
    if wait_s:
        return Response(case, status_code=202, headers={"Retry-After": str(wait_s)})
    return Response(case, status_code=200)


def nuffic_app(nuffic: Nuffic, book: Book, drawer: Drawer, *, key: str, sign: Sign | None = None) -> Litestar:
    """Return Nuffic's application. `key` is the API key that callers must show."""
    api = guarded("/v1", [open_case, look_at_case], api_key(key), tag="nuffic")
    return make_app(
        "Nuffic (played)",
        "1.0.0",
        [api, take_copies, count_book],
        given={"nuffic": nuffic, "drawer": drawer},
        sign=sign,
        prepare=[book.prepare],
    )

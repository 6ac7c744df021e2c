"""DUO's door: `/v1/...` with an API key, `/copies` for the platform, `/play/book` for who wants to count."""

from typing import Annotated

from litestar import Litestar, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from wissel.chain.copies.actions import Drawer
from wissel.chain.copies.door import take_copies
from wissel.chain.door.answers import Sign
from wissel.chain.door.app import guarded, make_app
from wissel.chain.door.keys import api_key
from wissel.chain.duo.actions import Duo
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

Delivery = Annotated[
    str, PathParameter(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)", description="the sender's own id, once")
]


@post("/identity/_check", status_code=200)
async def check_identity(data: JSONBody[IdentityQuestion], duo: NamedDependency[Duo]) -> IdentityAnswer:
    """Compare a person with the BRP (RATHO 4.1(3)). Numbers travel in bodies, never in addresses."""
    return await duo.identity(data)


@post("/education/_query", status_code=200)
async def query_education(data: JSONBody[EducationQuestion], duo: NamedDependency[Duo]) -> EducationAnswer:
    """Return diplomas and earlier degrees (WRO 20; WHW 7.45a)."""
    return await duo.education(data)


@put("/register/deliveries/{delivery:str}")
async def deliver(delivery: Delivery, data: JSONBody[Enrolment], duo: NamedDependency[Duo]) -> Response[Receipt]:
    """Deliver an enrolment or its ending: 201 when new, 200 with the same receipt when it came before."""
    receipt, new = await duo.deliver(delivery, data)
    return Response(receipt, status_code=201 if new else 200)


@get("/play/book")
async def count_book(duo: NamedDependency[Duo]) -> Count:
    """Count the deliveries, without persons. Not part of the partner's interface."""
    return await duo.count()


def duo_app(duo: Duo, book: Book, drawer: Drawer, *, key: str, sign: Sign | None = None) -> Litestar:
    """Return DUO's application. `key` is the API key that callers must show."""
    api = guarded("/v1", [check_identity, query_education, deliver], api_key(key), tag="duo")
    return make_app(
        "DUO (played)",
        "1.0.0",
        [api, take_copies, count_book],
        given={"duo": duo, "drawer": drawer},
        sign=sign,
        prepare=[book.prepare],
    )

"""The PSP's door: `/v1/...` with an API key, `/pay/...` for the payer, `/copies` for the platform."""

from typing import Annotated

from litestar import Litestar, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from wissel.chain.copies.actions import Drawer
from wissel.chain.copies.door import take_copies
from wissel.chain.door.answers import Sign
from wissel.chain.door.app import guarded, make_app
from wissel.chain.door.keys import api_key
from wissel.chain.psp.actions import Psp
from wissel.chain.psp.store import Book
from wissel.chain.psp.words import Count, Decision, Mandate, MandateOrder

RequestId = Annotated[
    str, PathParameter(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)", description="the creditor's own id, once")
]
MandateId = Annotated[str, PathParameter(pattern=r"^mdt_[0-9a-f]{20}$(?!\n)")]


@put("/orders/{request_id:str}")
async def order_mandate(
    request_id: RequestId, data: JSONBody[MandateOrder], psp: NamedDependency[Psp]
) -> Response[Mandate]:
    """Order a mandate: 201 when new, 200 with the same one when the same order came before."""
    mandate, new = await psp.create(request_id, data)
    return Response(mandate, status_code=201 if new else 200)


@get("/mandates/{mandate_id:str}")
async def fetch_mandate(mandate_id: MandateId, psp: NamedDependency[Psp]) -> Mandate:
    """Fetch a mandate as it stands: what to do on a hint."""
    return await psp.fetch(mandate_id)


@post("/orders/{request_id:str}/_cancel", status_code=200)
async def cancel_order(request_id: RequestId, psp: NamedDependency[Psp]) -> Mandate:
    """Take an order back, as often as you like, also before it comes."""
    return await psp.cancel(request_id)


@post("/pay/{mandate_id:str}", status_code=200, tags=["payer"])
async def pay(mandate_id: MandateId, data: JSONBody[Decision], psp: NamedDependency[Psp]) -> Mandate:
    """Decide as the payer, with the key that stands in her link."""
    return await psp.decide(mandate_id, data)


@get("/play/book")
async def count_book(psp: NamedDependency[Psp]) -> Count:
    """Count the mandates, without payers. Not part of the partner's interface."""
    return await psp.count()


def psp_app(psp: Psp, book: Book, drawer: Drawer, *, key: str, sign: Sign | None = None) -> Litestar:
    """Return the PSP's application. `key` is the API key that callers must show."""
    api = guarded("/v1", [order_mandate, fetch_mandate, cancel_order], api_key(key), tag="psp")
    return make_app(
        "PSP (played)",
        "1.0.0",
        [api, pay, take_copies, count_book],
        given={"psp": psp, "drawer": drawer},
        sign=sign,
        prepare=[book.prepare],
    )

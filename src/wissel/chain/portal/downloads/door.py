"""The door of a place for downloads: three calls, for the platform, as a vault has them (docs/vault.md)."""

from typing import Annotated, Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from wissel.chain.copies.words import Stored
from wissel.chain.door.app import COPIES_BYTES_MAX
from wissel.chain.portal.downloads.actions import Downloads
from wissel.chain.portal.downloads.words import Receipts
from wissel.infra.http.proof import HEADER
from wissel.messages.files import JWE_BYTES_MAX

PlaceId = Annotated[str, PathParameter(pattern=r"^[0-9a-f-]{36}$(?!\n)")]
Until = Annotated[str, QueryParameter(max_length=10, description="The last day on which it may exist, YYYY-MM-DD.")]
_Asked = Request[Any, Any, Any]


@post("/places/{place:str}/messages", status_code=200, request_max_body_size=COPIES_BYTES_MAX, tags=["downloads"])
async def receive(request: _Asked, place: PlaceId, downloads: NamedDependency[Downloads]) -> Receipts:
    """Keep messages to a learner until she downloads them; answer with signed outcomes."""
    return await downloads.receive(place, *_shown(request), await request.body())


@post("/places/{place:str}/copies", status_code=200, request_max_body_size=COPIES_BYTES_MAX, tags=["downloads"])
async def store(request: _Asked, place: PlaceId, downloads: NamedDependency[Downloads]) -> Stored:
    """Keep sealed afschriften until she downloads them."""
    return await downloads.store(place, *_shown(request), await request.body())


@post("/places/{place:str}/files", status_code=200, request_max_body_size=JWE_BYTES_MAX, tags=["downloads"])
async def store_file(
    request: _Asked, place: PlaceId, downloads: NamedDependency[Downloads], until: Until = ""
) -> Stored:
    """Keep a sealed file until she downloads it, or the day `until` has passed."""
    return await downloads.store_file(place, *_shown(request), await request.body(), until)


def _shown(request: _Asked) -> tuple[str, str]:
    return request.headers.get("authorization", ""), request.headers.get(HEADER, "")

"""The drawer's door: one handler that every played party has."""

from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency

from wissel.chain.copies.actions import Drawer
from wissel.chain.copies.words import Stored
from wissel.chain.door.app import COPIES_BYTES_MAX


@post("/copies", status_code=200, request_max_body_size=COPIES_BYTES_MAX, tags=["copies"])
async def take_copies(request: Request[Any, Any, Any], drawer: NamedDependency[Drawer]) -> Stored:
    """Store up to 100 sealed afschriften, sent by the platform."""
    return drawer.store(request.headers.get("wissel-proof", ""), await request.body())

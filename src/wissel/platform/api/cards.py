"""The public list of participants: who may speak, by which keys, and where the audit log says so."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import PathParameter, QueryParameter

from wissel.client.words import CARDS_MAX, Participants, ProvenCard
from wissel.infra.http.door import public
from wissel.infra.http.errors import Missing
from wissel.messages.jose import hash64
from wissel.platform.api.ports import Registry

_CACHED: Final = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=30"}
URN_MAX: Final = 200


def cards_router(registry: Registry) -> Router:
    """Return everything below /v1/participants."""

    @get("/", access=public, operation_id="listParticipants")
    async def listed(
        request: Request[Any, Any, Any],
        after: Annotated[
            str, QueryParameter(max_length=URN_MAX, description="Return cards that come after this URN.")
        ] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=CARDS_MAX, description="The most cards to return.")] = CARDS_MAX,
    ) -> Response[Participants]:
        """List who may speak: each card as it is registered, with the places of its leaves in the audit log."""
        found = tuple(await registry.listed(after, limit + 1))
        more = found[limit - 1].card.urn if len(found) > limit else ""
        return _tagged(request, Participants(participants=found[:limit], next=more))

    @get("/{urn:str}", access=public, operation_id="readParticipant")
    async def one(
        request: Request[Any, Any, Any],
        urn: Annotated[str, PathParameter(max_length=URN_MAX, description="The participant's URN.")],
    ) -> Response[ProvenCard]:
        """Read one card with the proof, in the audit log, of the card and of each of its keys."""
        found = await registry.proven(urn)
        if found is None:
            raise Missing("No participant of that URN is registered here.")
        return _tagged(request, found)

    return Router("/v1/participants", route_handlers=[listed, one], tags=["participants"])


def _tagged(request: Request[Any, Any, Any], value: msgspec.Struct) -> Response[Any]:
    """Answer with an entity tag, or with 304 to who has these very bytes (RFC 9110 section 13.1.2)."""
    body = msgspec.json.encode(value)
    tag = f'"{hash64(body)}"'
    headers = {**_CACHED, "ETag": tag}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)

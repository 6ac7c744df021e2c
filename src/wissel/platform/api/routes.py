"""The operations below /v1. Each names its access rule; bodies are read strictly and handed on."""

from typing import Annotated, Any, Final

from litestar import Request, Response, Router, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, PathParameter, QueryParameter

from wissel.client.words import (
    PULL_MAX,
    Accepted,
    Lane,
    LearnerProcesses,
    Mailbox,
    ProcessView,
    Receipts,
    Sent,
    Settlements,
    TokenAnswer,
)
from wissel.infra.http.door import public
from wissel.infra.http.rate import Buckets
from wissel.infra.http.strict import check_json, read_json
from wissel.messages.envelope import UUID
from wissel.platform.api.access import allowed, caller_of
from wissel.platform.api.errors import NotJson, NotReady
from wissel.platform.api.ports import Health, Switch
from wissel.platform.api.tokens import Tokens

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
Caller = Request[Any, Any, Any]
LearnerToken = Annotated[
    str,
    HeaderParameter(
        name="Learner-Token",
        max_length=8000,
        description="The id_token of the learner's log-in at the calling portal.",
    ),
]


def api_router(switch: Switch, tokens: Tokens, token_calls: Buckets, health: Health) -> Router:
    """Return everything below /v1 but its own description."""
    return Router(
        "/v1",
        route_handlers=[_token(tokens, token_calls), *_messages(switch), *_processes(switch), *_health(health)],
    )


def _token(tokens: Tokens, calls: Buckets) -> BaseRouteHandler:
    @post("/oauth/token", access=public, status_code=200, tags=["tokens"], operation_id="getToken")
    async def token(request: Caller) -> TokenAnswer:
        """Get a token: client_credentials with private_key_jwt (RFC 6749 section 4.4, RFC 7523), ES256 only."""
        calls.take(request.client.host if request.client else "")
        _expect(request, FORM)
        return tokens.give(await request.body())

    return token


def _messages(switch: Switch) -> list[BaseRouteHandler]:
    @post("/messages", access=allowed("messages"), status_code=202, tags=["messages"], operation_id="sendMessage")
    async def send(request: Caller, learner_token: LearnerToken = "") -> Response[Sent]:
        """Send a message. The same bytes again give the same answer, with status 200."""
        _expect(request, JSON)
        body = await request.body()
        check_json(body)
        accepted: Accepted = await switch.accept(caller_of(request), body, learner_token)
        sent = Sent(id=accepted.id, acknowledgement=accepted.acknowledgement)
        return Response(sent, status_code=202 if accepted.first else 200)

    @get("/mailbox", access=allowed("mailbox"), tags=["mailbox"], operation_id="readMailbox")
    async def pull(
        request: Caller,
        limit: Annotated[int, QueryParameter(ge=1, le=PULL_MAX, description="The most messages to return.")] = PULL_MAX,
    ) -> Mailbox:
        """Read the messages that wait for you: the heads of the lanes that are due. They stay until you settle them."""
        return Mailbox(offered=tuple(await switch.offered(caller_of(request), limit)))

    @get("/mailbox/{process:str}", access=allowed("mailbox"), tags=["mailbox"], operation_id="readLane")
    async def lane(
        request: Caller,
        process: Annotated[str, PathParameter(pattern=UUID, description="The id of the process.")],
    ) -> Lane:
        """Read what waits for a learner who downloads at your place, sealed to her, while she is there.

        The head of her lane in this process, due or not. Settle it, and ask again: that is how a visit empties a lane.
        Changes nothing.
        """
        return Lane(sealed=tuple(await switch.lane(caller_of(request), process)))

    @post("/mailbox/_settle", access=allowed("mailbox"), status_code=200, tags=["mailbox"], operation_id="settle")
    async def settle(request: Caller) -> Settlements:
        """Hand in your signed receipts, up to 100; each is answered for by itself, in order."""
        _expect(request, JSON)
        receipts = read_json(await request.body(), Receipts).receipts
        return Settlements(settled=tuple(await switch.settle(caller_of(request), receipts)))

    return [send, pull, lane, settle]


def _processes(switch: Switch) -> list[BaseRouteHandler]:
    @get("/processes/{process:str}", access=allowed("processes"), tags=["processes"], operation_id="readProcess")
    async def view(
        request: Caller,
        process: Annotated[str, PathParameter(pattern=UUID, description="The id of the process.")],
        learner_token: LearnerToken = "",
    ) -> ProcessView:
        """Read where a process stands. Only the portal where it began may ask; with a learner's token, only of hers."""
        return await switch.view(caller_of(request), process, learner_token)

    @get("/processes", access=allowed("processes"), tags=["processes"], operation_id="listProcesses")
    async def mine(request: Caller, learner_token: LearnerToken = "") -> LearnerProcesses:
        """List what runs for the learner who is logged in, begun at this portal on whichever device."""
        return LearnerProcesses(processes=tuple(await switch.mine(caller_of(request), learner_token)))

    return [view, mine]


def _health(health: Health) -> list[BaseRouteHandler]:
    @get("/health/live", access=public, status_code=204, tags=["health"], operation_id="readLiveness")
    async def live() -> None:
        """Tell that the process runs."""

    @get("/health/ready", access=public, status_code=204, tags=["health"], operation_id="readReadiness")
    async def ready() -> None:
        """Tell that the process can do its work; 503 when it cannot."""
        wrong = await health.ready()
        if wrong:
            raise NotReady(f"Not ready: {', '.join(wrong)}.")

    return [live, ready]


def _expect(request: Caller, media_type: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise NotJson(f"The body must be sent as {media_type}.", field="Content-Type")

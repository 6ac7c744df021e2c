"""What all server doors share: one way to say no, the same headers, limits, a trace, and a log without payload.

Every route names its access rule (`@get("/x", access=public)`); one without is refused, always.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from traceback import extract_tb
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.types import ControllerRouterHandler, HTTPScope, Receive, Scope, Send

from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.core.errors import WisselError
from wissel.infra.http.errors import Forbidden
from wissel.infra.http.problem import MEDIA_TYPE, Problem, problem
from wissel.infra.http.strict import explain
from wissel.infra.telemetry.log import Log

Connection = ASGIConnection[Any, Any, Any, Any]
Rule = Callable[[Connection], Awaitable[None]]  # raises a WisselError when the caller may not

BODY_BYTES_MAX: Final = 1024 * 1024
BODY_WAIT_S: Final = 30.0  # for the next part of a body
BODY_WHOLE_S: Final = 120.0  # for all of it: whoever drips holds a connection no longer
BUSY_S: Final = 30
_CODES: Final = {
    400: ("request-malformed", "The request is not what this address takes."),
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not take that method; the Allow header says which it takes."),
    413: ("too-large", "The body is larger than this address takes."),
}
_ABSENT: Final = re.compile(r"Missing required \w+ parameter '([^']*)'")  # the words of Litestar
_TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_SECURITY: Final = {
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class SlowBody(WisselError):
    """The body of a request did not arrive in time."""

    code = "body-slow"
    status = 408


async def public(_: Connection) -> None:
    """Access rule: anybody may."""


class Door:
    """An ASGI application: `app` with the headers, trace, limits and log line that every door has."""

    def __init__(self, app: Litestar, *, clock: Clock, entropy: Entropy, log: Log, version: str) -> None:
        self.app = app
        self._clock = clock
        self._entropy = entropy
        self._log = log
        self._headers = {**_SECURITY, "api-version": version}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one exchange."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        trace = _trace(scope, self._entropy)
        scope.setdefault("state", {}).update(trace=trace, log=self._log)
        answer = _Answer(send, {**self._headers, "wissel-trace": trace})
        began = self._clock.now()
        try:
            if _odd(scope["path"]):
                await _refuse(answer, problem(404, *_CODES[404], trace=trace))
            else:
                await self.app(scope, _patient(receive), answer.send)
        except Exception as error:  # noqa: BLE001 - a door: nothing of an error may reach another log
            log_failure(self._log, error, trace)
        self._write(scope, answer, began, trace)

    def _write(self, scope: HTTPScope, answer: "_Answer", began: datetime, trace: str) -> None:
        self._log.write(
            "http.answered",
            method=scope["method"] if scope["method"] in _METHODS else "other",
            route=str(scope.get("path_template", "")),
            status=answer.status,
            bytes=answer.size,
            ms=round((self._clock.now() - began).total_seconds() * 1000),
            caller=str(scope["state"].get("caller", "")),
            trace=trace,
        )


def open_door(
    handlers: Sequence[ControllerRouterHandler],
    *,
    clock: Clock,
    entropy: Entropy,
    log: Log,
    version: str,
    given: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    openapi: OpenAPIConfig | None = None,
    body_bytes_max: int = BODY_BYTES_MAX,
) -> Door:
    """Return a door with these route handlers.

    `given` are values that handlers ask for by parameter name; `state` is what access rules find in
    `connection.app.state`.
    """
    app = Litestar(
        route_handlers=list(handlers),
        dependencies={name: Provide(_always(value), sync_to_thread=False) for name, value in (given or {}).items()},
        guards=[_deny_by_default],
        exception_handlers={
            WisselError: _on_wissel_error,
            HTTPException: _on_http_error,
            Exception: _on_failure,
        },
        state=State(dict(state or {})),
        openapi_config=openapi,
        request_max_body_size=body_bytes_max,
        logging_config=None,
        debug=False,
    )
    return Door(app, clock=clock, entropy=entropy, log=log, version=version)


def log_failure(log: Log, error: BaseException, trace: str) -> None:
    """Log an error nobody foresaw: its type and place, never its text, which may hold anything."""
    frames = extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rsplit('/wissel/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    log.write("http.failed", error=type(error).__name__, place=place, trace=trace)


def said_no(error: WisselError, trace: str) -> Response[bytes]:
    """Return the answer for one of our own errors, with its Retry-After and WWW-Authenticate."""
    headers = {}
    retry = getattr(error, "retry_after_s", None)
    if retry is None and error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        retry = BUSY_S
    if retry is not None:
        headers["Retry-After"] = str(int(retry))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    document = problem(error.status, error.code, error.sentence, field=error.field, trace=trace)
    return _respond(document, headers, getattr(error, "members", {}))


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


async def _deny_by_default(connection: Connection, handler: BaseRouteHandler) -> None:
    rule: Rule | None = handler.opt.get("access")
    if rule is None:
        raise Forbidden("This address has no access rule, so nobody may use it.")
    await rule(connection)


def _on_wissel_error(request: Request[Any, Any, Any], error: WisselError) -> Response[bytes]:
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # from here on it is our fault
        request.scope["state"]["log"].write("http.refused", code=error.code, trace=_trace_of(request))
    return said_no(error, _trace_of(request))


def _on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    status = error.status_code
    code, detail = _CODES.get(status, ("request-refused", "The request was refused."))
    field, why = _fault_of(error) if status == HTTPStatus.BAD_REQUEST else ("", "")
    detail = f"{detail} {why}".rstrip()
    headers = (
        {"Allow": (error.headers or {}).get("allow", "").upper()} if status == HTTPStatus.METHOD_NOT_ALLOWED else {}
    )
    return _respond(problem(status, code, detail, field=field, trace=_trace_of(request)), headers, {})


def _on_failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    trace = _trace_of(request)
    log_failure(request.scope["state"]["log"], error, trace)
    detail = "Something went wrong here, not with you. Try again later, and mention the trace if it stays."
    return _respond(problem(500, "internal", detail, trace=trace), {}, {})


def _fault_of(error: HTTPException) -> tuple[str, str]:
    """Name the parameter that Litestar found at fault, and say why; never its value."""
    absent = _ABSENT.match(error.detail or "")
    if absent is not None:
        return absent[1], "It needs this parameter."
    extra = error.extra if isinstance(error.extra, list) else []
    found = extra[0] if extra and isinstance(extra[0], dict) else {}
    return str(found.get("key", "")), explain(str(found["message"]))[0] if "message" in found else ""


def _respond(document: Problem, headers: Mapping[str, str], members: Mapping[str, str]) -> Response[bytes]:
    body = msgspec.json.encode({**msgspec.to_builtins(document), **members})
    return Response(body, status_code=document.status, media_type=MEDIA_TYPE, headers=dict(headers))


def _always(value: Any) -> Callable[[], Any]:
    def give() -> Any:
        return value

    return give


def _trace_of(request: Request[Any, Any, Any]) -> str:
    return str(request.scope["state"]["trace"])


def _trace(scope: Scope, entropy: Entropy) -> str:
    """Return the caller's W3C trace id when there is a well-formed one, else a new one: 32 hex digits."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            found = _TRACEPARENT.fullmatch(value)
            if found is not None:
                return found.group(1).decode()
    return entropy.draw(16).hex()


def _odd(path: str) -> bool:
    """Say whether a path has an empty segment: such addresses do not exist (NL GOV: no trailing slash)."""
    return "//" in path or (len(path) > 1 and path.endswith("/"))


def _patient(receive: Receive) -> Receive:
    """Wait for a body and for each part of it, but not for ever."""
    whole, loop = False, asyncio.get_running_loop()
    last = loop.time() + BODY_WHOLE_S

    async def wait() -> Any:
        nonlocal whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(min(last, loop.time() + BODY_WAIT_S)):
                message = await receive()
        except TimeoutError:
            raise SlowBody(
                f"No part of the body came for {BODY_WAIT_S:g} s, or not all of it within {BODY_WHOLE_S:g} s."
            ) from None
        whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    return wait


async def _refuse(answer: "_Answer", document: Problem) -> None:
    body = msgspec.json.encode(document)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await answer.send({"type": "http.response.start", "status": document.status, "headers": headers})
    await answer.send({"type": "http.response.body", "body": body, "more_body": False})


class _Answer:
    """Adds what every answer has, and remembers what the log line needs."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send = send
        self._headers = {name.encode(): value.encode() for name, value in headers.items()}
        self.status = 0
        self.size = 0

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name.lower() for name, _ in message["headers"]}
            more = [(name, value) for name, value in self._headers.items() if name not in present]
            message = {**message, "headers": [*message["headers"], *more]}
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)

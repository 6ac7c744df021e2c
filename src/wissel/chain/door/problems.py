"""How a played application says no: problem+json (RFC 9457), with a sentence, a stable code and the field."""

from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from wissel.chain.errors import OutOfOrder
from wissel.core.errors import WisselError

PROBLEM: Final = "application/problem+json"
_Asked = Request[Any, Any, Any]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """RFC 9457, with our `code` and `field`."""

    status: int
    title: str
    detail: str
    code: str
    field: str = ""
    type: str = "about:blank"


def problem(found: Problem, headers: dict[str, str] | None = None) -> Response[Problem]:
    """Return a problem as the answer."""
    return Response(found, status_code=found.status, media_type=PROBLEM, headers=headers or {})


def on_wissel_error(_: _Asked, error: WisselError) -> Response[Problem]:
    """Answer with the error's own sentence, code and status."""
    headers = {"Retry-After": str(error.retry_s)} if isinstance(error, OutOfOrder) else {}
    if error.status == 401:  # noqa: PLR2004 (401 asks for a way to authenticate, RFC 9110 section 11.6.1)
        headers["WWW-Authenticate"] = 'Basic realm="played"'
    found = Problem(
        status=error.status, title=type(error).__name__, detail=error.sentence, code=error.code, field=error.field
    )
    return problem(found, headers)


def on_http_error(_: _Asked, error: HTTPException) -> Response[Problem]:
    """Answer for what the framework refuses: no such path, another method, a body that does not fit."""
    where = _pointer(error.extra)
    found = Problem(
        status=error.status_code,
        title="The request was refused",
        detail=where[1] or error.detail or "The request was refused.",
        code=f"http-{error.status_code}",
        field=where[0],
    )
    return problem(found, dict(error.headers or {}))


def _pointer(extra: Any) -> tuple[str, str]:
    """Return JSON pointer and sentence of the first thing wrong. Values never come along, only names and rules."""
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        key = str(extra[0].get("key", ""))
        return (f"/{key.replace('.', '/')}" if key else ""), str(extra[0].get("message", ""))
    return "", ""

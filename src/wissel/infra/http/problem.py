"""Problem details (RFC 9457): how every door says no, and how a client reads it."""

from http import HTTPStatus
from typing import Annotated, Final

import msgspec

MEDIA_TYPE: Final = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Why a request was refused.

    `code` is stable (docs/errors.md), `field` the JSON pointer, header or parameter at fault, `detail` a sentence
    to act on, `trace` the id under which the platform's log has the call.
    """

    title: str
    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    detail: str = ""
    type: str = "about:blank"
    code: str = ""
    field: str = ""
    trace: str = ""


def problem(status: int, code: str, detail: str, *, field: str = "", trace: str = "") -> Problem:
    """Return the problem document for an error code."""
    return Problem(
        type=f"urn:wissel:problem:{code}",
        title=title_of(status),
        status=status,
        detail=detail,
        code=code,
        field=field,
        trace=trace,
    )


def title_of(status: int) -> str:
    """Return the registered phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def read_problem(status: int, body: bytes) -> Problem:
    """Read a refusal. What is no problem document becomes one that has the status and nothing else."""
    try:
        found = msgspec.json.decode(body, type=Problem)
    except msgspec.MsgspecError:
        return Problem(title=title_of(status), status=status, code="unexplained")
    return found if found.status == status else msgspec.structs.replace(found, status=status)

"""The API described by itself: OpenAPI 3.1 by the NL GOV API Design Rules, at /v1/openapi.json.

`python -m wissel.platform.api.document` prints it; docs/openapi.json is that text.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import Litestar, Response, Router, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Contact, License, Tag

from wissel.client.words import Receipts
from wissel.infra.http.door import public
from wissel.infra.http.problem import MEDIA_TYPE, Problem, title_of
from wissel.messages.envelope import Offered, Submission
from wissel.messages.files import JWE_BYTES_MAX
from wissel.platform.api.cards import cards_router
from wissel.platform.api.files import JOSE, files_router
from wissel.platform.api.published import log_router
from wissel.platform.api.routes import FORM, JSON, api_router
from wissel.platform.api.words import SCOPES, VERSION

EXAMPLE_BASE: Final = "https://wissel.example"
_PREFIX: Final = "/v1"
_REF: Final = "#/components/schemas/{name}"
_BEARER: Final = "participant"
_TEXT: Final = {"type": "string"}
_NOBODY: Final[Any] = None

_ABOUT: Final = """The national switch for lifelong learning: messages between learners and education institutions.
One API for portals, institutions and partners. Every refusal is a problem document (RFC 9457) with a stable `code`."""

_BODIES: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "sendMessage": (JSON, {"$ref": "#/components/schemas/Submission"}),
    "settle": (JSON, {"$ref": "#/components/schemas/Receipts"}),
    "uploadFile": (JOSE, {"type": "string", "maxLength": JWE_BYTES_MAX, "description": "A compact JWE."}),
    "getToken": (
        FORM,
        {
            "type": "object",
            "required": ["grant_type", "client_assertion_type", "client_assertion"],
            "properties": {
                "grant_type": {"type": "string", "const": "client_credentials"},
                "client_assertion_type": _TEXT,
                "client_assertion": {"type": "string", "maxLength": 8000},
                "client_id": _TEXT,
                "scope": _TEXT,
            },
        },
    ),
}

# What the answer 200 means where it is not the first one.
_AGAIN: Final[Mapping[str, str]] = {
    "sendMessage": "The same message was accepted before",
    "uploadFile": "The same bytes were uploaded before",
}

# What may be refused, per operation; 400 always may.
_REFUSALS: Final[Mapping[str, tuple[int, ...]]] = {
    "getToken": (401, 413, 415, 429),
    "sendMessage": (401, 403, 409, 413, 415, 422, 429, 503),
    "readMailbox": (401, 403, 429),
    "readLane": (401, 403, 429),
    "settle": (401, 403, 413, 415, 429),
    "uploadFile": (401, 403, 409, 413, 415, 422, 429, 503),
    "readFile": (401, 403, 404, 410, 429),
    "readProcess": (401, 403, 404, 429),
    "listProcesses": (401, 403, 429),
    "readReadiness": (503,),
    "readParticipant": (404, 503),
    "readCheckpoint": (404,),
    "readTile": (404,),
    "readEntryBundle": (401, 403, 404, 429),
    "readEntry": (401, 403, 404, 429),
    "readEntries": (401, 403, 429),
}


def document_router(base: str) -> Router:
    """Return the route that serves the description, to any website (CORS)."""
    known: list[bytes] = []

    @get("/openapi.json", access=public, media_type=JSON)
    async def openapi() -> Response[bytes]:
        """Read this description."""
        if not known:
            known.append(document(base))
        return Response(known[0], headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=3600"})

    return Router(_PREFIX, route_handlers=[openapi], include_in_schema=False)


def document(base: str) -> bytes:
    """Return the OpenAPI document of the API at `base`."""
    made = describe([_described(), files_router(_NOBODY), cards_router(_NOBODY), _described_log()])
    made["servers"] = [{"url": f"{base}{_PREFIX}", "description": "This platform"}]
    made["paths"] = {_public_path(path): _item(path, item, base) for path, item in made["paths"].items()}
    components = made["components"]
    components["schemas"] = dict(sorted({**components["schemas"], **_schemas()}.items()))
    components["headers"] = {
        "API-Version": {"description": "The full version of the API.", "schema": _TEXT, "required": True},
        "Retry-After": {"description": "Seconds to wait before trying again.", "schema": {"type": "integer"}},
    }
    components["securitySchemes"] = {_BEARER: _security(base)}
    return msgspec.json.format(msgspec.json.encode(made), indent=1)


def describe(routers: Sequence[Router]) -> dict[str, Any]:
    """Return what Litestar knows of the routes."""
    config = OpenAPIConfig(
        title="Wissel",
        version=VERSION,
        description=_ABOUT,
        contact=Contact(name="Wissel", url="https://wissel.example/contact", email="api@wissel.example"),
        license=License(name="EUPL-1.2", identifier="EUPL-1.2"),
        tags=[Tag(name=name, description=about) for name, about in _TAGS.items()],
        use_handler_docstrings=True,
    )
    app = Litestar(route_handlers=list(routers), openapi_config=config, logging_config=None)
    return msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()), type=dict[str, Any])


_TAGS: Final = {
    "tokens": "Who calls proves it with a key that is on its card.",
    "messages": "Send.",
    "files": "Sealed bytes that travel beside a message.",
    "mailbox": "Receive, and say what became of it.",
    "processes": "Where something stands.",
    "participants": "Who may speak, and where the audit log says so.",
    "log": "The audit log: anybody may check it (C2SP tlog-tiles); entries are for their parties.",
    "health": "For who runs it.",
}


def _described() -> Router:
    """Return the routes with nothing behind them: a description needs nobody who answers."""
    return api_router(_NOBODY, _NOBODY, _NOBODY, _NOBODY)


def _described_log() -> Router:
    return log_router(_NOBODY, _NOBODY)


def _public_path(path: str) -> str:
    return path.removeprefix(_PREFIX)


def _item(path: str, item: dict[str, Any], base: str) -> dict[str, Any]:
    """Complete one path; what lies outside /v1 names its own server."""
    made: dict[str, Any] = {method: _operation(operation) for method, operation in item.items()}
    if not path.startswith(_PREFIX):
        made["servers"] = [{"url": base, "description": "The audit log is not versioned by the API"}]
    return made


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    name = operation["operationId"]
    statuses = (400, *_REFUSALS.get(name, ()))
    answers = {status: answer for status, answer in operation["responses"].items() if status < "300"}
    if name in _AGAIN:
        answers = {"200": {**next(iter(answers.values())), "description": _AGAIN[name]}, **answers}
    for answer in answers.values():
        answer["headers"] = {"API-Version": {"$ref": "#/components/headers/API-Version"}}
    made = {**operation, "responses": {**answers, **{str(status): _refusal(status) for status in statuses}}}
    if name in _BODIES:
        media_type, schema = _BODIES[name]
        made["requestBody"] = {"required": True, "content": {media_type: {"schema": schema}}}
    if 401 in statuses and name != "getToken":  # noqa: PLR2004 - it can be refused for want of a token
        made["security"] = [{_BEARER: []}]
    return made


def _refusal(status: int) -> dict[str, Any]:
    headers = {"API-Version": {"$ref": "#/components/headers/API-Version"}}
    if status in {429, 503}:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": title_of(status), "headers": headers, "content": {MEDIA_TYPE: {"schema": schema}}}


def _schemas() -> dict[str, Any]:
    """Return the schemas of bodies as they are read, with their strictness."""
    _, schemas = msgspec.json.schema_components([Submission, Receipts, Offered, Problem], ref_template=_REF)
    schemas["Problem"]["required"] = ["title", "status", "detail"]
    return schemas


def _security(base: str) -> dict[str, Any]:
    scopes = sorted({scope for held in SCOPES.values() for scope in held})
    return {
        "type": "oauth2",
        "description": "client_credentials with private_key_jwt (RFC 7523), ES256.",
        "flows": {
            "clientCredentials": {
                "tokenUrl": f"{base}{_PREFIX}/oauth/token",
                "scopes": {scope: _SCOPES[scope] for scope in scopes},
            }
        },
    }


_SCOPES: Final = {
    "messages": "Send messages.",
    "mailbox": "Read one's mailbox and settle what is in it.",
    "processes": "Read where the processes stand that began at this portal.",
    "entries": "Read log entries to which one is a party.",
    "inspect": "Read all log entries.",
}


if __name__ == "__main__":
    sys.stdout.write(document(EXAMPLE_BASE).decode() + "\n")

"""Who may call: an API key in `X-Api-Key`, or a name and password by HTTP Basic (RFC 7617). Deny by default."""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from wissel.chain.errors import NotAllowed

_Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[_Connection, BaseRouteHandler], None]


def api_key(expected: str) -> Guard:
    """Return a guard that asks for this API key."""

    def check(connection: _Connection, _: BaseRouteHandler) -> None:
        if not same(connection.headers.get("x-api-key", ""), expected):
            raise NotAllowed("Send the API key of this application in the header X-Api-Key.", field="X-Api-Key")

    return check


def basic(users: Mapping[str, str]) -> Guard:
    """Return a guard that asks for one of these names with its password."""

    def check(connection: _Connection, _: BaseRouteHandler) -> None:
        name, password = read_basic(connection.headers.get("authorization", ""))
        if not same(password, users.get(name, "")):
            raise NotAllowed("Send a known name and password by HTTP Basic.", field="Authorization")

    return check


def read_basic(header: str) -> tuple[str, str]:
    """Return name and password of an Authorization header, or two empty texts."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, password


def same(given: str, expected: str) -> bool:
    """Compare two secrets in constant time; an empty one equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())

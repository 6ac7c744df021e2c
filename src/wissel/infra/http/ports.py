"""The one door to the network: a request that has limits, a response that is whole."""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Protocol

from wissel.core.errors import WisselError


class Request(NamedTuple):
    """One outbound call. `timeout_s` bounds the whole of it, `answer_bytes_max` what is read of the answer."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    timeout_s: float = 10.0
    answer_bytes_max: int = 4 * 1024 * 1024


class Response(NamedTuple):
    """A whole answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Unreachable(WisselError):
    """No whole answer came: refused by the guard, no connection, time-out, or too large. Try again later."""

    code: ClassVar[str] = "unreachable"
    status: ClassVar[int] = 502


class Http(Protocol):
    """What speaks HTTP for us. Redirects are never followed."""

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status. Raises Unreachable when there is none."""
        ...

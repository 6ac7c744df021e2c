"""HTTP without a network: calls go straight into ASGI applications of the same process, by their base address.

Used where the real code runs in a simulation, and in tests. The real one and this one pass the same contract test.
"""

from collections.abc import Mapping
from typing import Any

from litestar.types import ASGIApp
from yarl import URL

from wissel.infra.http.ports import Request, Response, Unreachable


class MemoryHttp:
    """`apps`: origin ("https://name:port" as in the URL) -> application. Others are unreachable."""

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = {str(URL(origin).origin()): app for origin, app in apps.items()}

    async def send(self, request: Request) -> Response:
        """Return what the application answered. Raises Unreachable."""
        url = URL(request.url)
        app = self._apps.get(str(url.origin()))
        if app is None:
            raise Unreachable("No answer came (nothing listens there).")
        call = _Call(request.body)
        await app(_scope(request, url), call.receive, call.send)  # type: ignore[arg-type] # a plain dict is a scope
        if call.status == 0:
            raise Unreachable("No answer came (the application closed).")
        if len(call.body) > request.answer_bytes_max:
            raise Unreachable(f"The answer is larger than {request.answer_bytes_max} bytes.")
        return Response(call.status, call.headers, bytes(call.body))


class _Call:
    """One exchange by the rules of ASGI 3: a whole request in, a whole answer out."""

    def __init__(self, body: bytes) -> None:
        self._messages: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()

    async def receive(self) -> Any:
        return self._messages.pop() if self._messages else {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


def _scope(request: Request, url: URL) -> dict[str, Any]:
    named = {"host": url.authority, "content-length": str(len(request.body))}
    named |= {name.lower(): value for name, value in request.headers.items()}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method.upper(),
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.encode(),
        "query_string": url.raw_query_string.encode(),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()],
        "client": ("memory", 0),
        "server": (url.host, url.port),
    }

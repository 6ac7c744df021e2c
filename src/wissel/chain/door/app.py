"""Makes the Litestar application of one played partner."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Contact
from litestar.types import ControllerRouterHandler

from wissel.chain.door.answers import Sign, signed_by
from wissel.chain.door.keys import Guard
from wissel.chain.door.problems import on_http_error, on_wissel_error
from wissel.core.errors import WisselError

BODY_BYTES_MAX: Final = 256 * 1024
COPIES_BYTES_MAX: Final = 64 * 1024 * 1024  # up to 100 sealed copies in one request


def make_app(
    title: str,
    version: str,
    handlers: Sequence[ControllerRouterHandler],
    *,
    given: Mapping[str, Any],
    sign: Sign | None = None,
    prepare: Sequence[Callable[[], Awaitable[None]]] = (),
    more: Mapping[int | type[Exception], Any] | None = None,
) -> Litestar:
    """Return an application that says no as problem+json, publishes its OpenAPI and logs nothing.

    `given` are the values that handlers ask for by name; `sign` signs each answer; `prepare` runs before the
    first request (a book makes its tables); `more` says no in another form to some errors.
    """
    return Litestar(
        route_handlers=list(handlers),
        dependencies={name: Provide(_always(value), sync_to_thread=False) for name, value in given.items()},
        exception_handlers={WisselError: on_wissel_error, HTTPException: on_http_error, **(more or {})},
        openapi_config=OpenAPIConfig(
            title=title,
            version=version,
            path="/openapi",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            contact=Contact(name="Played chain", url="https://example.org/", email="chain@example.org"),
        ),
        middleware=[signed_by(sign)] if sign else [],
        request_max_body_size=BODY_BYTES_MAX,
        on_startup=list(prepare),
        logging_config=None,
    )


def guarded(path: str, handlers: Sequence[ControllerRouterHandler], guard: Guard, *, tag: str) -> Router:
    """Return handlers below `path` that only who passes `guard` may call."""
    return Router(path=path, route_handlers=list(handlers), guards=[guard], tags=[tag])


def _always(value: Any) -> Any:
    def give() -> Any:
        return value

    return give

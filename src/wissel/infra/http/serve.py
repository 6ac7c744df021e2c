"""Serves several applications in one process, each on a port of its own (uvicorn, uvloop, httptools).

Ports are bound before the applications are made, so that an application can know its own address.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, TypeVar

import uvicorn
import uvloop
from litestar.types import ASGIApp

CONNECTIONS_MAX: Final = 1000
DRAIN_S: Final = 5
_BACKLOG: Final = 512
_T = TypeVar("_T")


class NotStarted(RuntimeError):
    """An application refused to start."""


class Bound(NamedTuple):
    """A port that is ours from here on."""

    socket: socket.socket
    host: str
    port: int

    @property
    def base(self) -> str:
        """The base address of who listens here."""
        return f"http://{self.host}:{self.port}"


class Site(NamedTuple):
    """One application and where it listens. `name` is for people and for the start-up callback."""

    name: str
    app: ASGIApp
    bound: Bound


def bind(port: int = 0, *, host: str = "127.0.0.1", instead: bool = False) -> Bound:
    """Take a port; 0 takes a free one. With `instead`, a taken port is replaced by a free one; else OSError."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, port))
        except OSError:
            if not instead:
                raise
            taken.bind((host, 0))
        taken.listen(_BACKLOG)
        taken.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    except OSError:
        taken.close()
        raise
    return Bound(taken, host, int(taken.getsockname()[1]))


async def serve(
    sites: Sequence[Site],
    *,
    stop: asyncio.Event,
    started: Callable[[Mapping[str, int]], None] | None = None,
) -> None:
    """Serve until `stop` is set; then let running calls end for at most 5 s. `started` gets name -> port.

    Raises when an application could not start; the others are then stopped too.
    """
    servers = [_Server(_config(site.app)) for site in sites]
    try:
        async with asyncio.TaskGroup() as tasks:
            for site, server in zip(sites, servers, strict=True):
                tasks.create_task(server.serve([site.bound.socket]), name=f"serve {site.name}")
            tasks.create_task(_watch(sites, servers, stop, started), name="serve watch")
    finally:
        for site in sites:
            site.bound.socket.close()


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a program on a uvloop event loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


async def _watch(
    sites: Sequence[Site],
    servers: Sequence["_Server"],
    stop: asyncio.Event,
    started: Callable[[Mapping[str, int]], None] | None,
) -> None:
    try:
        for server in servers:
            await server.up.wait()
        if started is not None:
            started({site.name: site.bound.port for site in sites})
        await stop.wait()
    finally:
        for server in servers:
            server.should_exit = True


class _Server(uvicorn.Server):
    """Leaves signals to who called: there are several of these in a process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # uvicorn's way to say it; there are others in this process
            raise NotStarted("An application could not start; its log says why.") from None
        self.up.set()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        interface="asgi3",
        lifespan="auto",
        access_log=False,
        log_config=None,
        log_level="critical",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAIN_S,
        backlog=_BACKLOG,
    )

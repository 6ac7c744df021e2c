import asyncio

import pytest
from litestar import get
from tests.infra.http_scene import CountedEntropy, KeptLog, StillClock, served

from wissel.infra.http.door import Door, open_door, public
from wissel.infra.http.outbound import AiohttpHttp
from wissel.infra.http.ports import Request
from wissel.infra.http.serve import Site, bind, run, serve


def named(name: str, wait: asyncio.Event | None = None) -> Door:
    @get("/name", access=public)
    async def tell() -> str:
        if wait is not None:
            await wait.wait()
        return name

    return open_door([tell], clock=StillClock(), entropy=CountedEntropy(), log=KeptLog(), version="1.0.0")


async def test_several_applications_each_have_a_port_of_their_own() -> None:
    one, two = bind(), bind()
    assert one.port != two.port
    async with served({"one": (named("one"), one), "two": (named("two"), two)}) as http:
        for bound, name in ((one, b"one"), (two, b"two")):
            answer = await http.send(Request("GET", f"{bound.base}/name"))
            assert answer.body == name
            assert "server" not in answer.headers


async def test_a_taken_port_is_an_error_or_replaced() -> None:
    taken = bind()
    with pytest.raises(OSError, match="in use"):
        bind(taken.port)
    other = bind(taken.port, instead=True)
    assert other.port not in {0, taken.port}
    for bound in (taken, other):
        bound.socket.close()


async def test_stopping_lets_a_running_call_end_and_frees_the_port() -> None:
    wait, stop, up, bound = asyncio.Event(), asyncio.Event(), asyncio.Event(), bind()
    ports: dict[str, int] = {}

    def started(found: object) -> None:
        ports.update(found)  # type: ignore[call-overload] # a mapping of names to ports
        up.set()

    running = asyncio.create_task(serve([Site("it", named("it", wait), bound)], stop=stop, started=started))
    await asyncio.wait_for(up.wait(), 10)
    assert ports == {"it": bound.port}
    async with AiohttpHttp({(bound.host, bound.port)}) as http:
        call = asyncio.create_task(http.send(Request("GET", f"{bound.base}/name")))
        await asyncio.sleep(0.2)
        stop.set()
        await asyncio.sleep(0.2)
        wait.set()
        assert (await call).body == b"it"
    await asyncio.wait_for(running, 10)
    again = bind(bound.port)
    again.socket.close()


async def test_an_application_that_cannot_start_stops_the_others() -> None:
    async def broken(scope: object, receive: object, send: object) -> None:
        message = await receive()  # type: ignore[operator] # ASGI
        assert message["type"] == "lifespan.startup"
        await send({"type": "lifespan.startup.failed", "message": ""})  # type: ignore[operator] # ASGI

    sites = [Site("good", named("good"), bind()), Site("bad", broken, bind())]
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(serve(sites, stop=asyncio.Event()), 10)


def test_a_program_runs_on_uvloop() -> None:
    async def main() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(main()) == "uvloop"

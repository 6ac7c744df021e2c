"""The real network and the one in memory keep the same promises; only the real one has names to resolve."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from litestar import Request as Call
from litestar import Response as Answer
from litestar import get, post
from tests.infra.http_scene import CountedEntropy, KeptLog, StillClock, bind, served

from wissel.infra.http.door import Door, open_door, public
from wissel.infra.http.memory import MemoryHttp
from wissel.infra.http.outbound import AiohttpHttp
from wissel.infra.http.ports import Http, Request, Response, Unreachable


@post("/echo", access=public, status_code=200)
async def echo(request: Call[Any, Any, Any]) -> Answer[bytes]:
    seen = {
        "X-Method": request.method,
        "X-Query": request.url.query,
        "X-Cookie": request.headers.get("cookie", "none"),
        "X-Encoding": request.headers.get("accept-encoding", "none"),
    }
    return Answer(await request.body(), headers=seen, media_type="application/octet-stream")


@get("/away", access=public)
async def away() -> Answer[None]:
    return Answer(None, status_code=302, headers={"Location": "https://example.org/", "Set-Cookie": "a=b; Path=/"})


@get("/large", access=public, media_type="application/octet-stream")
async def large() -> bytes:
    return bytes(100_000)


def the_door() -> Door:
    return open_door([echo, away, large], clock=StillClock(), entropy=CountedEntropy(), log=KeptLog(), version="1.2.3")


@asynccontextmanager
async def real() -> AsyncIterator[tuple[Http, str]]:
    bound = bind()
    async with served({"it": (the_door(), bound)}) as http:
        yield http, bound.base


@asynccontextmanager
async def memory() -> AsyncIterator[tuple[Http, str]]:
    yield MemoryHttp({"http://127.0.0.1:8123": the_door()}), "http://127.0.0.1:8123"


both = pytest.mark.parametrize("net", [real, memory])


@both
async def test_an_answer_comes_whole_whatever_its_status(net: object) -> None:
    async with net() as (http, base):  # type: ignore[operator] # a fixture function
        answer: Response = await http.send(Request("POST", f"{base}/echo?a=b%20c", {"X-Own": "1"}, b"\x00\xff"))
        assert (answer.status, answer.body) == (200, b"\x00\xff")
        assert answer.headers["x-query"] == "a=b%20c"
        assert (await http.send(Request("GET", f"{base}/nothing"))).status == 404


@both
async def test_a_redirect_is_handed_over_and_not_followed(net: object) -> None:
    async with net() as (http, base):  # type: ignore[operator] # a fixture function
        answer = await http.send(Request("GET", f"{base}/away"))
        assert answer.status == 302
        assert answer.headers["location"] == "https://example.org/"


@both
async def test_no_cookie_is_kept(net: object) -> None:
    async with net() as (http, base):  # type: ignore[operator] # a fixture function
        await http.send(Request("GET", f"{base}/away"))
        assert (await http.send(Request("POST", f"{base}/echo"))).headers["x-cookie"] == "none"


@both
async def test_a_larger_answer_than_asked_for_is_no_answer(net: object) -> None:
    async with net() as (http, base):  # type: ignore[operator] # a fixture function
        assert len((await http.send(Request("GET", f"{base}/large", answer_bytes_max=100_000))).body) == 100_000
        with pytest.raises(Unreachable, match="larger than 99999"):
            await http.send(Request("GET", f"{base}/large", answer_bytes_max=99_999))


@both
async def test_where_nothing_listens_is_unreachable(net: object) -> None:
    async with net() as (http, _):  # type: ignore[operator] # a fixture function
        with pytest.raises(Unreachable):
            await http.send(Request("GET", "http://127.0.0.1:1/"))


async def test_a_slow_answer_is_given_up_in_time() -> None:
    bound = bind()  # listens, and nobody answers
    async with AiohttpHttp({(bound.host, bound.port)}) as http:
        with pytest.raises(Unreachable, match=r"within 0\.2 s"):
            await http.send(Request("GET", bound.base, timeout_s=0.2))
    bound.socket.close()


async def test_compressed_answers_are_not_asked_for() -> None:
    async with real() as (http, base):
        assert (await http.send(Request("POST", f"{base}/echo"))).headers["x-encoding"] == "identity"


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with real() as (http, base):
        assert (await http.send(Request("GET", f"{base}/large"))).status == 200


async def test_a_name_is_judged_by_the_address_it_leads_to() -> None:
    asked: list[str] = []

    async def lookup(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14", "10.0.0.8"] if host == "mixed.example" else ["127.0.0.1"]

    async with AiohttpHttp(lookup=lookup) as http:
        for host in ("inside.example", "mixed.example"):
            with pytest.raises(Unreachable, match="not a public one"):
                await http.send(Request("GET", f"https://{host}/"))
        for host in ("127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1"):
            with pytest.raises(Unreachable):
                await http.send(Request("GET", f"https://{host}/"))
    assert asked[:2] == ["inside.example", "mixed.example"]


async def test_a_connection_goes_to_the_address_that_was_judged() -> None:
    """A name that answers otherwise the second time (DNS rebinding) is asked only once per connection."""
    bound = bind()
    answers = [[bound.host], ["10.0.0.8"]]
    asked: list[str] = []

    async def lookup(host: str, _: int) -> list[str]:
        asked.append(host)
        return answers.pop(0)

    async with AiohttpHttp({(bound.host, bound.port)}, lookup=lookup) as http:
        with pytest.raises(Unreachable):  # it speaks no TLS, but the connection was made
            await http.send(Request("GET", f"https://rebind.example:{bound.port}/", timeout_s=0.3))
        connection, _ = bound.socket.accept()
        connection.close()
        with pytest.raises(Unreachable, match="not a public one"):
            await http.send(Request("GET", f"https://rebind.example:{bound.port}/", timeout_s=0.3))
    assert asked == ["rebind.example", "rebind.example"]
    bound.socket.close()


async def test_an_error_does_not_repeat_the_address() -> None:
    async def lookup(_: str, __: int) -> list[str]:
        raise OSError("Name or service not known: secret.example")

    async with AiohttpHttp(lookup=lookup) as http:
        with pytest.raises(Unreachable) as caught:
            await http.send(Request("GET", "https://secret.example/marie"))
    assert "secret" not in repr(caught.value)
    assert caught.value.__suppress_context__

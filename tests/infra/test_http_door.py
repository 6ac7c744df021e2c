import asyncio
from typing import Annotated, Any, ClassVar

import msgspec
import pytest
from litestar import Request as Call
from litestar import get, post
from litestar.params import FromPath, QueryParameter
from tests.infra.http_scene import CountedEntropy, KeptLog, StillClock, bind, served

from wissel.core.errors import WisselError
from wissel.infra.http import door as doors
from wissel.infra.http.door import Connection, Door, open_door, public
from wissel.infra.http.errors import Forbidden, TooMany, Unauthenticated
from wissel.infra.http.memory import MemoryHttp
from wissel.infra.http.ports import Request, Response

BASE = "https://door.example"


class Teapot(WisselError):
    code: ClassVar[str] = "teapot"
    status: ClassVar[int] = 418


class Down(WisselError):
    code: ClassVar[str] = "down"
    status: ClassVar[int] = 503


@get("/errors/{name:str}", access=public)
async def errors(name: FromPath[str]) -> None:
    known: dict[str, Exception] = {
        "teapot": Teapot("It is a teapot.", field="/kind"),
        "down": Down("Down."),
        "many": TooMany("Too many.", retry_after_s=7),
        "who": Unauthenticated("Who?"),
        "bug": KeyError("SECRET value"),
    }
    raise known[name]


@get("/number", access=public)
async def number(count: Annotated[int, QueryParameter(ge=1, le=9)]) -> dict[str, int]:
    return {"count": count}


@post("/body", access=public)
async def body(request: Call[Any, Any, Any]) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@get("/cached", access=public)
async def cached() -> dict[str, str]:
    return {}


@get("/forgotten")
async def forgotten() -> dict[str, str]:
    return {"data": "SECRET"}


async def never(_: Connection) -> None:
    raise Forbidden("Nobody may.")


@get("/never", access=never)
async def shut() -> dict[str, str]:
    return {"data": "SECRET"}


def make(log: KeptLog | None = None, clock: StillClock | None = None) -> Door:
    return open_door(
        [errors, number, body, cached, forgotten, shut],
        clock=clock or StillClock(),
        entropy=CountedEntropy(),
        log=log or KeptLog(),
        version="1.2.3",
        body_bytes_max=1000,
    )


async def ask(method: str, path: str, log: KeptLog | None = None, **more: Any) -> Response:
    return await MemoryHttp({BASE: make(log)}).send(Request(method, BASE + path, **more))


def problem_of(answer: Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    found = msgspec.json.decode(answer.body, type=dict[str, Any])
    assert found["status"] == answer.status
    assert found["title"]
    assert found["trace"] == answer.headers["wissel-trace"]
    return found


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/cached/", 404, "not-found"),
        ("GET", "//cached", 404, "not-found"),
        ("GET", "/schema", 404, "not-found"),
        ("GET", "/schema/openapi.json", 404, "not-found"),
        ("POST", "/cached", 405, "method-not-allowed"),
        ("BREW", "/cached", 405, "method-not-allowed"),
        ("GET", "/number", 400, "request-malformed"),
        ("GET", "/number?count=0", 400, "request-malformed"),
        ("GET", "/number?count=SECRET", 400, "request-malformed"),
        ("GET", "/errors/teapot", 418, "teapot"),
        ("GET", "/errors/down", 503, "down"),
        ("GET", "/errors/many", 429, "too-many-requests"),
        ("GET", "/errors/who", 401, "unauthenticated"),
        ("GET", "/errors/bug", 500, "internal"),
        ("GET", "/forgotten", 403, "forbidden"),
        ("GET", "/never", 403, "forbidden"),
    ],
)
async def test_every_no_is_a_problem_document_without_values(method: str, path: str, status: int, code: str) -> None:
    answer = await ask(method, path)
    assert answer.status == status
    assert problem_of(answer)["code"] == code
    assert problem_of(answer)["type"] == f"urn:wissel:problem:{code}"
    assert b"SECRET" not in answer.body


async def test_a_problem_names_the_field() -> None:
    assert problem_of(await ask("GET", "/errors/teapot"))["field"] == "/kind"
    assert problem_of(await ask("GET", "/number?count=x"))["field"] == "count"


async def test_a_parameter_at_fault_is_named_with_the_reason() -> None:
    small, absent = problem_of(await ask("GET", "/number?count=0")), problem_of(await ask("GET", "/number"))
    assert (small["field"], small["detail"].partition("takes. ")[2]) == ("count", "Expected `int` >= 1.")
    assert (absent["field"], absent["detail"].partition("takes. ")[2]) == ("count", "It needs this parameter.")


async def test_headers_say_what_to_do_next() -> None:
    assert (await ask("GET", "/errors/many")).headers["retry-after"] == "7"
    assert (await ask("GET", "/errors/down")).headers["retry-after"] == "30"
    assert (await ask("GET", "/errors/who")).headers["www-authenticate"] == "Bearer"
    assert "GET" in (await ask("POST", "/cached")).headers["allow"]


@pytest.mark.parametrize("path", ["/cached", "/nothing", "/errors/bug", "/cached/", "/number?count=1"])
async def test_every_answer_has_the_security_headers_and_the_version(path: str) -> None:
    headers = (await ask("GET", path)).headers
    assert headers["api-version"] == "1.2.3"
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


async def test_a_body_beyond_the_limit_is_refused() -> None:
    assert (await ask("POST", "/body", body=bytes(1000))).status == 201
    answer = await ask("POST", "/body", body=bytes(1001))
    assert (answer.status, problem_of(answer)["code"]) == (413, "too-large")


async def test_a_body_that_does_not_say_its_length_is_refused_at_the_limit() -> None:
    bound = bind()
    async with served({"it": (make(), bound)}):
        reader, writer = await asyncio.open_connection(bound.host, bound.port)
        writer.write(b"POST /body HTTP/1.1\r\nHost: it\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(11):
            writer.write(b"64\r\n" + bytes(100) + b"\r\n")
        await writer.drain()
        assert b" 413 " in await reader.readline()
        writer.close()


async def test_a_large_body_is_refused_and_not_read_on_the_real_server() -> None:
    bound = bind()
    async with served({"it": (make(), bound)}) as http:
        answer = await http.send(Request("POST", f"{bound.base}/body", body=bytes(3_000_000)))
        assert answer.status == 413
        assert (await http.send(Request("GET", f"{bound.base}/cached"))).status == 200


async def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "BODY_WAIT_S", 0.1)
    bound = bind()
    async with served({"it": (make(), bound)}):
        reader, writer = await asyncio.open_connection(bound.host, bound.port)
        writer.write(b"POST /body HTTP/1.1\r\nHost: it\r\nContent-Length: 10\r\n\r\nhalf")
        assert b" 408 " in await asyncio.wait_for(reader.readline(), 5)
        writer.close()


async def test_a_body_that_comes_in_drops_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "BODY_WHOLE_S", 0.3, raising=False)
    bound = bind()
    async with served({"it": (make(), bound)}):
        reader, writer = await asyncio.open_connection(bound.host, bound.port)
        writer.write(b"POST /body HTTP/1.1\r\nHost: it\r\nContent-Length: 100\r\n\r\n")
        answer = asyncio.ensure_future(reader.readline())
        for _ in range(40):
            if answer.done():
                break
            writer.write(b"x")
            await asyncio.sleep(0.05)
        assert b" 408 " in await asyncio.wait_for(answer, 1)
        writer.close()


async def test_the_log_says_what_happened_and_never_with_what() -> None:
    log = KeptLog()
    await ask("GET", "/number?count=SECRET", log)
    await ask("GET", "/errors/SECRET", log)
    await ask("POST", "/body", log, body=b"SECRET", headers={"X-SECRET": "SECRET"})
    await ask("SECRET", "/SECRET", log)
    lines = [line for line in log.lines if line["event"] == "http.answered"]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/number", 400),
        ("GET", "/errors/{name}", 500),
        ("POST", "/body", 201),
        ("other", "", 404),
    ]
    assert "SECRET" not in str(log.lines)


async def test_an_unforeseen_error_is_logged_by_type_and_place() -> None:
    log = KeptLog()
    await ask("GET", "/errors/bug", log)
    [line] = [line for line in log.lines if line["event"] == "http.failed"]
    assert line["error"] == "KeyError"
    assert "test_http_door.py:" in str(line["place"])


async def test_a_callers_trace_is_taken_over_when_it_is_one() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    given = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    assert (await ask("GET", "/cached", headers=given)).headers["wissel-trace"] == trace
    for bad in ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", "SECRET", f"00-{trace}x-00f067aa0ba902b7-01", ""):
        answer = await ask("GET", "/cached", headers={"traceparent": bad})
        assert len(answer.headers["wissel-trace"]) == 32
        assert answer.headers["wissel-trace"] != trace


async def test_no_route_without_an_access_rule_can_be_used_whatever_it_returns() -> None:
    @get("/also-forgotten", guards=[])
    async def also() -> str:
        return "SECRET"

    made = open_door([also], clock=StillClock(), entropy=CountedEntropy(), log=KeptLog(), version="1.0.0")
    answer = await MemoryHttp({BASE: made}).send(Request("GET", f"{BASE}/also-forgotten"))
    assert answer.status == 403

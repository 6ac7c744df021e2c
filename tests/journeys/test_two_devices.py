"""Begun on a phone, continued on a laptop: two books that know nothing of each other, and the index of the platform."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from tests.journeys.nation import Nation, nation
from tests.journeys.parties import SeededEntropy

from wissel.assembly.chain import build_played
from wissel.assembly.owners import Owner
from wissel.assembly.settings import ChainSettings, read_settings
from wissel.infra.http.ports import Request, Response
from wissel.messages.verify import unb64

LAPTOP = "http://127.0.0.1:1"
REF = "without-diploma"  # her request waits for a person, so that it still runs


@asynccontextmanager
async def laptop(here: Nation) -> AsyncIterator[str]:
    """Run the same portal once more with an empty book of its own; yield its address."""
    data = here.scene.data / "laptop"
    shutil.copytree(here.scene.data / "chain", data, ignore=shutil.ignore_patterns("*.sqlite*"))
    settings = read_settings(ChainSettings, here.scene.data / "chain" / "portal.toml", {"WISSEL_DATA": str(data)})
    with ExitStack() as resources:
        async with AsyncExitStack() as lives:
            mine = Owner(
                clock=here.clock,
                entropy=SeededEntropy(77),
                http=here.network,
                log=here.log,
                resources=resources,
                threads=False,
            )
            parts = await build_played(settings, mine)
            assert isinstance(parts.apps[0].app, Litestar)
            await lives.enter_async_context(parts.apps[0].app.lifespan())
            here.network.apps[LAPTOP] = parts.apps[0].app
            here.jobs += parts.jobs
            yield LAPTOP


async def ask(here: Nation, method: str, url: str, body: Any = None) -> Any:
    """Call a stage door; return what it answered."""
    raw = b"" if body is None else msgspec.json.encode(body)
    answer = await here.network.send(Request(method, url, {"content-type": "application/json"}, raw))
    assert answer.status < 300, answer.body
    return msgspec.json.decode(answer.body)


async def test_a_request_begun_on_a_phone_is_withdrawn_on_a_laptop(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here, laptop(here) as there:
        process = await here.enrol(await here.learner(REF))
        await here.settle(10)
        here.network.down.add(here.scene.address("portal"))  # the phone is in a drawer
        assert await ask(here, "GET", f"{there}/play/learners/{REF}/enrolments") == []
        (found,) = await ask(here, "GET", f"{there}/play/learners/{REF}/requests")
        assert (found["process"], found["phase"], found["kind"]) == (process, "collecting", "enrolment")
        assert "decision" in found["open"]
        begun = await ask(here, "POST", f"{there}/play/enrolments/{process}/withdraw", {"text": "Another school."})
        await here.until("process.forgotten", process)
        (withdrawn,) = [
            copy for copy in here.copies(f"learners/{REF}") if copy["envelope"]["type"].endswith("withdrawn.v1")
        ]
        assert (withdrawn["envelope"]["id"], withdrawn["envelope"]["sequence"]) == (begun["message"], "2")
        assert await ask(here, "GET", f"{there}/play/learners/{REF}/requests") == []
        labels = [said["label"] for event, said in here.log.said if event == "process.moved"]
        assert labels[-1] == "withdrawn"


async def test_somebody_else_at_the_same_portal_neither_sees_nor_speaks_in_her_process(tmp_path: Path) -> None:
    other = "without-diploma-2"
    async with nation(tmp_path / "data") as here:
        process = await here.enrol(await here.learner(REF))
        await here.settle(5)
        portal = f"{here.scene.address('portal')}/play"
        assert await ask(here, "GET", f"{portal}/learners/{other}/requests") == []
        await ask(here, "POST", f"{portal}/enrolments/{process}/withdraw", {"learner": other, "text": "I spoil it."})
        standing = await ask(here, "GET", f"{portal}/enrolments/{process}")
        assert (standing["refused"], standing["phase"], standing["decided"]) == (
            ["process-not-hers"],
            "collecting",
            False,
        )
        await ask(here, "POST", f"{portal}/enrolments/{process}/withdraw", {"text": "My own choice."})
        await here.until("process.forgotten", process)
        copies = [copy for copy in here.copies(f"learners/{REF}") if copy["envelope"]["type"].endswith("withdrawn.v1")]
        assert [copy["payload"]["text"] for copy in copies] == ["My own choice."], (
            "her next message has the next number"
        )


async def test_no_token_of_a_learner_is_kept_where_it_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens: set[str] = set()
    async with nation(tmp_path / "data") as here:
        send = here.network.send

        async def listening(request: Request) -> Response:
            tokens.update(value for name, value in request.headers.items() if name == "Learner-Token")
            return await send(request)

        monkeypatch.setattr(here.network, "send", listening)
        await here.enrol(await here.learner(REF))
        await here.settle(5)
        (token,) = tokens
        disk = b"".join(file.read_bytes() for file in (here.scene.data / "platform").rglob("*") if file.is_file())
        assert token.encode() not in disk
        assert token not in str(here.log.said)
        subject = msgspec.json.decode(unb64(token.split(".")[1]))["sub"]
        assert subject.encode() not in disk
        with closing(sqlite3.connect(here.scene.data / "chain" / "portal" / "book.sqlite")) as book:
            assert book.execute("SELECT acknowledgement <> '', learner FROM outbox").fetchall() == [(1, "")]

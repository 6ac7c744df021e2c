"""The example of docs/api.md does what it says."""

import re
from pathlib import Path
from typing import Any

from tests.infra.http_scene import bind, served
from tests.platform.api.api_scene import COLLEGE, Scene

from wissel.assembly.clocks import SystemClock

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
LEARNER = "urn:wissel:learner:11111111-1111-4111-8111-111111111111"


def example() -> str:
    found = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_first_message_takes_fifteen_lines() -> None:
    assert len([line for line in example().splitlines() if line.strip()]) <= 15


async def test_the_first_message_is_sent_and_acknowledged() -> None:
    names: dict[str, Any] = {}
    exec(compile(example(), str(GUIDE), "exec"), names)  # noqa: S102 - our own documentation
    bound = bind()
    scene = Scene(bound.base, clock=SystemClock())
    allow = frozenset({(bound.host, bound.port)})
    async with served({"platform": (scene.door, bound)}):
        await SystemClock().sleep(1)  # an assertion of the second in which the door opened is refused
        key = scene.directory.keys[COLLEGE]
        sent = await names["tell"](bound.base, COLLEGE, key, LEARNER, "a.b.c.d.e", "log.example", allow)
    assert sent.acknowledgement
    assert scene.switch.callers == [COLLEGE]


def test_every_call_of_the_description_is_in_the_guide() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for path in ("/oauth/token", "/messages", "/mailbox", "/mailbox/_settle", "/processes/{process}"):
        assert f"/v1{path}" in text

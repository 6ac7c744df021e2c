"""The people of an institution at the command line: they speak to their own running connector, with its desk token."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from wissel.assembly.institution import houses
from wissel.assembly.settings import ConnectorSettings
from wissel.core.errors import WisselError
from wissel.infra.http.outbound import AiohttpHttp
from wissel.infra.http.ports import Request


class DeskRefused(WisselError):
    """The connector did not do what was asked."""

    code: ClassVar[str] = "desk-refused"
    status: ClassVar[int] = 400


async def ask(settings: ConnectorSettings, what: str, body: Mapping[str, object] | None = None, house: str = "") -> Any:
    """Post `body` to the desk of an institution, or look at it when there is none. Raises DeskRefused."""
    place = _place(settings, house)
    token = (place / "keys" / "desk.txt").read_text(encoding="ascii").strip()
    short = msgspec.json.decode((place / "profile" / "house.json").read_bytes())["short"]
    base = settings.base or f"http://{settings.host}:{settings.port}"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    raw = b"" if body is None else msgspec.json.encode(body)
    request = Request("GET" if body is None else "POST", f"{base}/{short}/desk{what}", headers, raw)
    async with AiohttpHttp(frozenset({(settings.host, settings.port)})) as http:
        response = await http.send(request)
    answer = msgspec.json.decode(response.body) if response.body else {}
    if response.status >= 300:  # noqa: PLR2004 - RFC 9110 section 15: below 300 is success
        field = f" ({answer['field']})" if answer.get("field") else ""
        raise DeskRefused(f"{answer.get('detail', f'The connector answered {response.status}.')}{field}")
    return answer


def _place(settings: ConnectorSettings, house: str) -> Path:
    places = houses(Path(settings.data))
    if house:
        places = [place for place in places if place.name == house]
    if len(places) != 1:
        raise DeskRefused("Say which institution with --house: this connector serves several, or none of that name.")
    return places[0]

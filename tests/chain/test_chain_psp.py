"""The PSP through its door, and its own steps."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from litestar.testing import AsyncTestClient
from tests.chain.played import JumpingClock, database, world

from wissel.chain.copies.actions import Drawer
from wissel.chain.psp.actions import HINTS_MAX, Psp
from wissel.chain.psp.door import psp_app
from wissel.chain.psp.store import Book
from wissel.infra.files.memory import MemoryFolder
from wissel.infra.http.ports import Request, Response, Unreachable

if TYPE_CHECKING:
    from litestar import Litestar

KEY = {"X-Api-Key": "psp-key"}
DUE = "2026-08-31"


class Played:
    """A PSP with a clock, and a merchant that may be deaf."""

    def __init__(self, folder: Path) -> None:
        self.clock = JumpingClock()
        self.heard: list[bytes] = []
        self.deaf = False
        self.store = database(folder)
        self.book = Book(self.store)
        self.psp = Psp(world(self.clock, self), self.book, "http://psp")
        drawer = Drawer(MemoryFolder(), "http://psp/copies", lambda _: None, self.clock)
        self.client: AsyncTestClient[Litestar] = AsyncTestClient(psp_app(self.psp, self.book, drawer, key="psp-key"))

    async def send(self, request: Request) -> Response:
        if self.deaf:
            raise Unreachable("Nobody listens.")
        self.heard.append(request.body)
        return Response(204, {}, b"")

    async def order(self, request: str = "request-1", **other: object) -> dict[str, object]:
        body = order(**other)
        found: dict[str, object] = (await self.client.put(f"/v1/orders/{request}", json=body, headers=KEY)).json()
        return found

    async def state(self, mandate: object) -> str:
        return str((await self.client.get(f"/v1/mandates/{mandate}", headers=KEY)).json()["state"])

    async def after(self, seconds: float) -> int:
        self.clock.jump(seconds)
        return await self.psp.step(self.clock.now())


def order(**other: object) -> dict[str, object]:
    return {
        "creditor": "Hogeschool Voorbeeld",
        "studyyear": "2026-27",
        "amount": 269_400,
        "parts": 5,
        "iban": "NL97TEST0000000176",
        "holder": "Test Everything-Fine",
        "due": DUE,
        "webhook": "http://adapter/hooks",
        **other,
    }


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Played]:
    found = Played(tmp_path)
    async with found.client:
        yield found
    found.store.close()


async def test_the_same_order_twice_is_one_mandate(played: Played) -> None:
    one = await played.client.put("/v1/orders/request-1", json=order(), headers=KEY)
    two = await played.client.put("/v1/orders/request-1", json=order(), headers=KEY)
    assert (one.status_code, two.status_code) == (201, 200)
    assert one.json() == two.json()
    assert (await played.client.get("/play/book")).json()["open"] == 1


async def test_another_order_under_the_same_request_is_refused(played: Played) -> None:
    await played.order()
    answer = await played.client.put("/v1/orders/request-1", json=order(amount=1), headers=KEY)
    assert answer.status_code == 409


async def test_the_bank_confirms_after_a_while_and_the_hint_names_no_state(played: Played) -> None:
    made = await played.order()
    assert await played.after(1) == 0
    assert await played.state(made["mandate"]) == "open"
    assert await played.after(1) == 2
    assert await played.state(made["mandate"]) == "confirmed"
    assert played.heard == [b'{"mandate":"%s"}' % str(made["mandate"]).encode()]
    assert await played.after(1000) == 0
    book = (await played.client.get("/play/book")).json()
    assert (book["confirmed"], book["cents"]) == (1, 269_400)


async def test_a_hint_that_nobody_hears_is_given_again_and_at_last_no_more(played: Played) -> None:
    played.deaf = True
    await played.order()
    tries = 0
    for _ in range(HINTS_MAX + 5):
        tries += await played.after(301)
    assert tries == HINTS_MAX + 1  # one decision, and as many hints as it gives
    assert played.heard == []


async def test_she_declines(played: Played) -> None:
    made = await played.order(holder="Test Declines-Mandate")
    await played.after(5)
    assert await played.state(made["mandate"]) == "declined"


async def test_who_pays_too_late_lets_the_order_expire_on_its_last_day(played: Played) -> None:
    made = await played.order(holder="Test Pays-Too-Late")
    await played.after(timedelta(days=138).total_seconds())
    assert await played.state(made["mandate"]) == "open"
    await played.after(timedelta(days=1).total_seconds())
    assert await played.state(made["mandate"]) == "expired"
    await played.after(timedelta(days=200).total_seconds())
    assert await played.state(made["mandate"]) == "expired"


async def test_the_payer_decides_at_her_link_and_only_she(played: Played) -> None:
    made = await played.order(holder="Test Pays-Too-Late")
    path, _, key = str(made["link"]).removeprefix("http://psp").partition("?key=")
    wrong = await played.client.post(path, json={"key": "0" * 32, "decision": "confirm"})
    assert wrong.status_code == 401
    right = await played.client.post(path, json={"key": key, "decision": "confirm"})
    assert right.json()["state"] == "confirmed"
    after = await played.client.post(path, json={"key": key, "decision": "decline"})
    assert after.status_code == 409
    assert await played.state(made["mandate"]) == "confirmed"


async def cancel(played: Played, request: str) -> dict[str, object]:
    answer = await played.client.post(f"/v1/orders/{request}/_cancel", headers=KEY)
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


async def count(played: Played) -> dict[str, int]:
    found: dict[str, int] = (await played.client.get("/play/book")).json()
    return found


ACTS = ("order", "bank", "cancel")


@pytest.mark.parametrize(
    "acts", [*permutations(ACTS), *permutations((*ACTS, "cancel")), *permutations((*ACTS, "order"))]
)
async def test_in_whatever_order_ask_answer_and_cancel_come_it_ends_cancelled(
    played: Played, acts: tuple[str, ...]
) -> None:
    for act in acts:
        if act == "order":
            await played.order()
        elif act == "bank":
            await played.after(5)
        else:
            assert (await cancel(played, "request-1"))["state"] == "cancelled"
    await played.after(5)
    assert (await played.order())["state"] == "cancelled"
    found = await count(played)
    assert (found["open"], found["confirmed"], found["cancelled"], found["cents"]) == (0, 0, 1, 0)


async def test_a_cancelled_mandate_cannot_be_confirmed_at_the_link(played: Played) -> None:
    made = await played.order(holder="Test Pays-Too-Late")
    path, _, key = str(made["link"]).removeprefix("http://psp").partition("?key=")
    await cancel(played, "request-1")
    late = await played.client.post(path, json={"key": key, "decision": "confirm"})
    assert late.status_code == 409
    assert await played.state(made["mandate"]) == "cancelled"


async def test_what_was_declined_stays_declined_and_other_orders_stay_whole(played: Played) -> None:
    await played.order("request-1", holder="Test Declines-Mandate")
    await played.order("request-2")
    await played.after(5)
    assert (await cancel(played, "request-1"))["state"] == "declined"
    found = await count(played)
    assert (found["confirmed"], found["declined"], found["cancelled"]) == (1, 1, 0)


async def test_the_merchant_is_told_of_a_cancellation_as_of_any_change(played: Played) -> None:
    made = await played.order()
    await cancel(played, "request-1")
    await played.after(0)
    assert played.heard == [b'{"mandate":"%s"}' % str(made["mandate"]).encode()]


async def test_without_its_key_nothing_is_answered(played: Played) -> None:
    made = await played.order()
    assert (await played.client.put("/v1/orders/request-9", json=order())).status_code == 401
    assert (await played.client.post("/v1/orders/request-1/_cancel")).status_code == 401
    assert (await played.client.get(f"/v1/mandates/{made['mandate']}")).status_code == 401


async def test_a_mandate_survives_a_restart(tmp_path: Path) -> None:
    first = Played(tmp_path)
    async with first.client:
        made = await first.order()
    first.store.close()
    second = Played(tmp_path)
    async with second.client:
        assert await second.state(made["mandate"]) == "open"
        assert await second.order() == made
    second.store.close()

"""IND and Nuffic through their doors."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from tests.chain.played import JumpingClock, database, world

from wissel.chain.copies.actions import Drawer
from wissel.chain.ind.actions import Ind
from wissel.chain.ind.door import ind_app
from wissel.chain.ind.store import Book as IndBook
from wissel.chain.nuffic.actions import Nuffic
from wissel.chain.nuffic.door import nuffic_app
from wissel.chain.nuffic.store import Book as NufficBook
from wissel.chain.people import People
from wissel.infra.files.memory import MemoryFolder

KEY = {"X-Api-Key": "the-key"}
Client = AsyncTestClient[Litestar]


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def drawer(clock: JumpingClock) -> Drawer:
    return Drawer(MemoryFolder(), "http://played/copies", lambda _: None, clock)


@pytest.fixture
async def ind(tmp_path: Path, clock: JumpingClock, drawer: Drawer) -> AsyncIterator[Client]:
    store = database(tmp_path)
    book = IndBook(store)
    async with AsyncTestClient(ind_app(Ind(world(clock), book), book, drawer, key="the-key")) as client:
        yield client
    store.close()


@pytest.fixture
async def nuffic(tmp_path: Path, clock: JumpingClock, drawer: Drawer) -> AsyncIterator[Client]:
    store = database(tmp_path)
    book = NufficBook(store)
    async with AsyncTestClient(nuffic_app(Nuffic(world(clock), book), book, drawer, key="the-key")) as client:
        yield client
    store.close()


def stay(ref: str, **other: str) -> dict[str, str]:
    person = People().get(ref)
    return {
        "vnumber": person.vnumber,
        "givennames": person.givennames,
        "surname": person.surname,
        "birthdate": person.birthdate,
        "nationality": person.nationality,
        "day": "2026-09-01",
        **other,
    }


def diploma(school: str = "Test School Fine") -> dict[str, object]:
    return {"diploma": "Test Certificate", "country": "BR", "language": "por", "year": 2025, "school": school}


async def test_who_has_an_eea_nationality_needs_no_permit(ind: Client) -> None:
    answer = await ind.put("/v1/residence/request-1", json=stay("everything-fine"), headers=KEY)
    assert (answer.status_code, answer.json()["result"], answer.json()["until"]) == (200, "lawful", "")


async def test_ind_looks_for_two_days_and_then_says_lawful(ind: Client, clock: JumpingClock) -> None:
    first = await ind.put("/v1/residence/request-1", json=stay("checked-residence"), headers=KEY)
    assert (first.status_code, first.json()["result"]) == (202, "pending")
    assert first.headers["retry-after"] == str(2 * 86_400)
    clock.jump(2 * 86_400)
    second = await ind.put("/v1/residence/request-1", json=stay("checked-residence"), headers=KEY)
    assert (second.status_code, second.json()["result"], second.json()["until"]) == (200, "lawful", "2031-08-31")
    assert (await ind.get("/play/book")).json() == {"questions": 1}


async def test_a_stay_that_is_not_lawful_and_a_person_whom_nobody_knows(ind: Client) -> None:
    no = await ind.put("/v1/residence/request-1", json=stay("without-residence"), headers=KEY)
    unknown = await ind.put("/v1/residence/request-2", json=stay("without-residence", surname="Nobody"), headers=KEY)
    other = stay("without-residence", vnumber="1234567890")
    wrong = await ind.put("/v1/residence/request-3", json=other, headers=KEY)
    assert [answer.json()["result"] for answer in (no, unknown, wrong)] == ["no", "unknown", "unknown"]


async def test_ind_refuses_another_question_under_the_same_id_and_a_caller_without_key(ind: Client) -> None:
    await ind.put("/v1/residence/request-1", json=stay("without-residence"), headers=KEY)
    other = stay("without-residence", day="2026-10-01")
    assert (await ind.put("/v1/residence/request-1", json=other, headers=KEY)).status_code == 409
    assert (await ind.put("/v1/residence/request-2", json=other)).status_code == 401


async def test_an_advice_takes_time_and_then_stands(nuffic: Client, clock: JumpingClock) -> None:
    first = await nuffic.put("/v1/advice/request-1", json=diploma(), headers=KEY)
    assert (first.status_code, first.json()["state"], first.headers["retry-after"]) == (202, "received", "5")
    clock.jump(5)
    given = await nuffic.get("/v1/advice/request-1", headers=KEY)
    again = await nuffic.put("/v1/advice/request-1", json=diploma(), headers=KEY)
    assert given.status_code == again.status_code == 200
    assert given.json() == again.json()
    assert (given.json()["result"], given.json()["equivalent"]) == ("equivalent", "vwo")
    assert (await nuffic.get("/play/book")).json() == {"cases": 1}


@pytest.mark.parametrize(("school", "result"), [("Test School Lower", "lower"), ("Test School Unknown", "unknown")])
async def test_the_school_steers_the_advice(nuffic: Client, clock: JumpingClock, school: str, result: str) -> None:
    await nuffic.put("/v1/advice/request-1", json=diploma(school), headers=KEY)
    clock.jump(60)
    assert (await nuffic.get("/v1/advice/request-1", headers=KEY)).json()["result"] == result


async def test_nuffic_refuses_an_unknown_case_another_diploma_and_a_caller_without_key(nuffic: Client) -> None:
    assert (await nuffic.get("/v1/advice/request-9", headers=KEY)).status_code == 404
    await nuffic.put("/v1/advice/request-1", json=diploma(), headers=KEY)
    other = await nuffic.put("/v1/advice/request-1", json=diploma("Elsewhere"), headers=KEY)
    assert other.status_code == 409
    assert (await nuffic.put("/v1/advice/request-2", json=diploma())).status_code == 401

"""DUO through its door."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from tests.chain.played import JumpingClock, database, world

from wissel.chain.copies.actions import Drawer
from wissel.chain.duo.actions import Duo
from wissel.chain.duo.door import duo_app
from wissel.chain.duo.store import Book
from wissel.chain.people import People
from wissel.infra.files.memory import MemoryFolder

KEY = {"X-Api-Key": "duo-key"}
Client = AsyncTestClient[Litestar]


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
async def duo(tmp_path: Path, clock: JumpingClock) -> AsyncIterator[Client]:
    store = database(tmp_path)
    book = Book(store)
    drawer = Drawer(MemoryFolder(), "http://duo/copies", lambda _: None, clock)
    async with AsyncTestClient(duo_app(Duo(world(clock), book), book, drawer, key="duo-key")) as client:
        yield client
    store.close()


def question(ref: str) -> dict[str, str]:
    person = People().get(ref)
    return {
        "bsn": person.bsn,
        "givennames": person.givennames,
        "surname": person.surname,
        "birthdate": person.birthdate,
    }


def delivery(ref: str, **other: str) -> dict[str, str]:
    return {
        "bsn": People().get(ref).bsn,
        "studentnumber": "S100",
        "brin": "99AA",
        "programme": "34479",
        "form": "fulltime",
        "level": "bachelor",
        "studyyear": "2026-27",
        "start": "2026-09-01",
        **other,
    }


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong"}, {"X-Api-Key": ""}])
async def test_without_its_key_nothing_is_answered(duo: Client, headers: dict[str, str]) -> None:
    answer = await duo.post("/v1/identity/_check", json=question("everything-fine"), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "chain-not-allowed"


async def test_the_brp_knows_her_as_she_says(duo: Client) -> None:
    answer = await duo.post("/v1/identity/_check", json=question("everything-fine"), headers=KEY)
    assert answer.json() == {"result": "verified", "fields": [], "educationnumber": ""}


async def test_the_brp_says_which_field_differs(duo: Client) -> None:
    answer = await duo.post("/v1/identity/_check", json=question("fails-identity"), headers=KEY)
    assert answer.json()["result"] == "differs"
    assert answer.json()["fields"] == ["birthdate"]


async def test_a_number_of_nobody_is_unknown_and_an_impossible_number_is_refused(duo: Client) -> None:
    asked = question("everything-fine")
    unknown = await duo.post("/v1/identity/_check", json={**asked, "bsn": "123456782"}, headers=KEY)
    assert unknown.json()["result"] == "unknown"
    refused = await duo.post("/v1/identity/_check", json={**asked, "bsn": "123456789"}, headers=KEY)
    assert refused.status_code == 422
    assert refused.json()["field"] == "/bsn"


async def test_who_has_no_bsn_gets_one_onderwijsnummer_for_good(duo: Client) -> None:
    asked = question("checked-residence") | {"bsn": ""}
    one = (await duo.post("/v1/identity/_check", json=asked, headers=KEY)).json()["educationnumber"]
    again = (await duo.post("/v1/identity/_check", json=asked, headers=KEY)).json()["educationnumber"]
    other = (await duo.post("/v1/identity/_check", json=asked | {"surname": "Other"}, headers=KEY)).json()
    assert len(one) == 9
    assert one == again != other["educationnumber"]
    known = await duo.post("/v1/education/_query", json={"bsn": one, "birthdate": "2006-01-01"}, headers=KEY)
    assert known.json() == {"diplomas": [], "degrees": [], "expected": []}
    body = delivery("checked-residence", bsn=one)
    assert (await duo.put("/v1/register/deliveries/delivery-1", json=body, headers=KEY)).status_code == 201


async def test_the_register_holds_her_diploma_or_nothing_or_exams_under_way(duo: Client) -> None:
    async def ask(ref: str) -> dict[str, Any]:
        person = People().get(ref)
        body = {"bsn": person.bsn, "birthdate": person.birthdate}
        found: dict[str, Any] = (await duo.post("/v1/education/_query", json=body, headers=KEY)).json()
        return found

    assert (await ask("everything-fine"))["diplomas"][0]["kind"] == "vwo"
    assert await ask("without-diploma") == {"diplomas": [], "degrees": [], "expected": []}
    assert (await ask("sitting-exams"))["expected"][0]["kind"] == "vwo"


async def test_a_delivery_counts_once_and_answers_the_same_receipt(duo: Client) -> None:
    first = await duo.put("/v1/register/deliveries/delivery-1", json=delivery("everything-fine"), headers=KEY)
    again = await duo.put("/v1/register/deliveries/delivery-1", json=delivery("everything-fine"), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (await duo.get("/play/book")).json() == {"begun": 1, "ended": 0, "enrolled": 1}


async def test_the_same_delivery_id_with_other_content_is_refused(duo: Client) -> None:
    await duo.put("/v1/register/deliveries/delivery-1", json=delivery("everything-fine"), headers=KEY)
    body = delivery("everything-fine", programme="34480")
    answer = await duo.put("/v1/register/deliveries/delivery-1", json=body, headers=KEY)
    assert answer.status_code == 409
    assert (await duo.get("/play/book")).json()["begun"] == 1


async def test_the_same_enrolment_under_another_delivery_id_is_refused(duo: Client) -> None:
    await duo.put("/v1/register/deliveries/delivery-1", json=delivery("everything-fine"), headers=KEY)
    answer = await duo.put("/v1/register/deliveries/delivery-2", json=delivery("everything-fine"), headers=KEY)
    assert answer.status_code == 409
    assert (await duo.get("/play/book")).json()["begun"] == 1


async def test_an_ending_needs_an_enrolment_that_runs(duo: Client) -> None:
    ending = delivery("everything-fine", kind="ended", end="2026-11-01")
    early = await duo.put("/v1/register/deliveries/ending-01", json=ending, headers=KEY)
    assert early.status_code == 409
    await duo.put("/v1/register/deliveries/delivery-1", json=delivery("everything-fine"), headers=KEY)
    done = await duo.put("/v1/register/deliveries/ending-01", json=ending, headers=KEY)
    assert done.status_code == 201
    assert (await duo.get("/play/book")).json() == {"begun": 1, "ended": 1, "enrolled": 0}


async def test_duo_is_down_for_a_while_for_one_learner_only(duo: Client, clock: JumpingClock) -> None:
    down = await duo.post("/v1/identity/_check", json=question("duo-down"), headers=KEY)
    assert down.status_code == 503
    assert down.headers["retry-after"] == "600"
    fine = await duo.post("/v1/identity/_check", json=question("everything-fine"), headers=KEY)
    assert fine.status_code == 200
    clock.jump(599)
    assert (await duo.post("/v1/identity/_check", json=question("duo-down"), headers=KEY)).status_code == 503
    clock.jump(1)
    up = await duo.post("/v1/identity/_check", json=question("duo-down"), headers=KEY)
    assert up.json()["result"] == "verified"


async def test_a_question_with_a_field_that_nobody_knows_is_refused_whole(duo: Client) -> None:
    answer = await duo.post("/v1/identity/_check", json=question("everything-fine") | {"shoesize": "43"}, headers=KEY)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_it_offers_stands_in_its_openapi(duo: Client) -> None:
    document = (await duo.get("/openapi/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert "/v1/register/deliveries/{delivery}" in document["paths"]

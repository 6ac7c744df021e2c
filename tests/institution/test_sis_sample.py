"""The sample SIS and financial system book each change once, whatever is said twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from wissel.infra.sql.ports import Conflict
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.institution.errors import NotDecidable
from wissel.institution.finance.store import SampleFinance
from wissel.institution.finance.words import Cancelled, Charged, Mandated
from wissel.institution.sis.store import SampleSis
from wissel.institution.sis.words import Decided, Enrolled, Known, Requested, Stopped
from wissel.messages.identity import Address, Person

PERSON = Person(
    givennames="Noor",
    surname="Voorbeeld",
    birthdate="2007-03-01",
    address=Address(street="Dorpsstraat", number="1", postcode="1234 AB", city="Ergens", country="NL"),
    nationality="NL",
    email="noor@example.org",
)


@pytest.fixture
async def sis(tmp_path: Path) -> AsyncIterator[SampleSis]:
    database = SqliteDatabase(tmp_path / "sis.sqlite")
    made = SampleSis(database)
    await made.prepare()
    yield made
    database.close()


@pytest.fixture
async def finance(tmp_path: Path) -> AsyncIterator[SampleFinance]:
    database = SqliteDatabase(tmp_path / "finance.sqlite")
    made = SampleFinance(database)
    await made.prepare()
    yield made
    database.close()


def requested(process: str) -> Requested:
    return Requested(
        id=f"m-{process}",
        process=process,
        person=PERSON,
        number="999990019",
        programme="34401",
        form="fulltime",
        studyyear="2026-27",
        start="2026-09-01",
    )


async def test_an_enrolment_is_booked_once_whatever_is_said_twice(sis: SampleSis) -> None:
    changes = [
        requested("p1"),
        Known(id="k1", process="p1", field="identity", value="verified"),
        Decided(id="d1", process="p1", what="admission", decision="admitted", ground="", role="rule"),
        Enrolled(id="e1", process="p1"),
    ]
    for change in [*changes, *changes]:
        await sis.book(change)
    counts = await sis.counts()
    assert (counts["students"], counts["registrations"], counts["decisions"]) == (1, 1, 1)
    assert (counts["enrolled"], counts["twice"]) == (1, 0)
    registration = await sis.registration("p1")
    assert registration is not None
    assert (registration.status, registration.student) == ("enrolled", "1000001")


async def test_student_numbers_follow_each_other(sis: SampleSis) -> None:
    for process in ("p1", "p2"):
        await sis.book(requested(process))
        await sis.book(Enrolled(id=f"e-{process}", process=process))
    second = await sis.registration("p2")
    assert second is not None
    assert second.student == "1000002"


async def test_a_change_that_does_not_fit_is_refused_and_nothing_of_it_is_booked(sis: SampleSis) -> None:
    with pytest.raises(Conflict):
        await sis.book(Enrolled(id="e1", process="nobody"))
    assert (await sis.counts())["changes"] == 0


async def test_a_withdrawn_request_is_no_student(sis: SampleSis) -> None:
    await sis.book(requested("p1"))
    await sis.book(Stopped(id="s1", process="p1", status="withdrawn"))
    registration = await sis.registration("p1")
    assert registration is not None
    assert (registration.status, registration.student) == ("withdrawn", "")
    assert await sis.registration("p2") is None
    assert await sis.check() == ""


def admission(decision: str, process: str = "p1") -> Decided:
    return Decided(id=f"d-{decision}", process=process, what="admission", decision=decision, ground="", role="board")


@pytest.mark.parametrize("status", ["withdrawn", "cancelled"])
async def test_a_decision_that_comes_after_a_withdrawal_revives_nothing(sis: SampleSis, status: str) -> None:
    await sis.book(requested("p1"))
    await sis.book(Stopped(id="s1", process="p1", status=status))
    await sis.book(admission("admitted"))
    registration = await sis.registration("p1")
    assert registration is not None
    assert registration.status == status
    assert (await sis.counts())["decisions"] == 1, "that it was decided stands"


async def test_an_unknown_decision_is_refused_and_nothing_of_it_is_booked(sis: SampleSis) -> None:
    await sis.book(requested("p1"))
    with pytest.raises(NotDecidable, match="admitted, conditional, refused"):
        await sis.book(admission("maybe"))
    registration = await sis.registration("p1")
    assert registration is not None
    assert registration.status == "requested"
    assert (await sis.counts())["decisions"] == 0


async def test_a_fee_and_its_mandate_are_booked_once(finance: SampleFinance) -> None:
    charged = Charged(id="f1", process="p1", amount_cents=269_500, basis="statutory", studyyear="2026-27")
    mandated = Mandated(id="m1", process="p1", result="confirmed", reference="MNDT-1", amount_cents=269_500, parts=5)
    for change in (charged, charged, mandated, mandated):
        await finance.book(change)
    account = await finance.account("p1")
    assert account is not None
    assert (account.amount_cents, account.mandate, account.cancelled) == (269_500, "MNDT-1", False)
    assert await finance.counts() == {"accounts": 1, "mandates": 1, "changes": 2}
    await finance.book(Cancelled(id="c1", process="p1"))
    cancelled = await finance.account("p1")
    assert cancelled is not None
    assert cancelled.cancelled


async def test_a_fee_that_is_stated_anew_replaces_the_one_before_whole(finance: SampleFinance) -> None:
    await finance.book(Charged(id="f1", process="p1", amount_cents=1, basis="statutory", studyyear="2026-27"))
    await finance.book(Charged(id="f2", process="p1", amount_cents=2, basis="institutional", studyyear="2027-28"))
    account = await finance.account("p1")
    assert account is not None
    assert (account.amount_cents, account.basis, account.studyyear) == (2, "institutional", "2027-28")


async def test_a_declined_mandate_is_no_mandate(finance: SampleFinance) -> None:
    await finance.book(Mandated(id="m1", process="p1", result="declined", reference="", amount_cents=1, parts=1))
    assert (await finance.counts())["mandates"] == 0

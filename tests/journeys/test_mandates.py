"""A request that ends while its mandate is asked, confirmed or on its way: the PSP's book shows it cancelled."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.journeys.nation import Nation, nation

from wissel.assembly.demo import play
from wissel.infra.http.ports import Request
from wissel.messages.verify import read_trust, verify

CANCELLED = "nl.wissel.mandate.cancelled.v1"
CONFIRMED = "nl.wissel.mandate.confirmed.v1"


async def psp_book(here: Nation) -> dict[str, int]:
    """Return what the PSP counts."""
    answer = await here.network.send(Request("GET", f"{here.scene.address('psp')}/play/book"))
    found: dict[str, int] = msgspec.json.decode(answer.body)
    return found


async def until_psp(here: Nation, state: str) -> None:
    """Let time pass until the PSP has a mandate in that state."""
    for _ in range(200):
        if (await psp_book(here))[state]:
            return
        await here.round()
        await here.clock.sleep(0.5)
    raise AssertionError(f"the PSP's book never came to {state}: {await psp_book(here)}")


async def refuse(here: Nation, process: str) -> None:
    """Let the institution refuse her, once it knows of her."""
    body = {
        "process": process,
        "decision": "refused",
        "role": "admission board",
        "ground": "conduct",
        "text": "The board gives its reasons in the letter.",
    }
    await here.desk("noord", "/admissions", body)


def types_in(here: Nation, owner: str) -> list[str]:
    """Return the types of the copies in a vault."""
    return [copy["envelope"]["type"] for copy in here.copies(owner)]


async def enrolling(here: Nation, ref: str) -> tuple[play.Learner, str]:
    """Let a learner ask to enrol."""
    learner = await here.learner(ref)
    return learner, await here.enrol(learner)


async def test_a_refusal_cancels_a_confirmed_mandate_and_the_process_is_forgotten(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        _, process = await enrolling(here, "without-diploma")
        await until_psp(here, "confirmed")
        await refuse(here, process)
        await here.until("process.forgotten", process)
        book = await psp_book(here)
        assert (book["cancelled"], book["confirmed"], book["open"], book["cents"]) == (1, 0, 0, 0)
        (hers,) = [copy for copy in here.copies("learners/without-diploma") if copy["envelope"]["type"] == CANCELLED]
        assert "receipt" in hers
        assert verify(msgspec.json.encode(hers), read_trust((here.scene.data / "trust.json").read_bytes())).ok


async def test_a_refusal_does_not_wait_for_a_payer_who_has_not_decided(tmp_path: Path) -> None:
    """Her bank says yes two hundred days later; the order is cancelled within the minute, and nobody hears of it."""
    async with nation(tmp_path / "data") as here:
        _, process = await enrolling(here, "pays-too-late")
        await until_psp(here, "open")
        await refuse(here, process)
        await here.until("process.forgotten", process, rounds=800)
        assert (await psp_book(here))["cancelled"] == 1
        types = types_in(here, "learners/pays-too-late")
        assert types.count(CANCELLED) == 1
        assert CONFIRMED not in types
        await here.pass_days(2)
        assert (await psp_book(here))["cancelled"] == 1


async def test_a_cancellation_that_finds_the_psp_away_arrives_when_it_is_back(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        _, process = await enrolling(here, "without-diploma")
        here.network.down.add(here.scene.address("psp"))
        await here.settle(20)
        await refuse(here, process)
        await here.settle(20)
        assert not any(event == "process.settled" and said["process"] == process for event, said in here.log.said), (
            "it settles only with the PSP's receipt"
        )
        here.network.down.clear()
        await here.until("process.forgotten", process, rounds=1500)
        book = await psp_book(here)
        assert (book["cancelled"], book["confirmed"], book["open"]) == (1, 0, 0)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
async def test_an_answer_that_crosses_the_cancellation_books_nothing(tmp_path: Path, seconds: float) -> None:
    """The bank confirms two seconds after the order: before, while and after the institution refuses."""
    async with nation(tmp_path / "data") as here:
        _, process = await enrolling(here, "without-diploma")
        await until_psp(here, "open")
        for _ in range(int(seconds * 2)):
            await here.round()
            await here.clock.sleep(0.5)
        await refuse(here, process)
        await here.until("process.forgotten", process, rounds=800)
        book = await psp_book(here)
        assert (book["cancelled"], book["confirmed"], book["open"]) == (1, 0, 0)
        found: Any = await here.desk("noord", "")
        assert not [task for task in found["tasks"] if task["what"] == "refused"]

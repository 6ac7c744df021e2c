"""A hold, months after the platform has forgotten: kept past its end, in the log, and in the learner's vault."""

from pathlib import Path
from typing import Any

import msgspec
from tests.journeys.nation import Nation, nation
from tests.journeys.test_afterwards import registered

from wissel.infra.sql.sqlite import SqliteReader
from wissel.messages.envelope import LEARNER
from wissel.messages.show import as_text
from wissel.messages.verify import canonical, read_trust, verify

PLACED, ENDED = "nl.wissel.hold.placed.v1", "nl.wissel.hold.ended.v1"
NOORD, HERS = "institutions/noord", "learners/everything-fine"


def of_type(here: Nation, owner: str, kind: str) -> list[dict[str, Any]]:
    """Return the copies of one type in a vault, each verified."""
    trust = read_trust((here.scene.data / "trust.json").read_bytes())
    found = [copy for copy in here.copies(owner) if copy["envelope"]["type"] == kind]
    assert all(verify(canonical(copy), trust).ok for copy in found)
    return found


def files(here: Nation) -> set[str]:
    """Return the commitments of what lies in the institution's vault."""
    return {file.stem for file in (here.scene.data / NOORD / "vault").iterdir()}


async def leaves(here: Nation, event: str) -> list[dict[str, Any]]:
    """Return what the log says of one kind of event, in order."""
    reader = SqliteReader(here.scene.data / "platform" / "wissel.sqlite")
    try:
        rows = await reader.fetch("SELECT entry FROM log_entries ORDER BY log, idx")
    finally:
        reader.close()
    entries = [msgspec.json.decode(row[0]) for row in rows if isinstance(row[0], bytes)]
    return [entry for entry in entries if entry["event"] == event]


async def desk_says(here: Nation, told: str) -> dict[str, Any]:
    """Wait until the desk says what became of the word about its one hold."""
    found: dict[str, Any] = {}
    for _ in range(60):
        await here.settle(2)
        (found,) = (await here.desk("noord", ""))["holds"]
        if found["told"] == told:
            return found
    raise AssertionError(found)


async def untold(here: Nation) -> list[dict[str, Any]]:
    """Return the tasks that say that the learner could not be told."""
    return [task for task in (await here.desk("noord", ""))["tasks"] if task["what"] == "untold"]


async def test_a_hold_keeps_messages_past_their_end_and_the_learner_has_it_in_her_vault(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        _, process = await registered(here, "everything-fine")
        await here.pass_days(91, rounds=2)
        before = files(here)
        body = {"process": process, "role": "controller", "ground": "audit", "until": "2028-06-30"}
        await here.desk("noord", "/holds", body)
        hold = await desk_says(here, "told")
        assert (hold["copies"], hold["since"], hold["until"]) == (len(before), "2026-07-15", "2028-06-30")

        (hers,) = of_type(here, HERS, PLACED)
        (theirs,) = of_type(here, NOORD, PLACED)
        assert "receipt" in hers
        assert hers["payload"] == theirs["payload"]
        assert set(hers["payload"]["held"]) == before
        assert "Berichten worden langer bewaard" in as_text(canonical(hers))
        assert "controle door een accountant" in as_text(canonical(hers))
        assert "financial control" in as_text(canonical(hers), "en")
        known = await leaves(here, "hold.placed")
        assert {leaf["commitment"] for leaf in known} == before
        said = {(leaf["holder"], leaf["role"], leaf["ground"], leaf["until"], leaf["message"]) for leaf in known}
        envelope = hers["envelope"]
        assert said == {(envelope["source"], "controller", "audit", "2028-06-30", envelope["id"])}

        await here.pass_days(460, rounds=1)  # 18 October 2027: what the request led to is past its end date
        assert here.clock.now().date().isoformat() > max(
            copy["envelope"]["enddate"] for copy in here.copies(NOORD) if "gate" in copy["envelope"]["type"]
        )
        assert before <= files(here)
        await here.desk("noord", "/holds/_end", {k: body[k] for k in ("process", "ground")} | {"role": "archivist"})
        for _ in range(40):
            await here.settle(3)
            if of_type(here, NOORD, ENDED):
                break
        await here.settle(70)  # it looks once a minute
        (ended,) = of_type(here, NOORD, ENDED)
        assert "undelivered" in ended, "her capability ended with the request"
        assert {leaf["commitment"] for leaf in await leaves(here, "hold.ended")} == before
        assert {leaf["role"] for leaf in await leaves(here, "hold.ended")} == {"archivist"}
        (task,) = await untold(here)
        assert "no delivery capability" in task["text"]
        left = {copy["envelope"]["type"] for copy in here.copies(NOORD)}
        assert "nl.wissel.enrolment.requested.v1" not in left
        assert "nl.wissel.enrolment.confirmed.v1" in left, "its own end date has not come"


async def test_a_hold_is_extended_and_ended_by_named_roles_and_she_hears_each_time(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        _, process = await registered(here, "everything-fine")
        await here.pass_days(91, rounds=2)
        hold = {"process": process, "ground": "objection"}
        await here.desk("noord", "/holds", {**hold, "role": "objections", "until": "2026-10-01"})
        await desk_says(here, "told")
        await here.pass_days(30, rounds=1)
        await here.desk("noord", "/holds", {**hold, "role": "lawyer", "until": "2027-07-15"})
        extended = await desk_says(here, "told")
        assert (extended["role"], extended["since"], extended["until"]) == ("lawyer", "2026-07-15", "2027-07-15")
        await here.desk("noord", "/holds/_end", {**hold, "role": "objections"})
        for _ in range(40):
            await here.settle(2)
            if of_type(here, HERS, ENDED):
                break
        placed, (ended,) = of_type(here, HERS, PLACED), of_type(here, HERS, ENDED)
        assert sorted(copy["payload"]["until"] for copy in placed) == ["2026-10-01", "2027-07-15"]
        assert ended["payload"]["role"] == "objections"
        subjects = {copy["envelope"]["subject"] for copy in (*placed, ended)}
        assert len(subjects) == 3, "each is a process of its own, with a subject of its own"
        assert all(subject.startswith(LEARNER) for subject in subjects)
        assert (await here.desk("noord", ""))["holds"] == []
        assert await untold(here) == []


async def test_a_hold_stands_in_the_log_though_she_revoked_the_way_to_reach_her(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner, process = await registered(here, "everything-fine")
        for grant in await learner.owner.grants():
            if grant.kind == "capability":
                await learner.owner.revoke(grant.id)
        body = {"process": process, "role": "objections", "ground": "objection", "until": "2026-10-01"}
        await here.desk("noord", "/holds", body)
        hold = await desk_says(here, "withdrawn")
        assert len(await leaves(here, "hold.placed")) == hold["copies"]
        (task,) = await untold(here)
        assert task["process"] == process
        await here.desk("noord", "/holds", {**body, "until": "2026-11-01"})  # not by the revoked way again
        await desk_says(here, "no delivery capability")
        assert {leaf["until"] for leaf in await leaves(here, "hold.placed")} == {"2026-10-01", "2026-11-01"}
        assert len(await untold(here)) == 1
        assert of_type(here, HERS, PLACED) == []
        await here.settle(10)
        for copy in of_type(here, NOORD, PLACED):
            forgotten = [
                said for event, said in here.log.said
                if event == "process.forgotten" and said["process"] == copy["envelope"]["process"]
            ]  # fmt: skip
            assert len(forgotten) == 1


async def test_a_hold_while_her_process_still_runs_reaches_her_too(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner = await here.learner("without-diploma")
        process = await here.enrol(learner)
        for _ in range(100):
            await here.settle(1)
            if files(here):
                break
        body = {"process": process, "role": "privacyofficer", "ground": "claim", "until": "2026-06-01"}
        await here.desk("noord", "/holds", body)
        await desk_says(here, "told")
        (hers,) = of_type(here, "learners/without-diploma", PLACED)
        assert set(hers["payload"]["held"]) <= files(here)
        assert not any(event == "process.decided" and said["process"] == process for event, said in here.log.said)

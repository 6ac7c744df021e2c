"""What still works when a process is forgotten: the delivery capability, its revocation, and an objection."""

from pathlib import Path

from tests.journeys.nation import Nation, nation

from wissel.assembly.demo import play
from wissel.infra.http.ports import Request
from wissel.institution.samples import urn

NOTICE = "nl.wissel.notice.sent.v1"


async def registered(here: Nation, ref: str) -> tuple[play.Learner, str]:
    """Let a learner enrol until the platform has forgotten it."""
    learner = await here.learner(ref)
    process = await here.enrol(learner)
    await here.until("process.forgotten", process)
    return learner, process


def notices(here: Nation, owner: str) -> list[dict[str, object]]:
    """Return the notices in a vault."""
    return [copy for copy in here.copies(owner) if copy["envelope"]["type"] == NOTICE]


async def write_later(here: Nation, process: str) -> None:
    """Let the institution write to her, and wait until its copy is home."""
    await here.desk("noord", "/notices", {"process": process, "title": "Your first day", "text": "Welcome."})
    for _ in range(60):
        await here.settle(2)
        if notices(here, "institutions/noord"):
            return


async def test_three_months_after_forgetting_a_message_reaches_her_by_its_capability(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        _, process = await registered(here, "everything-fine")
        await here.pass_days(91, rounds=2)
        await write_later(here, process)
        (hers,) = notices(here, "learners/everything-fine")
        (theirs,) = notices(here, "institutions/noord")
        assert hers["payload"] == theirs["payload"] == {"title": "Your first day", "text": "Welcome."}
        assert "receipt" in theirs


async def test_a_revoked_capability_answers_withdrawn(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner, process = await registered(here, "everything-fine")
        for grant in await learner.owner.grants():
            if grant.kind == "capability":
                await learner.owner.revoke(grant.id)
        await write_later(here, process)
        (theirs,) = notices(here, "institutions/noord")
        assert "undelivered" in theirs
        assert "payload" not in theirs
        assert not notices(here, "learners/everything-fine")
        assert any(said.get("outcome") == "undelivered" for event, said in here.log.said if event == "message.ended")


async def test_an_objection_starts_from_the_copies_four_weeks_after_forgetting(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner, _ = await registered(here, "everything-fine")
        await here.pass_days(28, rounds=2)
        copies = await learner.owner.copies()
        decision = next(
            copy["envelope"]["id"]
            for copy in here.copies("learners/everything-fine")
            if copy["envelope"]["type"] == "nl.wissel.admission.decided.v1"
        )
        body = {
            "learner": learner.ref,
            "institution": urn("99XA"),
            "decision": decision,
            "text": "I object to this decision.",
            "afschriften": [copies[0].id],
        }
        begun = await play.call(here.network, "POST", f"{here.scene.address('portal')}/play/objections", body)
        await here.until("process.forgotten", begun["process"])
        (hers,) = [
            copy
            for copy in here.copies("learners/everything-fine")
            if copy["envelope"]["type"] == "nl.wissel.objection.received.v1"
        ]
        assert hers["envelope"]["process"] == begun["process"]
        assert "receipt" in hers


async def test_days_that_pass_are_destroyed_whole_and_their_canaries_are_dead(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        await registered(here, "everything-fine")
        await here.pass_days(40, rounds=6)
        answer = await here.network.send(Request("GET", f"{here.scene.address('platform')}/v1/health/ready"))
        assert answer.status == 204, answer.body
        days = sorted(path.name for path in (here.scene.data / "platform" / "keys").rglob("*2026-05-15*"))
        assert days == []

"""Whole enrolments through every owner's real code, in one process."""

from pathlib import Path

from tests.journeys.nation import nation

from wissel.messages.verify import open_copy, parse_json, read_trust, verify


async def test_everything_fine_ends_with_the_proof_of_enrolment_in_both_vaults(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner = await here.learner("everything-fine")
        process = await here.enrol(learner)
        await here.until("process.forgotten", process)
        hers = {copy["envelope"]["type"] for copy in here.copies("learners/everything-fine")}
        theirs = {copy["envelope"]["type"] for copy in here.copies("institutions/noord")}
        assert "nl.wissel.enrolment.confirmed.v1" in hers & theirs
        trust = read_trust((here.scene.data / "trust.json").read_bytes())
        for place in ("learners/everything-fine", "institutions/noord"):
            jwk = parse_json((here.scene.data / place / "keys" / "seal.json").read_bytes())
            for file in (here.scene.data / place / "vault").iterdir():
                verdict = verify(open_copy(file.read_bytes(), jwk), trust)
                assert verdict.ok, verdict
                assert verdict.witnessed


async def test_a_refusal_by_a_named_role_ends_rejected_with_a_ground_and_a_way_to_object(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner = await here.learner("without-diploma")
        process = await here.enrol(learner)
        for _ in range(100):
            await here.round()
            await here.clock.sleep(0.5)
            if (await here.desk("noord", ""))["tasks"]:
                break
        body = {
            "process": process,
            "decision": "refused",
            "role": "admission board",
            "ground": "education",
            "text": "No diploma that gives access was shown.",
        }
        await here.desk("noord", "/admissions", body)
        await here.until("process.forgotten", process)
        (decided,) = [
            copy for copy in here.copies("learners/without-diploma") if copy["envelope"]["type"].endswith("decided.v1")
        ]
        assert decided["payload"]["decision"] == "refused"
        assert decided["payload"]["ground"] == "education"
        assert decided["payload"]["objection"]["until"] > "2026-05"
        ends = [said["label"] for event, said in here.log.said if event == "process.moved"]
        assert any("refus" in label for label in ends), ends


async def test_an_institution_that_is_pushed_to_gets_the_same_enrolment(tmp_path: Path) -> None:
    async with nation(tmp_path / "data", pushed=("noord",)) as here:
        learner = await here.learner("everything-fine")
        process = await here.enrol(learner)
        await here.until("process.forgotten", process)
        types = {copy["envelope"]["type"] for copy in here.copies("institutions/noord")}
        assert "nl.wissel.enrolment.confirmed.v1" in types
        urn = next(card.urn for card in here.scene.cards if card.endpoints.push)
        pulls = [said for _, said in here.log.said if said.get("route") == "/v1/mailbox" and said["caller"] == urn]
        assert pulls == []


async def test_an_institution_that_was_away_gets_everything_once_when_it_is_back(tmp_path: Path) -> None:
    async with nation(tmp_path / "data", pushed=("noord",)) as here:
        learner = await here.learner("everything-fine")
        here.network.down.add(here.scene.address("noord"))
        process = await here.enrol(learner)
        await here.settle(40)
        assert here.copies("institutions/noord") == []
        here.network.down.clear()
        await here.until("process.forgotten", process, rounds=1500)
        ids = [copy["envelope"]["id"] for copy in here.copies("institutions/noord")]
        assert len(ids) == len(set(ids))
        types = {copy["envelope"]["type"] for copy in here.copies("institutions/noord")}
        assert "nl.wissel.enrolment.confirmed.v1" in types

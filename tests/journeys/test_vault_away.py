"""An institution's vault that is away for weeks, while days pass and are destroyed, still gets what is its own."""

from pathlib import Path

from tests.journeys.nation import nation

from wissel.infra.sql.sqlite import SqliteReader
from wissel.institution.samples import urn


async def test_copies_wait_for_a_vault_that_is_away_for_three_weeks(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner = await here.learner("everything-fine")
        here.network.down.add(here.scene.address("noord"))  # it still pulls; nobody reaches it
        process = await here.enrol(learner)
        await here.until("process.settled", process)
        assert here.copies("institutions/noord") == []
        envelopes = [copy["envelope"] for copy in here.copies("learners/everything-fine")]
        shared = {each["id"] for each in envelopes if urn("99XA") in (each["source"], each["recipient"])}
        reader = SqliteReader(here.scene.data / "platform" / "wissel.sqlite")
        keys = "SELECT class, day FROM data_keys WHERE process = ?"
        assert await reader.fetch(keys, (process,)) == [("parcel", "2026-05-15")]
        await here.pass_days(21, rounds=4)
        here.network.down.clear()
        await here.pass_days(2, rounds=4)
        theirs = {copy["envelope"]["id"] for copy in here.copies("institutions/noord")}
        assert theirs == shared
        assert any(event == "process.forgotten" and said["process"] == process for event, said in here.log.said)
        assert await reader.fetch(keys, (process,)) == []
        reader.close()

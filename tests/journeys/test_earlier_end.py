"""A question that nobody answers ends on its own day, readable for nobody, while the enrolment goes on."""

from datetime import timedelta
from pathlib import Path

from tests.journeys.nation import nation

from wissel.core.moments import dutch_day
from wissel.infra.http.ports import Request
from wissel.infra.sql.sqlite import SqliteReader

ASKED = "nl.wissel.identity.asked.v1"


async def test_a_question_to_a_partner_that_is_away_dies_after_its_thirty_days(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        keys = here.scene.data / "platform" / "keys" / "days"
        last = dutch_day(here.clock.now()) + timedelta(days=30)
        here.network.down.add(here.scene.address("duo"))
        learner = await here.learner("everything-fine")
        process = await here.enrol(learner)
        await here.settle(10)
        reader = SqliteReader(here.scene.data / "platform" / "wissel.sqlite")
        own = "SELECT DISTINCT class FROM data_keys WHERE day = ? AND scope <> '' ORDER BY class"
        assert await reader.fetch(own, (last.isoformat(),)) == [("number",), ("post",)]
        await here.pass_days(33, rounds=6)
        ended = [said for event, said in here.log.said if event == "message.ended" and said["type"] == ASKED]
        assert [said["outcome"] for said in ended] == ["undelivered"]
        assert await reader.fetch(own, (last.isoformat(),)) == []
        assert not list(keys.glob(f"{last}.*")), "its day is destroyed"
        reader.close()
        assert not any(event == "copies.heldover" for event, _ in here.log.said), "the copies were made in time"
        assert not any(event == "process.forgotten" and said["process"] == process for event, said in here.log.said)
        ready = await here.network.send(Request("GET", f"{here.scene.address('platform')}/v1/health/ready"))
        assert ready.status == 204, ready.body

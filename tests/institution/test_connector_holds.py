"""Holds at the desk: who, why and until when; what is kept, what is said, and whether the learner could be told."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.institution.connector_scene import NOW, Scene
from tests.institution.test_connector_copies import vault_of

from wissel.core.academic import study_year
from wissel.infra.http.ports import Response
from wissel.messages.envelope import Submission
from wissel.messages.holds import HOLD_GROUNDS, HoldEnded, HoldGround, HoldPlaced, latest

HOLD = {"role": "objections", "ground": "objection", "until": "2027-04-15"}


async def with_copies(scene: Scene) -> list[str]:
    """Let a request come in, and its two answers come home; return their commitments."""
    await scene.hear(scene.request())
    copies = [scene.copy_of(one) for one in scene.platform.accepted]
    await scene.deliver(*copies)
    return sorted(commitment for commitment, _ in copies)


async def place(scene: Scene, **changes: str) -> Response:
    """Place a hold at the desk and let the connector work."""
    answer = await scene.staff("POST", "/holds", {"process": scene.process, **HOLD, **changes})
    await scene.work()
    return answer


async def holds_of(scene: Scene) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((await scene.staff("GET", "")).body)["holds"]
    return found


async def untold(scene: Scene) -> list[tuple[str, str]]:
    tasks = json.loads((await scene.staff("GET", "")).body)["tasks"]
    return [(task["process"], task["about"]) for task in tasks if task["what"] == "untold"]


async def test_a_copy_ends_with_its_message_unless_a_role_holds_it(scene: Scene) -> None:
    await with_copies(scene)
    ends = scene.built.steps["noord.ends"]
    last = study_year("2027-28").last  # past every end date of what was said in April 2026
    assert await ends(NOW + timedelta(days=100)) == 0
    assert (await place(scene, role="archivist", ground="archive", until="2029-01-01")).status == 204
    assert await ends(NOW.replace(year=last.year, month=last.month)) == 0
    assert len(vault_of(scene)) == 2
    assert await ends(NOW.replace(year=2030)) == 2
    assert vault_of(scene) == []
    listed = json.loads((await scene.staff("GET", "")).body)
    assert (listed["cases"], listed["holds"]) == ([], [])


async def test_the_word_of_a_hold_goes_by_her_capability_and_names_every_copy(scene: Scene) -> None:
    held = await with_copies(scene)
    assert (await place(scene)).status == 204
    (said,) = scene.platform.said("hold.placed")
    assert said.capability == "cap.jwe"
    assert said.envelope.process != scene.process
    data = msgspec.json.decode(said.data, type=HoldPlaced)
    assert (data.role, data.ground, data.since, data.until) == ("objections", "objection", "2026-04-15", "2027-04-15")
    assert sorted(data.held) == held
    (hold,) = await holds_of(scene)
    assert (hold["copies"], hold["told"]) == (2, "")
    await scene.deliver(scene.copy_of(said))
    (hold,) = await holds_of(scene)
    assert hold["told"] == "told"
    assert await untold(scene) == []


@pytest.mark.parametrize("ground", HOLD_GROUNDS)
async def test_a_hold_lasts_at_most_as_long_as_its_ground_allows(scene: Scene, ground: HoldGround) -> None:
    await with_copies(scene)
    last = date(2026, 4, 15) + timedelta(days=HOLD_GROUNDS[ground].days)
    over = await place(scene, ground=ground, until=(last + timedelta(days=1)).isoformat())
    assert (over.status, json.loads(over.body)["field"]) == (422, "until")
    assert HOLD_GROUNDS[ground].article in json.loads(over.body)["detail"]
    assert (await place(scene, ground=ground, until=last.isoformat())).status == 204
    assert len(scene.platform.said("hold.placed")) == 1


async def test_an_extension_counts_from_the_day_the_hold_was_placed(scene: Scene) -> None:
    await with_copies(scene)
    await place(scene, until="2026-06-01")
    scene.clock.at = NOW + timedelta(days=30)
    assert (await place(scene, until="2027-04-16")).status == 422, "a year from the first day, not from today"
    assert (await place(scene, role="lawyer", until="2027-04-15")).status == 204
    (hold,) = await holds_of(scene)
    assert (hold["role"], hold["since"], hold["until"]) == ("lawyer", "2026-04-15", "2027-04-15")


async def test_two_grounds_are_two_holds_and_each_ends_by_itself(scene: Scene) -> None:
    await with_copies(scene)
    await place(scene)
    await place(scene, role="controller", ground="audit", until="2030-01-01")
    over = {"process": scene.process, "role": "objections", "ground": "objection"}
    assert (await scene.staff("POST", "/holds/_end", over)).status == 204
    await scene.work()
    assert [hold["ground"] for hold in await holds_of(scene)] == ["audit"]
    (said,) = scene.platform.said("hold.ended")
    assert msgspec.json.decode(said.data, type=HoldEnded).ground == "objection"
    assert (await scene.staff("POST", "/holds/_end", over)).status == 404, "it ended already"
    assert await scene.built.steps["noord.ends"](NOW.replace(year=2029)) == 0


async def test_when_a_hold_is_ended_what_is_past_its_end_date_goes(scene: Scene) -> None:
    await with_copies(scene)
    await place(scene, ground="audit", role="controller", until="2030-01-01")
    scene.clock.at = NOW.replace(year=2029)
    ends = scene.built.steps["noord.ends"]
    assert await ends(scene.clock.at) == 0
    await scene.staff("POST", "/holds/_end", {"process": scene.process, "role": "archivist", "ground": "audit"})
    assert await ends(scene.clock.at + timedelta(minutes=2)) == 2


async def test_a_hold_without_a_capability_goes_to_nobody_and_the_desk_says_so(scene: Scene) -> None:
    await with_copies(scene)
    await place(scene, ground="audit", role="controller", until="2029-01-01")
    scene.clock.at = NOW.replace(year=2027, month=11)  # the capability ended with the request
    await scene.built.steps["noord.ends"](scene.clock.at)
    await place(scene, ground="audit", role="controller", until="2030-01-01")
    _, said = scene.platform.said("hold.placed")
    assert (said.capability, said.envelope.grant) == ("", "none")
    await scene.deliver(scene.copy_of(said, delivered=False, why="no delivery capability"))
    assert [hold["told"] for hold in await holds_of(scene)] == ["no delivery capability"]
    assert await untold(scene) == [(scene.process, "audit")]


async def test_a_capability_that_was_withdrawn_is_not_used_for_the_next_hold(scene: Scene) -> None:
    await with_copies(scene)
    await place(scene)
    (first,) = scene.platform.said("hold.placed")
    await scene.deliver(scene.copy_of(first, delivered=False, why="withdrawn"))
    assert [hold["told"] for hold in await holds_of(scene)] == ["withdrawn"]
    assert await untold(scene) == [(scene.process, "objection")]
    await place(scene, until="2026-12-31")
    assert await untold(scene) == [], "the word of the new end date is on its way"
    assert [one.capability for one in scene.platform.said("hold.placed")] == ["cap.jwe", ""]


async def test_a_hold_whose_capability_the_platform_refuses_is_said_without_it(scene: Scene) -> None:
    def refuse(submission: Submission) -> Response | None:
        body = msgspec.json.encode({"code": "not-granted", "detail": "d", "status": 403, "type": "t", "title": "t"})
        return Response(403, {"content-type": "application/problem+json"}, body) if submission.capability else None

    await with_copies(scene)
    scene.platform.refuse = refuse
    await place(scene)
    (said,) = scene.platform.said("hold.placed")
    assert (said.capability, said.envelope.grant, said.envelope.sequence) == ("", "none", "1")
    listed = json.loads((await scene.staff("GET", "")).body)
    assert not [task for task in listed["tasks"] if task["what"] == "refused"]
    assert [state for _, kind, state, _ in listed["outgoing"] if "hold" in kind] == ["acknowledged"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"until": "2026-04-15"}, 422),
        ({"until": "soon"}, 422),
        ({"role": "J. Jansen"}, 400),
        ({"ground": "convenience"}, 400),
        ({"process": "none"}, 404),
    ],
)
async def test_a_hold_names_a_role_a_ground_and_a_day(scene: Scene, wrong: dict[str, str], status: int) -> None:
    await with_copies(scene)
    assert (await place(scene, **wrong)).status == status
    assert scene.platform.said("hold.placed") == []
    assert await holds_of(scene) == []


async def test_a_hold_and_its_word_survive_a_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    await scene.open()
    await with_copies(scene)
    scene.platform.away = True
    await scene.staff("POST", "/holds", {"process": scene.process, **HOLD})
    scene.close()
    scene.platform.away = False
    await scene.open()
    await scene.work()
    assert len(scene.platform.said("hold.placed")) == 1
    assert [hold["ground"] for hold in await holds_of(scene)] == ["objection"]
    scene.close()


def test_the_payload_itself_holds_the_end_date_to_the_ground() -> None:
    since = date(2026, 4, 15)
    for until in (since, latest("objection", since) + timedelta(days=1)):
        raw = {"ground": "objection", "role": "board", "since": "2026-04-15", "until": until.isoformat()}
        with pytest.raises(msgspec.ValidationError, match="until"):
            msgspec.convert({**raw, "held": ["A" * 43]}, HoldPlaced)

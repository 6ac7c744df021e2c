import shutil
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.platform.forgetting.forgetting_scene import OTHER, PROCESS, TODAY, Chance, Died, Faults, Scene, Turned

from wissel.core.moments import end_of
from wissel.infra.sql.sqlite import back_up
from wissel.platform.forgetting import rules
from wissel.platform.forgetting.actions.days import operator_continue
from wissel.platform.forgetting.actions.inspection import inspect
from wissel.platform.forgetting.errors import ForgettingError, KeyGone

OVER = end_of(TODAY) + rules.GRACE
DAY = timedelta(days=1)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    scene = await Scene.open(tmp_path / "platform", demo=False)
    yield scene
    scene.close()


async def kept_days(scene: Scene, count: int) -> list[date]:
    days = [TODAY + number * DAY for number in range(count)]
    for day in days:
        await scene.keep("motivation", scope=day.isoformat(), day=day)
    await scene.keys.step(scene.clock.at)
    return days


async def continue_through(scene: Scene, day: date) -> None:
    await operator_continue(scene.database, scene.clock.read, day, scene.clock.at, Chance())


async def test_a_day_that_is_over_on_two_clocks_is_destroyed_with_all_on_it(scene: Scene) -> None:
    key = await scene.keep("motivation")
    later = await scene.keep("motivation", process=OTHER, day=TODAY + DAY)
    await scene.keys.step(scene.clock.at)
    scene.clock.at = OVER - timedelta(seconds=1)
    assert await scene.pass_day() == 0
    scene.clock.at = OVER
    assert await scene.pass_day() == 1
    with pytest.raises(KeyGone):
        scene.keys.unwrap(key.row)
    scene.keys.unwrap(later.row)  # lives
    assert await scene.rows() == []
    assert await scene.events() == ["day.due", "day.destroyed", "canary.dead"]
    report = await inspect(scene.store, scene.database, scene.clock.at)
    assert (report.passed, report.canaries, report.watch.state) == (TODAY, {"alive": 1, "dead": 1}, "quiet")


async def test_a_key_that_was_read_a_moment_ago_dies_with_its_day(scene: Scene) -> None:
    key = await scene.keep("motivation")
    await scene.keys.step(scene.clock.at)
    scene.clock.at = OVER
    scene.keys.unwrap(key.row)
    assert await scene.pass_day() == 1
    with pytest.raises(KeyGone):
        scene.keys.unwrap(key.row)


async def test_a_wrong_database_clock_erases_nothing_and_stops_for_an_operator(scene: Scene) -> None:
    (day,) = await kept_days(scene, 1)
    scene.witness = Turned()
    scene.clock.at = OVER
    assert await scene.days.step(scene.clock.at) == 0
    scene.witness.at += timedelta(seconds=70)
    scene.clock.at += timedelta(seconds=70)
    assert await scene.pass_day() == 0
    assert (await scene.days.watch()).state == "clocks-differ"
    assert await scene.events() == ["day.due", "clock.differs"]
    scene.witness.at = scene.clock.at  # even when the clocks agree again, somebody must look
    assert await scene.pass_day() == 0
    assert scene.store.days() == [day]


async def test_a_day_that_waits_an_hour_for_witnesses_is_told_once_an_hour_and_shown(scene: Scene) -> None:
    (day,) = await kept_days(scene, 1)
    scene.witness = Turned()  # the last that a quorum signed is of yesterday, and nothing new comes
    scene.clock.at = OVER

    async def passed(minutes: int) -> tuple[int, str]:
        for _ in range(minutes):
            scene.clock.at += timedelta(minutes=1)
            await scene.days.step(scene.clock.at)
        return len(scene.log.lines), (await inspect(scene.store, scene.database, scene.clock.at)).alarm

    await scene.days.step(scene.clock.at)
    assert await passed(59) == (0, "")
    assert await passed(1) == (1, "witnesses-missing")
    assert scene.log.lines == [{"event": "days.waiting", "day": day.isoformat(), "code": "witnesses-missing"}]
    assert await passed(60) == (2, "witnesses-missing")
    scene.witness = scene.clock
    assert await scene.pass_day() == 1
    assert await passed(61) == (2, "")


async def test_that_it_stopped_for_an_operator_is_told_too(scene: Scene) -> None:
    days = await kept_days(scene, 2)
    scene.clock.at = OVER + DAY
    await scene.pass_day()
    assert scene.log.lines == [{"event": "days.waiting", "day": days[0].isoformat(), "code": "days-behind"}]
    assert (await inspect(scene.store, scene.database, scene.clock.at)).alarm == "days-behind"


async def test_an_operator_lets_a_stopped_day_go(scene: Scene) -> None:
    (day,) = await kept_days(scene, 1)
    scene.witness = Turned(OVER + DAY)
    scene.clock.at = OVER
    await scene.days.step(scene.clock.at)
    scene.clock.at += timedelta(minutes=1)
    await scene.days.step(scene.clock.at)
    await continue_through(scene, day)
    assert await scene.pass_day() == 1
    assert scene.store.days() == []
    assert "days.continued" in await scene.events()


async def test_more_than_one_day_stops_and_goes_on_one_per_run_through_the_named_day(scene: Scene) -> None:
    days = await kept_days(scene, 4)
    scene.clock.at = OVER + 3 * DAY
    assert await scene.pass_day() == 0
    assert (await scene.days.watch()).state == "days-behind"
    await continue_through(scene, days[1])
    alive = []
    for _ in range(2):
        assert await scene.days.step(scene.clock.at) == 1
        alive.append(scene.store.days())
    assert alive == [days[1:], days[2:]]
    assert await scene.pass_day() == 0
    assert (await scene.days.watch()).state == "days-behind"
    await continue_through(scene, days[3])
    assert await scene.pass_day() == 2
    assert (await scene.days.watch()).state == "quiet"


async def test_an_operator_can_continue_only_what_stopped_and_is_over(scene: Scene) -> None:
    days = await kept_days(scene, 3)
    with pytest.raises(ForgettingError):
        await continue_through(scene, days[0])
    scene.clock.at = OVER + DAY
    await scene.days.step(scene.clock.at)
    with pytest.raises(ForgettingError):
        await continue_through(scene, days[2])


async def test_a_demo_jumps_a_month_in_steps_of_24_hours(tmp_path: Path) -> None:
    scene = await Scene.open(tmp_path / "platform", demo=True)
    scene.clock.at = scene.clock.at.replace(month=3, day=15)
    for number in range(30):
        day = date(2026, 3, 15) + number * DAY
        await scene.keep("motivation", scope=day.isoformat(), day=day)
    ended = 0
    for _ in range(35):
        await scene.keys.step(scene.clock.at)
        ended += await scene.pass_day()
        scene.clock.at += timedelta(hours=24)
    assert ended == 30
    assert "clock.differs" not in await scene.events()
    scene.close()


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", ["commit.before", "commit.after", "day.marked", "day.key.destroyed"])
async def test_a_crash_while_a_day_ends_leads_to_the_same_end(tmp_path: Path, point: str, nth: int) -> None:
    faults = Faults()
    scene = await Scene.open(tmp_path / "platform", crash=faults)
    key = await scene.keep("motivation")
    await scene.keys.step(scene.clock.at)
    scene.clock.at = OVER
    await scene.days.step(scene.clock.at)
    died = False
    for _ in range(nth if point.startswith("commit") else 1):
        faults.at = point
        try:
            await scene.days.step(scene.clock.at)
        except Died:
            died = True
            scene.close()
            scene = await Scene.open(scene.folder, clock=scene.clock, crash=faults)
    assert died
    faults.at = ""
    await scene.pass_day()
    with pytest.raises(KeyGone):
        scene.keys.unwrap(key.row)
    events = await scene.events()
    assert (events.count("day.destroyed"), scene.store.days()) == (1, [])
    scene.close()


async def test_a_canary_that_still_opens_is_an_alarm_and_is_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = await kept_days(scene, 2)
    scene.clock.at = OVER
    with monkeypatch.context() as patch:
        patch.setattr(scene.store, "destroy_day", lambda day: None)
        assert await scene.pass_day() == 0
    assert (await inspect(scene.store, scene.database, scene.clock.at)).canaries == {"alive": 1, "failed": 1}
    assert (await scene.events()).count("canary.failed") == 1
    assert await scene.pass_day() == 1
    assert scene.store.days() == days[1:]


async def test_a_restored_older_database_brings_no_day_back(scene: Scene, tmp_path: Path) -> None:
    key = await scene.keep("motivation")
    await scene.keys.step(scene.clock.at)
    back_up(scene.folder / "wissel.sqlite", tmp_path / "last-night.sqlite")
    scene.clock.at = OVER
    assert await scene.pass_day() == 1
    scene.close()
    for name in ("wissel.sqlite-wal", "wissel.sqlite-shm"):
        (scene.folder / name).unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "last-night.sqlite", scene.folder / "wissel.sqlite")
    again = await Scene.open(scene.folder, clock=scene.clock, demo=False)
    await again.keys.check()  # the day rightly passed: nothing is lost
    assert [row.slot for row in await again.rows()] == [key.row.slot]
    with pytest.raises(KeyGone):
        again.keys.unwrap(key.row)
    assert await again.pass_day() == 1  # the restored rows end too, with their leaf
    assert await again.rows(PROCESS) == []
    assert await again.events() == ["day.destroyed", "canary.dead"]
    again.close()

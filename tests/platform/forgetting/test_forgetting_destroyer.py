from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.platform.forgetting.forgetting_scene import OTHER, PROCESS, TODAY, Died, Faults, Scene

from wissel.infra.sql.ports import Conflict
from wissel.platform.forgetting.actions.inspection import inspect, oldest_readable
from wissel.platform.forgetting.errors import KeyGone, KeyStoreDamaged
from wissel.platform.forgetting.shred import order_destroy, order_destroy_class
from wissel.platform.forgetting.words import KeyName


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    scene = await Scene.open(tmp_path / "platform")
    yield scene
    scene.close()


async def test_an_ordered_key_is_dead_after_one_step_and_its_leaf_is_written(scene: Scene) -> None:
    key = await scene.keep("motivation")
    other = await scene.keep("motivation", process=OTHER)
    await scene.database.commit(order_destroy([key.row], "settled", scene.clock.at))
    assert await scene.destroyer.step(scene.clock.at) == 1
    with pytest.raises(KeyGone):
        scene.keys.unwrap(key.row)
    scene.keys.unwrap(other.row)  # lives
    (leaf,) = await scene.leaves()
    assert b'"key.destroyed"' in leaf
    assert b'"class":"post"' in leaf
    assert await scene.destroyer.step(scene.clock.at) == 0


async def test_a_class_is_ordered_without_reading_its_keys_first(scene: Scene) -> None:
    for scope in ("", "m1", "m2"):
        await scene.keep("number", cls="number", scope=scope)
    await scene.keep("state", cls="memory")
    await scene.database.commit(order_destroy_class(PROCESS, ["number", "post"], "settled", scene.clock.at))
    assert await scene.destroyer.step(scene.clock.at) == 3
    assert set(await scene.keys.load([PROCESS])) == {KeyName(PROCESS, "memory")}
    (leaf,) = await scene.leaves()
    assert b'"count":3' in leaf


async def test_nothing_to_order_is_no_statement() -> None:
    assert order_destroy([], "settled", Scene.__init__) == []  # type: ignore[arg-type]  # the moment is not used


async def test_a_key_is_ordered_destroyed_once(scene: Scene) -> None:
    key = await scene.keep("motivation")
    await scene.database.commit(order_destroy([key.row], "settled", scene.clock.at))
    with pytest.raises(Conflict):
        await scene.database.commit(order_destroy([key.row], "ended", scene.clock.at))
    await scene.destroyer.step(scene.clock.at)
    assert await scene.events() == ["key.destroyed"]


@pytest.mark.parametrize("point", ["slots.zeroing", "slots.zeroed", "commit.before", "commit.after"])
async def test_a_crash_anywhere_leads_to_the_same_end(scene: Scene, point: str) -> None:
    faults = Faults()
    scene.close()
    scene = await Scene.open(scene.folder, clock=scene.clock, crash=faults)
    key = await scene.keep("motivation")
    await scene.database.commit(order_destroy([key.row], "settled", scene.clock.at))
    faults.at = point
    with pytest.raises(Died):
        await scene.destroyer.step(scene.clock.at)
    scene.close()
    scene = await Scene.open(scene.folder, clock=scene.clock)
    await scene.destroyer.step(scene.clock.at)
    with pytest.raises(KeyGone):
        scene.keys.unwrap(key.row)
    assert await scene.events() == ["key.destroyed"]
    assert (await inspect(scene.store, scene.database, scene.clock.at)).orders == 0
    scene.close()


async def test_a_disk_that_fails_keeps_the_order_and_holds_up_no_other_day(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await scene.keep("motivation")
    later = await scene.keep("motivation", process=OTHER, day=TODAY.replace(day=20))
    await scene.database.commit(order_destroy([key.row, later.row], "settled", scene.clock.at))
    zero = scene.store.zero

    def failing(day: object, numbers: object) -> None:
        if day == TODAY:
            raise KeyStoreDamaged("read back as something else")
        zero(day, numbers)  # type: ignore[arg-type]  # passed on as it is

    with monkeypatch.context() as patch:
        patch.setattr(scene.store, "zero", failing)
        assert await scene.destroyer.step(scene.clock.at) == 1
    assert "1 slots of day 2026-04-15" in scene.destroyer.failure
    assert (await inspect(scene.store, scene.database, scene.clock.at)).orders == 1
    assert await scene.events() == ["key.destroyed"]
    assert await scene.destroyer.step(scene.clock.at) == 1
    assert scene.destroyer.failure == ""
    with pytest.raises(KeyGone):
        scene.keys.unwrap(key.row)


async def test_an_order_for_a_day_that_is_gone_is_carried_out_already(scene: Scene) -> None:
    key = await scene.keep("motivation")
    await scene.database.commit(order_destroy([key.row], "settled", scene.clock.at))
    scene.store.destroy_day(TODAY)
    assert await scene.destroyer.step(scene.clock.at) == 1
    assert await scene.events() == ["key.destroyed"]


async def test_the_oldest_readable_datum_counts_orders_until_their_slot_is_zero(scene: Scene) -> None:
    assert await oldest_readable(scene.store, scene.database) is None
    first = scene.clock.at
    key = await scene.keep("motivation")
    await scene.clock.sleep(3600)
    await scene.keep("motivation", process=OTHER)
    assert await oldest_readable(scene.store, scene.database) == first
    await scene.database.commit(order_destroy([key.row], "settled", scene.clock.at))
    assert await oldest_readable(scene.store, scene.database) == first
    await scene.destroyer.step(scene.clock.at)
    assert await oldest_readable(scene.store, scene.database) == scene.clock.at


async def test_the_metric_passes_over_rows_whose_slot_is_zero(scene: Scene) -> None:
    keys = [await scene.keep("x", scope=str(number)) for number in range(3)]
    await scene.clock.sleep(60)
    later = scene.clock.at
    await scene.keep("x", process=OTHER, day=TODAY.replace(day=20))
    scene.store.zero(TODAY, [key.row.slot for key in keys])  # as after a restore of older data
    assert await oldest_readable(scene.store, scene.database) == later


async def test_a_report_counts_what_is_alive(scene: Scene) -> None:
    key = await scene.keep("motivation")
    await scene.keep("motivation", process=OTHER)
    await scene.keys.step(scene.clock.at)
    await scene.database.commit(order_destroy([key.row], "settled", scene.clock.at))
    report = await inspect(scene.store, scene.database, scene.clock.at)
    shown = ({"day": TODAY.isoformat(), "slots": {"made": 64, "zeroed": 0}, "keys": 1},)
    assert msgspec.to_builtins(report.days) == shown, "an operator reads names, not places"
    assert (report.orders, report.oldest_order, report.canaries) == (1, scene.clock.at, {"alive": 1})
    await scene.destroyer.step(scene.clock.at)
    report = await inspect(scene.store, scene.database, scene.clock.at)
    assert report.days[0].slots.zeroed == 1
    assert (report.orders, report.oldest_order, report.demo) == (0, None, True)

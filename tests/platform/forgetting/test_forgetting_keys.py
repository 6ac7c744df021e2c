import shutil
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.platform.forgetting.forgetting_scene import OTHER, PROCESS, TODAY, Chance, Scene

from wissel.core.ids import partition_of
from wissel.core.moments import end_of
from wissel.infra.sql.ports import Conflict, Statement
from wissel.platform.forgetting.errors import DayPassed, KeyGone, KeyStoreLost, Loss, SealBroken
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.words import KeyClass, KeyName

PARTITION = partition_of(PROCESS)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    scene = await Scene.open(tmp_path / "platform")
    yield scene
    scene.close()


async def test_what_is_sealed_opens_after_a_restart(scene: Scene) -> None:
    key = await scene.keep("motivation")
    sealed = key.seal(b"again", place(PROCESS, "m", "post"))
    scene.close()
    again = await Scene.open(scene.folder, clock=scene.clock)
    ring = await again.keys.load([PROCESS])
    assert ring[KeyName(PROCESS, "post")].open(sealed, place(PROCESS, "m", "post")) == b"again"
    again.close()


async def test_what_is_sealed_opens_only_in_its_own_place(scene: Scene) -> None:
    key = await scene.keep("motivation")
    sealed = key.seal(b"text", place(PROCESS, "m", "post"))
    for wrong in (place(PROCESS, "n", "post"), place(OTHER, "m", "post"), place(PROCESS, "m", "memory")):
        with pytest.raises(SealBroken):
            key.open(sealed, wrong)
    for broken in (b"", sealed[:20], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(SealBroken):
            key.open(broken, place(PROCESS, "m", "post"))


async def test_a_key_shows_its_secret_in_no_repr(scene: Scene) -> None:
    key = await scene.keep("motivation")
    assert "wrapped" not in repr(key)
    assert "wrapped" not in repr(key.row)


async def test_two_seals_of_the_same_text_differ(scene: Scene) -> None:
    key = await scene.keep("motivation")
    where = place(PROCESS, "m", "post")
    assert key.seal(b"same", where) != key.seal(b"same", where)


async def test_each_class_and_each_message_of_its_own_has_its_own_key(scene: Scene) -> None:
    classes: list[KeyClass] = ["memory", "post", "parcel", "number", "special"]
    for cls in classes:
        await scene.keep("x", cls=cls)
    await scene.keep("x", cls="number", scope="message-1")
    await scene.keep("x", process=OTHER)
    ring = await scene.keys.load([PROCESS, OTHER])
    assert set(ring) == {
        *(KeyName(PROCESS, cls) for cls in classes),
        KeyName(PROCESS, "number", "message-1"),
        KeyName(OTHER, "post"),
    }
    slots = {(key.row.day, key.row.slot) for key in ring.values()}
    assert len(slots) == len(ring)


async def test_one_query_loads_the_keys_of_a_thousand_processes(scene: Scene) -> None:
    processes = [f"{number:08x}-2222-8333-8444-555555555555" for number in range(1000)]
    minted = [scene.keys.mint(process, partition_of(process), "post", "", TODAY) for process in processes]
    await scene.database.commit([one.statement for one in minted])
    fetched = []
    fetch = scene.database.fetch

    async def counted(sql: str, args: object = ()) -> object:
        fetched.append(sql)
        return await fetch(sql, args)  # type: ignore[arg-type]  # passed on as it is

    scene.database.fetch = counted  # type: ignore[method-assign, assignment]  # to count
    assert len(await scene.keys.load(processes)) == 1000
    assert len(fetched) == 1


async def test_no_processes_need_no_query(scene: Scene) -> None:
    assert await scene.keys.load([]) == {}


async def test_the_same_key_twice_is_a_conflict_and_the_first_stands(scene: Scene) -> None:
    first = await scene.keep("motivation")
    with pytest.raises(Conflict):
        await scene.keep("motivation")
    assert [row.slot for row in await scene.rows()] == [first.row.slot]


async def test_a_dead_key_raises_when_asked_for_and_not_before(scene: Scene) -> None:
    key = await scene.keep("motivation")
    await scene.keep("state", cls="memory")
    scene.keys.evict(key.row.day, [key.row.slot])
    scene.store.zero(TODAY, [key.row.slot])
    ring = await scene.keys.load([PROCESS])
    assert KeyName(PROCESS, "post") not in ring
    assert KeyName(PROCESS, "memory") in ring
    with pytest.raises(KeyGone):
        ring[KeyName(PROCESS, "post")]


async def test_an_unwrapped_key_is_remembered_for_60_seconds_and_no_longer(scene: Scene) -> None:
    key = await scene.keep("motivation")
    scene.store.zero(TODAY, [key.row.slot])  # behind the back of the cache
    scene.clock.at += timedelta(seconds=59)
    scene.keys.unwrap(key.row)
    scene.clock.at += timedelta(seconds=1)
    with pytest.raises(KeyGone):
        scene.keys.unwrap(key.row)


async def test_a_step_drops_keys_older_than_60_seconds_from_memory(scene: Scene) -> None:
    await scene.keep("motivation")
    scene.clock.at += timedelta(seconds=61)
    await scene.keys.step(scene.clock.at)
    assert not scene.keys._cache


async def test_a_remembered_key_serves_no_other_row(scene: Scene) -> None:
    key = await scene.keep("motivation")
    other = await scene.keep("state", cls="memory")
    await scene.database.commit([Statement("UPDATE data_keys SET slot = ? WHERE class = 'memory'", [(key.row.slot,)])])
    row = next(row for row in await scene.rows() if row.cls == "memory")
    assert row.slot != other.row.slot
    with pytest.raises(KeyGone):
        scene.keys.unwrap(row)


async def test_nothing_is_minted_for_a_day_that_has_ended_in_amsterdam(scene: Scene) -> None:
    scene.clock.at = end_of(TODAY) - timedelta(milliseconds=1)
    scene.keys.mint(PROCESS, PARTITION, "post", "", TODAY)
    scene.clock.at = end_of(TODAY)
    with pytest.raises(DayPassed):
        scene.keys.mint(PROCESS, PARTITION, "post", "", TODAY)


async def test_nothing_is_minted_more_than_ten_years_ahead(scene: Scene) -> None:
    scene.keys.mint(PROCESS, PARTITION, "post", "", TODAY + timedelta(days=3660))
    with pytest.raises(DayPassed):
        scene.keys.mint(PROCESS, PARTITION, "post", "", date(9999, 1, 1))


async def test_slots_are_made_in_growing_blocks_and_refilled_by_a_step(scene: Scene) -> None:
    reserved = []
    reserve = scene.store.reserve

    def counted(day: date, count: int) -> object:
        reserved.append(count)
        return reserve(day, count)

    scene.store.reserve = counted  # type: ignore[method-assign, assignment]  # to count
    for number in range(300):
        scene.keys.mint(PROCESS, PARTITION, "post", str(number), TODAY)
        if number % 20 == 0:
            await scene.keys.step(scene.clock.at)
    assert reserved == [64, 128, 256]


async def test_each_day_gets_a_canary_that_its_key_opens(scene: Scene) -> None:
    await scene.keep("motivation")
    await scene.keep("motivation", process=OTHER, day=TODAY + timedelta(days=3))
    await scene.keys.step(scene.clock.at)
    await scene.keys.check()
    rows = await scene.database.fetch("SELECT day, state FROM canaries ORDER BY day")
    assert rows == [("2026-04-15", "alive"), ("2026-04-18", "alive")]


async def test_a_canary_that_a_crash_left_out_is_made_at_the_next_start(scene: Scene) -> None:
    await scene.keep("motivation")
    scene.close()
    again = await Scene.open(scene.folder, clock=scene.clock)
    assert await again.keys.step(scene.clock.at) == 1
    assert await again.database.fetch("SELECT COUNT(*) FROM canaries") == [(1,)]
    again.close()


async def test_a_moved_key_reads_what_it_sealed_and_its_old_slot_dies(scene: Scene) -> None:
    key = await scene.keep("motivation")
    where = place(PROCESS, "m", "post")
    sealed = key.seal(b"text", where)
    moved = scene.keys.move(key.row, TODAY + timedelta(days=30), scene.clock.at)
    await scene.database.commit(moved.statements)
    assert await scene.destroyer.step(scene.clock.at) == 1
    assert scene.store.count(TODAY).zeroed == 1
    row = (await scene.rows())[0]
    assert row.day == "2026-05-15"
    assert scene.keys.unwrap(row).open(sealed, where) == b"text"
    with pytest.raises(KeyGone):
        scene.keys.unwrap(key.row)
    assert await scene.events() == []  # the key lives on


async def test_a_key_that_was_moved_or_ended_meanwhile_cannot_be_moved(scene: Scene) -> None:
    key = await scene.keep("motivation")
    first = scene.keys.move(key.row, TODAY + timedelta(days=1), scene.clock.at)
    second = scene.keys.move(key.row, TODAY + timedelta(days=2), scene.clock.at)
    await scene.database.commit(first.statements)
    with pytest.raises(Conflict):
        await scene.database.commit(second.statements)
    assert (await scene.rows())[0].day == "2026-04-16"


async def test_a_derived_key_is_the_same_all_day_and_dies_with_it(scene: Scene) -> None:
    one = scene.keys.derived(TODAY, "index")
    assert scene.keys.derived(TODAY, "index") == one
    assert scene.keys.derived(TODAY, "hosts") != one
    scene.clock.at = end_of(TODAY)
    scene.keys.evict_day(TODAY)
    scene.store.destroy_day(TODAY)
    with pytest.raises(DayPassed):
        scene.keys.derived(TODAY, "index")


async def lost(scene: Scene, *, damage: str) -> Scene:
    """Let a process wait for its receiver, damage the key store, and start again."""
    await scene.keep("motivation", day=TODAY + timedelta(days=9))
    await scene.keys.step(scene.clock.at)
    mail = (PARTITION, PROCESS, "urn:nld:oin:00000000000000000001:systeem:sis", 1, "s", "m", 0, 0, 0)
    sql = "INSERT INTO mail (partition, process, receiver, position, source, id, attempts, due_ms, end_ms) VALUES "
    await scene.database.commit([Statement(f"{sql} (?, ?, ?, ?, ?, ?, ?, ?, ?)", [mail])])
    scene.close()
    keys = scene.folder / "keys"
    match damage:
        case "emptied":
            shutil.rmtree(keys)
        case "day missing":
            (keys / "days" / "2026-04-24.key").unlink()
        case "slots missing":
            (keys / "days" / "2026-04-24.slots").unlink()
        case "another's":
            (keys / "days" / "2026-04-24.key").write_bytes(bytes(range(32)))
    return await Scene.open(scene.folder, clock=scene.clock)


@pytest.mark.parametrize("damage", ["emptied", "day missing", "slots missing", "another's"])
async def test_a_lost_key_store_is_found_out_and_nothing_is_accepted(scene: Scene, damage: str) -> None:
    again = await lost(scene, damage=damage)
    with pytest.raises(KeyStoreLost) as found:
        await again.keys.check()
    assert found.value.days == ("2026-04-24",)
    assert found.value.lost == (Loss(PROCESS, "urn:nld:oin:00000000000000000001:systeem:sis"),)
    with pytest.raises(KeyStoreLost):
        again.keys.mint(OTHER, partition_of(OTHER), "post", "", TODAY + timedelta(days=1))
    again.close()


async def test_after_an_operator_wrote_a_loss_off_the_platform_accepts_again(scene: Scene) -> None:
    again = await lost(scene, damage="emptied")
    with pytest.raises(KeyStoreLost):
        await again.keys.check()
    assert await again.keys.write_off(again.clock.at) == 1
    assert again.keys.lost is None
    assert await again.rows() == []
    assert await again.events() == ["day.destroyed"]
    await again.keep("again", process=OTHER)
    again.close()


async def test_a_day_that_vanishes_under_a_running_platform_is_noticed(scene: Scene) -> None:
    await scene.keep("motivation")
    shutil.rmtree(scene.folder / "keys" / "days")
    (scene.folder / "keys" / "days").mkdir()
    with pytest.raises(KeyStoreLost):
        await scene.keys.step(scene.clock.at)
    assert scene.keys.lost is not None
    with pytest.raises(KeyStoreLost):
        scene.keys.mint(OTHER, 1, "post", "", TODAY)


async def test_a_key_store_that_only_passed_days_is_not_lost(scene: Scene) -> None:
    await scene.keep("motivation")
    await scene.keys.step(scene.clock.at)
    scene.store.destroy_day(TODAY)
    scene.close()
    again = await Scene.open(scene.folder, clock=scene.clock)
    await again.keys.check()
    again.close()


async def test_a_new_platform_has_nothing_to_lose(scene: Scene) -> None:
    await scene.keys.check()
    assert scene.keys.lost is None


async def test_a_source_of_chance_is_drawn_from_for_every_key(scene: Scene) -> None:
    drawn = []

    class Counted(Chance):
        def draw(self, count: int) -> bytes:
            drawn.append(count)
            return super().draw(count)

    scene.keys._entropy = Counted()
    scene.keys.mint(PROCESS, PARTITION, "post", "", TODAY)
    assert 44 in drawn

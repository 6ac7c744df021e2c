"""What ends by itself: the last day of a process, and rows that nothing opens any more. None of it stops the others."""

from datetime import timedelta
from typing import Any

import msgspec
from tests.journeys.parties import PORTAL, SCHOOL, World
from tests.platform.exchange.posts import answer, objection, work

from wissel.assembly.switch import Switchboard
from wissel.infra.sql.ports import Statement
from wissel.platform.exchange.copies import Copies
from wissel.platform.exchange.lifecycle import Lifecycle
from wissel.platform.forgetting.actions.destroyer import Destroyer

DAY = 86_400


async def leaves(world: World) -> list[dict[str, Any]]:
    """Return every entry that waits or was logged, in order."""
    rows = await world.database.fetch("SELECT entry FROM log_entries ORDER BY log, idx")
    rows += await world.database.fetch("SELECT entry FROM pending_leaves ORDER BY at_ms")
    return [msgspec.json.decode(row[0]) for row in rows if isinstance(row[0], bytes)]


async def count(world: World, table: str) -> int:
    """Return how many rows a table has."""
    rows = await world.database.fetch(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - a closed list
    return int(str(rows[0][0]))


async def send(world: World, text: str, days: int = 1) -> str:
    """Send an objection that ends in so many days; return its process."""
    end = (world.clock.now() + timedelta(days=days)).date()
    body = objection(world, text, enddate=end)
    await Switchboard(world.platform.desk).accept(PORTAL, body)
    return str(msgspec.json.decode(body)["envelope"]["process"])


async def destroy_orders(world: World) -> None:
    """Carry out what was ordered destroyed."""
    platform = world.platform
    await Destroyer(platform.keystore, world.database, platform.keys, world.entropy).step(world.clock.now())


async def break_keys(world: World, process: str) -> None:
    """Let the keys of one process be gone, as when their day died."""
    await world.database.commit([Statement("DELETE FROM data_keys WHERE process = ?", [(process,)])])


async def test_a_process_that_still_runs_when_its_last_day_has_passed_is_ended_and_forgotten(world: World) -> None:
    process = await send(world, "nobody ever decides", days=1)
    before = await world.platform.keys.load([process])
    assert any(name.cls == "memory" for name in before)
    await world.clock.sleep(2 * DAY)
    await Lifecycle(world.platform.desk).step(world.clock.now())
    told = await leaves(world)
    assert [leaf["outcome"] for leaf in told if leaf["event"] == "process.decided"] == ["ENDED"]
    assert [leaf["outcome"] for leaf in told if leaf["event"] == "message.undelivered"] == ["undelivered"]
    assert (await count(world, "timers"), await count(world, "events"), await count(world, "setaside")) == (0, 0, 0)
    await destroy_orders(world)
    destroyed = [leaf for leaf in await leaves(world) if leaf["event"] == "key.destroyed"]
    assert [(leaf["class"], leaf["reason"]) for leaf in destroyed] == [("memory", "ended")]
    await work(world, 4)
    await world.clock.sleep(11)
    await work(world, 4)
    assert len([request for request in world.sent if request.url.endswith("/copies")]) == 2, "both parties know"
    assert (await count(world, "processes"), await count(world, "messages"), await count(world, "data_keys")) == (
        0,
        0,
        0,
    )


async def test_a_process_that_was_set_aside_also_ends_with_its_last_day(world: World) -> None:
    process = await send(world, "broken", days=1)
    aside = "INSERT INTO setaside (partition, process, code, at_ms) SELECT partition, process, 'x', 1 FROM processes"
    await world.database.commit([Statement(aside)])
    await work(world)
    assert await count(world, "events") == 1, "it waits for an operator"
    await world.clock.sleep(2 * DAY)
    await work(world, 4)
    await world.clock.sleep(11)
    await work(world, 4)
    assert await count(world, "processes") == 0, process


async def test_before_its_end_nothing_of_a_process_is_touched(world: World) -> None:
    await send(world, "patience", days=3)
    await work(world)
    await world.clock.sleep(DAY)
    assert await Lifecycle(world.platform.desk).step(world.clock.now()) == 0
    assert await world.database.fetch("SELECT life FROM processes") == [("running",)]


async def test_one_message_whose_key_is_gone_does_not_keep_another_from_ending(world: World) -> None:
    poisoned = await send(world, "poisoned", days=1)
    await send(world, "whole", days=1)
    await work(world)
    await break_keys(world, poisoned)
    await world.clock.sleep(2 * DAY - 7 * 3600)
    await Lifecycle(world.platform.desk).step(world.clock.now())
    assert await count(world, "mail") == 1, "the whole one has ended; the other waits until its day is surely dead"
    await world.clock.sleep(DAY)
    for _ in range(4):
        await work(world, 2)
        await world.clock.sleep(301)
    assert (await count(world, "mail"), await count(world, "messages"), await count(world, "processes")) == (0, 0, 0)
    given_up = [leaf["process"] for leaf in await leaves(world) if leaf["event"] == "copy.givenup"]
    assert poisoned in given_up, "the log is told that there is no copy"


async def test_one_message_that_cannot_be_copied_holds_up_no_other(world: World) -> None:
    board = Switchboard(world.platform.desk)
    poisoned = await send(world, "poisoned", days=30)
    await send(world, "whole", days=30)
    await work(world)
    for offered in await board.offered(SCHOOL, 10):
        assert not (await answer(world, offered)).code
    await break_keys(world, poisoned)
    copies = Copies(world.platform.desk, world.platform.audit, 0)
    await work(world, 1)
    assert await copies.step(world.clock.now()) == 0, "the poisoned one is held over, not tried again at once"
    rows = await world.database.fetch("SELECT process, stage FROM messages")
    assert rows == [(poisoned, "ended")], "the whole one is copied and let go"

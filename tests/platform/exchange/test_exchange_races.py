"""What comes second where commits run side by side, as on PostgreSQL, changes nothing: it is a conflict."""

import pytest
from tests.journeys.parties import PORTAL, SCHOOL, World
from tests.platform.exchange.posts import drafted

from wissel.assembly.switch import Switchboard
from wissel.core.moments import to_ms
from wissel.infra.sql.ports import Conflict
from wissel.platform.exchange import ending, rows
from wissel.platform.forgetting.store import keys_of, order_class
from wissel.platform.store import messages
from wissel.platform.store.words import MessageRow, Where


async def taken(world: World) -> MessageRow:
    """Return a message of which nobody decided yet."""
    made = drafted(world)
    await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(made))
    (found,) = await world.database.fetch("SELECT partition, process FROM messages")
    (row,) = await messages.taken(world.database, Where(int(str(found[0])), str(found[1])))
    return row


async def test_what_was_ended_meanwhile_is_not_posted_and_blocks_no_lane(world: World) -> None:
    row, now = await taken(world), world.clock.now()
    posted = messages.post(rows.mail(row, SCHOOL, 1, to_ms(now)))
    keys = await world.platform.keys.load([row.process])
    await world.database.commit(ending.end_taken(world.platform.desk, row, keys, now))
    with pytest.raises(Conflict):
        await world.database.commit(posted)
    assert await messages.count(world.database, "mail") == 0


async def test_a_key_without_an_order_is_not_dropped(world: World) -> None:
    row, now = await taken(world), world.clock.now()
    order, drop = order_class(row.partition, row.process, "post", "settled", to_ms(now))
    await world.database.commit([order])
    late = world.platform.keys.mint(row.process, row.partition, "post", "a file", now.date())
    await world.database.commit([late.statement])
    await world.database.commit([drop])
    assert [key.scope for key in await keys_of(world.database, [row.process]) if key.cls == "post"] == ["a file"]

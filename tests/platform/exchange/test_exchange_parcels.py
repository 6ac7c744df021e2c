"""Copies that wait for a vault that is away: for so many days after settling, whatever day their key had before."""

from datetime import date, timedelta
from typing import Any

import msgspec
from tests.journeys.parties import PORTAL, SCHOOL, World
from tests.platform.exchange.posts import answer, drafted, work

from wissel.assembly.switch import Switchboard
from wissel.core.moments import dutch_day, to_ms
from wissel.infra.http.ports import Response
from wissel.messages.verify import open_jwe
from wissel.platform.forgetting.errors import KeyGone
from wissel.platform.forgetting.words import KeyRow

DAY = 86_400
AWAY = Response(503, {}, b"")


async def begun(world: World, **more: Any) -> str:
    """Let her object while her vault is away; return the process."""
    world.answers["vaults.test"] = AWAY
    made = drafted(world, "MARKER", **more)
    await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(made))
    await work(world, 2)
    return made.envelope.process


async def settled(world: World) -> str:
    """Let the school answer, so that only her copy is left."""
    process = await begun(world)
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 10)
    assert not (await answer(world, offered)).code
    await work(world, 3)
    assert await world.database.fetch("SELECT life FROM processes") == [("settled",)]
    return process


async def parcel_key(world: World, process: str) -> KeyRow:
    """Return the one key that is left of a process."""
    (row,) = await world.platform.keys.rows([process])
    assert row.cls == "parcel"
    return row


async def pass_days(world: World, days: int) -> None:
    """Let days pass; the platform does what is due in each."""
    for _ in range(days):
        await world.clock.sleep(DAY)
        await work(world, 2)


def alive(world: World, row: KeyRow) -> bool:
    """Tell whether the slot of a key is there."""
    try:
        return bool(world.platform.keystore.slot(row.end_day, row.slot))
    except KeyGone:
        return False


async def given_up(world: World) -> list[bytes]:
    """Return the leaves that say that a copy was given up."""
    rows = await world.database.fetch("SELECT entry FROM log_entries UNION ALL SELECT entry FROM pending_leaves")
    return [row[0] for row in rows if isinstance(row[0], bytes) and b'"copy.givenup"' in row[0]]


async def test_at_settling_the_key_of_copies_that_wait_moves_to_the_day_on_which_they_are_given_up(
    world: World,
) -> None:
    process = await begun(world)
    before = next(row for row in await world.platform.keys.rows([process]) if row.cls == "parcel")
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 10)
    await answer(world, offered)
    await work(world, 3)
    moved, last = await parcel_key(world, process), world.clock.now() + timedelta(days=30)
    assert before.end_day > moved.end_day == dutch_day(last)
    assert await world.database.fetch("SELECT until_ms FROM parcels") == [(to_ms(last),)]
    assert (alive(world, before), alive(world, moved)) == (False, True)


async def test_a_vault_that_is_back_after_three_weeks_gets_its_copy_and_all_is_forgotten(world: World) -> None:
    process = await settled(world)
    key = await parcel_key(world, process)
    await pass_days(world, 21)
    assert await parcel_key(world, process) == key
    world.answers.clear()
    await pass_days(world, 2)
    bodies = [request.body for request in world.sent if request.url == "https://vaults.test/v/1/copies"]
    document = open_jwe(msgspec.json.decode(bodies[-1])["copies"][0]["jwe"], world.seals["learner"].private_jwk)
    assert b"MARKER" in document
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]
    assert await world.platform.keys.rows([process]) == []
    assert not alive(world, key)
    assert await given_up(world) == []


async def test_a_vault_that_stays_away_costs_its_copy_after_thirty_days_and_no_sooner(world: World) -> None:
    process = await settled(world)
    key = await parcel_key(world, process)
    await pass_days(world, 29)
    assert await world.database.fetch("SELECT COUNT(*) FROM parcels") == [(1,)]
    await pass_days(world, 2)
    assert await world.database.fetch("SELECT COUNT(*) FROM parcels") == [(0,)]
    assert len(await given_up(world)) == 1
    assert await world.platform.keys.rows([process]) == []
    assert not alive(world, key)


async def test_who_settles_long_after_the_last_day_has_the_same_time_for_copies(world: World) -> None:
    process = await begun(world, enddate=date(2026, 4, 16))
    before = next(row for row in await world.platform.keys.rows([process]) if row.cls == "parcel")
    await world.clock.sleep(20 * DAY)  # nothing ran meanwhile
    await work(world, 1)
    await world.clock.sleep(11)
    await work(world, 3)
    moved = await parcel_key(world, process)
    assert moved.end_day == dutch_day(world.clock.now() + timedelta(days=30)) > before.end_day
    await pass_days(world, 27)
    assert await world.database.fetch("SELECT COUNT(*) FROM parcels") == [(1,)]
    world.answers.clear()
    await pass_days(world, 2)
    assert await given_up(world) == []
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]


async def test_how_long_copies_wait_is_a_setting(world: World) -> None:
    desk = world.platform.desk
    object.__setattr__(desk, "limits", msgspec.structs.replace(desk.limits, parcel_days=7))
    process = await settled(world)
    assert (await parcel_key(world, process)).end_day == dutch_day(world.clock.now() + timedelta(days=7))
    await pass_days(world, 8)
    assert len(await given_up(world)) == 1

"""Her copies are destroyed at the vault's own word that she withdrew, and at nobody else's."""

from typing import Any

import pytest
from tests.journeys.parties import PORTAL, SCHOOL, World
from tests.platform.exchange.posts import PROBLEM, answer, drafted, vault_says, work

from wissel.assembly.switch import Switchboard
from wissel.client.vaults import WITHDRAWN
from wissel.infra.http.ports import Response


def others() -> list[Response]:
    """Return what looks like it and is not the vault's word."""
    bare = [Response(status, {}, b"") for status in WITHDRAWN]
    pages = [Response(status, {"content-type": "text/html"}, b"<h1>Not here</h1>") for status in WITHDRAWN]
    foreign = [vault_says(status, "not-found") for status in WITHDRAWN]
    plain = [vault_says(status, headers={"content-type": "application/json"}) for status in WITHDRAWN]
    pairs = ((410, "vault-unknown"), (404, "vault-withdrawn"), (400, "vault-withdrawn"), (404, "vault-item-unknown"))
    crossed = [vault_says(status, code) for status, code in pairs]
    torn = [Response(410, PROBLEM, b'{"code": "vault-withdrawn"'), Response(410, PROBLEM, b"")]
    return [*bare, *pages, *foreign, *plain, *crossed, *torn]


async def settled(world: World) -> None:
    """Let her object and the school answer, so that her copy is due; nothing is delivered yet."""
    world.answers["vaults.test"] = Response(503, {}, b"")
    await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(drafted(world, "MARKER")))
    await work(world, 2)
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 10)
    assert not (await answer(world, offered)).code


async def parcels(world: World) -> list[Any]:
    """Return how often each of her copies was tried in vain."""
    return [row[0] for row in await world.database.fetch("SELECT attempts FROM parcels WHERE host <> ''")]


async def later(world: World) -> None:
    """Let the longest wait between attempts pass."""
    await world.clock.sleep(400)
    await work(world, 2)


async def test_no_status_alone_and_no_strange_word_costs_her_a_copy(world: World) -> None:
    await settled(world)
    for each in others():
        world.answers["vaults.test"] = each
        await later(world)
        assert len(await parcels(world)) == 1, each
    world.answers.clear()
    await world.clock.sleep(86_400)
    await work(world)
    assert await parcels(world) == []
    assert [request for request in world.sent if request.url.endswith("/copies")][-1].body.count(b"jwe") == 1
    assert await given_up(world) == 0


async def given_up(world: World) -> int:
    """Return how many leaves say that a copy was given up."""
    rows = await world.database.fetch("SELECT entry FROM log_entries UNION ALL SELECT entry FROM pending_leaves")
    return sum(b'"copy.givenup"' in row[0] for row in rows if isinstance(row[0], bytes))


async def test_that_she_withdrew_is_believed_at_once(world: World) -> None:
    await settled(world)
    world.answers["vaults.test"] = vault_says(410)
    await work(world)
    assert await parcels(world) == []
    assert await given_up(world) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_that_she_is_not_known_is_believed_when_it_is_said_again(world: World, status: int) -> None:
    await settled(world)
    world.answers["vaults.test"] = vault_says(status)
    await work(world)
    assert await parcels(world) == [1]
    await later(world)
    assert await parcels(world) == []
    assert await given_up(world) == 1

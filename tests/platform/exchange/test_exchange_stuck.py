"""What never fits is not tried for ever in silence: it is set aside or held over, told, and holds up nobody."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from tests.journeys.nation import Lines
from tests.journeys.parties import PORTAL, SCHOOL, World
from tests.platform.exchange.posts import answer, drafted, work
from tests.platform.exchange.test_exchange_ending import count, leaves

from wissel.assembly.platform import jobs, stories
from wissel.assembly.switch import Switchboard
from wissel.client.compose import Draft
from wissel.core.ids import partition_of
from wissel.infra.http.ports import Request, Response
from wissel.infra.sql.ports import Database, Statement, Value
from wissel.platform.engine.rounds import Engine
from wissel.platform.exchange.copies import Copies
from wissel.platform.exchange.delivery import Delivery
from wissel.platform.exchange.lifecycle import Lifecycle
from wissel.platform.exchange.patience import CONFLICTS_MAX, KEPT_MAX, Patience
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.words import KeyName
from wissel.platform.store.words import Where

DAY = 86_400


async def accepted(world: World, text: str, days: int = 30) -> Draft:
    """Let an objection be accepted that ends in so many days."""
    made = drafted(world, text, enddate=(world.clock.now() + timedelta(days=days)).date())
    await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(made))
    return made


def where(made: Draft) -> Where:
    """Return the process that a message began."""
    return Where(partition_of(made.envelope.process), made.envelope.process)


def listen(world: World) -> Lines:
    """Return what the platform's log says from now on."""
    lines = Lines()
    object.__setattr__(world.platform.desk, "journal", lines)
    return lines


class Counting:
    """A database that counts the units it is given."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.units = 0

    async def commit(self, unit: Sequence[Statement]) -> None:
        """Count, and commit."""
        self.units += 1
        await self._database.commit(unit)

    async def fetch(self, sql: str, args: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Fetch."""
        return await self._database.fetch(sql, args)


async def in_the_way(world: World, made: Draft) -> None:
    """Take the place in the school's lane that the engine is going to give to a message."""
    sql = "INSERT INTO mail VALUES (?, ?, ?, 1, 'x', 'x', 0, ?, ?)"
    never = 1 << 50
    await world.database.commit([Statement(sql, [(*where(made), SCHOOL, never, never)])])


async def out_of_the_way(world: World) -> None:
    """Free that place."""
    await world.database.commit([Statement("DELETE FROM mail WHERE id = 'x'")])


async def test_a_process_whose_unit_never_fits_is_set_aside_with_leaf_and_alarm_and_the_others_go_on(
    world: World,
) -> None:
    lines, engine = listen(world), Engine(world.platform.desk, stories())
    stuck = await accepted(world, "stuck")
    await in_the_way(world, stuck)
    for _ in range(CONFLICTS_MAX - 1):
        await engine.step(world.clock.now())
    assert await count(world, "setaside") == 0, "a conflict or two is how the engine works"
    await accepted(world, "whole")
    await engine.step(world.clock.now())
    aside = "SELECT process, code FROM setaside"
    assert await world.database.fetch(aside) == [(stuck.envelope.process, "store-conflict")]
    assert [said["code"] for event, said in lines.said if event == "process.setaside"] == ["store-conflict"]
    told = [leaf for leaf in await leaves(world) if leaf["event"] == "process.setaside"]
    assert [(leaf["process"], leaf["reason"]) for leaf in told] == [(stuck.envelope.process, "store-conflict")]
    assert len(await Switchboard(world.platform.desk).offered(SCHOOL, 10)) == 1, "the whole one is on its way"
    assert await engine.step(world.clock.now()) == 0
    await out_of_the_way(world)
    await engine.retry(where(stuck))
    await engine.step(world.clock.now())
    assert len(await Switchboard(world.platform.desk).offered(SCHOOL, 10)) == 2


async def test_conflicts_with_success_between_them_set_nobody_aside(world: World) -> None:
    engine = Engine(world.platform.desk, stories())
    for text in ("first", "second", "third"):
        made = await accepted(world, text)
        await in_the_way(world, made)
        for _ in range(CONFLICTS_MAX - 1):
            await engine.step(world.clock.now())
        await out_of_the_way(world)
        await engine.step(world.clock.now())
    assert await count(world, "setaside") == 0
    assert len(await Switchboard(world.platform.desk).offered(SCHOOL, 10)) == 3


async def copied(world: World, text: str) -> Draft:
    """Let an objection come so far that its process is ready to settle."""
    made = await accepted(world, text)
    await Engine(world.platform.desk, stories()).step(world.clock.now())
    for offered in await Switchboard(world.platform.desk).offered(SCHOOL, 10):
        assert not (await answer(world, offered)).code
    for job in ("engine", "sequence", "copies"):
        await _job(world, job)
    return made


async def _job(world: World, name: str) -> None:
    steps = {job.name: job.step for job in jobs(world.platform, world)}
    await steps[name](world.clock.now())


async def test_a_process_that_cannot_settle_is_tried_less_and_less_set_aside_and_settles_when_it_can(
    world: World,
) -> None:
    stuck = await copied(world, "stuck")
    order = (
        "INSERT INTO destroy_orders SELECT partition, day, slot, process, class, scope, 'moved', 1, 1 "
        "FROM data_keys WHERE class = 'post' AND process = ?"
    )
    await world.database.commit([Statement(order, [(stuck.envelope.process,)])])
    lifecycle, database = Lifecycle(world.platform.desk), Counting(world.database)
    object.__setattr__(world.platform.desk, "database", database)
    await lifecycle.step(world.clock.now())
    tried = database.units
    await lifecycle.step(world.clock.now())
    assert database.units == tried + 1, "only the sweep of old answers; what failed is left alone for a while"
    whole = await copied(world, "whole")
    await lifecycle.step(world.clock.now())
    alive = "SELECT process, life FROM processes WHERE life <> 'decided'"
    assert [row[0] for row in await world.database.fetch(alive)] in ([whole.envelope.process], [])
    for _ in range(CONFLICTS_MAX):
        await world.clock.sleep(301)
        await lifecycle.step(world.clock.now())
    assert await world.database.fetch("SELECT process FROM setaside") == [(stuck.envelope.process,)]
    assert [leaf["reason"] for leaf in await leaves(world) if leaf["event"] == "process.setaside"] == ["store-conflict"]
    await world.database.commit([Statement("DELETE FROM destroy_orders WHERE made_ms = 1")])
    await world.clock.sleep(301)
    await lifecycle.step(world.clock.now())
    assert await count(world, "setaside") == 0
    assert await world.database.fetch("SELECT life FROM processes WHERE life = 'decided'") == []


async def test_mail_whose_message_has_its_outcome_is_dropped_when_its_end_has_passed(world: World) -> None:
    made = await accepted(world, "twice", days=1)
    await work(world, 1)
    rows = await world.database.fetch("SELECT * FROM mail")
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 10)
    assert not (await answer(world, offered)).code
    marks = ", ".join("?" * len(rows[0]))
    await world.database.commit([Statement(f"INSERT INTO mail VALUES ({marks})", rows)])  # noqa: S608 - only marks
    await world.clock.sleep(2 * DAY)
    await Lifecycle(world.platform.desk).step(world.clock.now())
    assert await count(world, "mail") == 0
    found = await world.database.fetch("SELECT outcome FROM messages WHERE id = ?", (made.envelope.id,))
    assert found == [("accepted",)], "the first final receipt stands"


async def test_copies_that_never_fit_are_held_over_and_told(world: World) -> None:
    made = await accepted(world, "stuck")
    await Engine(world.platform.desk, stories()).step(world.clock.now())
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 10)
    await answer(world, offered)
    for job in ("engine", "sequence"):
        await _job(world, job)
    ((commitment,),) = await world.database.fetch("SELECT commitment FROM messages")
    taken = "INSERT INTO parcels VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)"
    never = 1 << 50
    row = (*where(made), SCHOOL, commitment, b"", b"", never, never)
    await world.database.commit([Statement(taken, [row])])
    lines, copies = listen(world), Copies(world.platform.desk, world.platform.audit, 0)
    for _ in range(CONFLICTS_MAX):
        assert await copies.step(world.clock.now()) == 0
    assert [said["code"] for event, said in lines.said if event == "copies.heldover"] == ["store-conflict"]
    database = Counting(world.database)
    object.__setattr__(world.platform.desk, "database", database)
    await copies.step(world.clock.now())
    assert database.units == 0, "it is held over"
    await world.database.commit([Statement("DELETE FROM parcels")])
    await world.clock.sleep(301)
    assert await copies.step(world.clock.now()) == 1


async def test_copies_that_cannot_be_booked_are_not_sent_to_the_vault_at_each_round(world: World) -> None:
    world.answers["test/"] = Response(503, {}, b"")
    await copied(world, "one")
    calls: list[Request] = []

    class Racing:
        """A vault that takes copies, while another worker books one of them."""

        async def send(self, request: Request) -> Response:
            calls.append(request)
            await world.database.commit([Statement("DELETE FROM parcels WHERE party = ?", [(SCHOOL,)])])
            stored = [copy["id"] for copy in msgspec.json.decode(request.body)["copies"]]
            return Response(200, {}, msgspec.json.encode({"stored": stored}))

    delivery = Delivery(world.platform.desk, Racing())
    await delivery.copy(world.clock.now())
    before = len(calls)
    await delivery.copy(world.clock.now())
    assert len(calls) == before


async def test_bytes_that_do_not_open_hold_up_nobody_and_are_closed_when_their_day_is_over(world: World) -> None:
    broken = await accepted(world, "broken", days=1)
    await accepted(world, "whole", days=1)
    await work(world, 1)
    spoil = Statement("UPDATE messages SET sealed = ? WHERE id = ?", [(bytes(80), broken.envelope.id)])
    await world.database.commit([spoil])
    lines, lifecycle = listen(world), Lifecycle(world.platform.desk)
    await world.clock.sleep(2 * DAY - 8 * 3600)
    for _ in range(5):
        await lifecycle.step(world.clock.now())
    assert await count(world, "mail") == 1
    told = [said["code"] for event, said in lines.said if event == "lifecycle.passedover"]
    assert told == ["seal-broken"], "told once, not at each round"
    await world.clock.sleep(DAY)
    await lifecycle.step(world.clock.now())
    assert await count(world, "mail") == 0
    told_of = [leaf["message"] for leaf in await leaves(world) if leaf["event"] == "message.undelivered"]
    assert broken.envelope.id in told_of


async def test_what_another_release_sealed_is_passed_over_like_what_does_not_open(world: World) -> None:
    made = await accepted(world, "of another release")
    await work(world, 1)
    ring = await world.platform.keys.load([made.envelope.process])
    scope = f"{made.envelope.source} {made.envelope.id}"
    key = ring[KeyName(made.envelope.process, "special", scope)]
    sealed = key.seal(b'{"shape":"of another release"}', place(made.envelope.process, scope, "special"))
    await world.database.commit([Statement("UPDATE messages SET sealed = ?", [(sealed,)])])
    lines = listen(world)
    assert await Switchboard(world.platform.desk).offered(SCHOOL, 10) == []
    assert [said["code"] for event, said in lines.said if event == "mail.passedover"] == ["seal-broken"]


async def test_patience_grows_to_five_minutes_and_keeps_no_more_than_it_may(world: World) -> None:
    patience, now = Patience[int](world.entropy), world.clock.now()
    assert not patience.waits(1, now)
    assert [patience.failed(1, now) for _ in range(12)] == list(range(1, 13))
    assert patience.waits(1, now + timedelta(seconds=149))
    assert not patience.waits(1, now + timedelta(seconds=300))
    assert patience.waiting(now) == 1
    patience.passed(1)
    assert patience.failed(1, now) == 1
    for key in range(KEPT_MAX + 5):
        patience.failed(key, now)
    assert patience.waiting(now) <= KEPT_MAX

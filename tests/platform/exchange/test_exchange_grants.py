"""Rule 6: a grant is checked at acceptance and again at handing out, by whichever way a message is handed out."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from tests.journeys.nation import Lines
from tests.journeys.parties import PLATFORM, PORTAL, SCHOOL, World
from tests.platform.exchange.posts import OBJECTION, answer, drafted, work

from wissel.assembly.switch import Switchboard
from wissel.core.moments import to_ms
from wissel.messages.enrolment import GateAsked
from wissel.messages.participant import StandingGrant
from wissel.messages.process import Decision, Event, Pass, Send
from wissel.messages.records import read_undelivered
from wissel.messages.verify import open_jwe
from wissel.platform.engine.rounds import Engine
from wissel.platform.exchange import grants
from wissel.platform.exchange.delivery import Delivery
from wissel.platform.exchange.errors import NotGranted
from wissel.platform.exchange.lifecycle import Lifecycle
from wissel.platform.participants.rules import covers
from wissel.platform.processes.objection.process import State
from wissel.platform.store.words import Where

GATE = "nl.wissel.gate.asked.v1"
DAY = 86_400
SHORT = "2026-04-20"
GRANT = StandingGrant(
    grantor=SCHOOL, role="learner", type=OBJECTION, purpose="p", ground="g", since="2026-04-01", until=SHORT
)


async def give(world: World, *given: StandingGrant, push: str = "") -> None:
    """Let the school renew its card with these grants, and no others."""
    card = world.platform.participants.card(SCHOOL)
    signed = tuple(world.keys[SCHOOL].sign(msgspec.json.encode(grant)) for grant in given)
    endpoints = msgspec.structs.replace(card.endpoints, push=push)
    renewed = msgspec.structs.replace(card, grants=signed, endpoints=endpoints)
    await world.platform.participants.register(renewed, world.clock.now())


def until(last: str, **more: Any) -> StandingGrant:
    """Return the school's grant with another last day."""
    return msgspec.structs.replace(GRANT, until=last, **more)


async def waiting(world: World, text: str = "I object.", **more: Any) -> Switchboard:
    """Send an objection that waits for the school."""
    board = Switchboard(world.platform.desk)
    await board.accept(PORTAL, world.by_learner(drafted(world, text, **more)))
    await work(world, 2)
    return board


def listen(world: World) -> Lines:
    """Return what the platform's log says from now on."""
    lines = Lines()
    object.__setattr__(world.platform.desk, "journal", lines)
    return lines


@pytest.mark.parametrize(
    ("changed", "held"),
    [
        ({}, True),
        ({"day": date(2026, 4, 1)}, True),
        ({"day": date(2026, 4, 20)}, True),
        ({"day": date(2026, 3, 31)}, False),
        ({"day": date(2026, 4, 21)}, False),
        ({"grantor": PORTAL}, False),
        ({"roles": ("institution", "portal")}, False),
        ({"kind": GATE}, False),
    ],
)
def test_a_grant_covers_its_grantor_role_type_and_days_and_nothing_else(
    changed: Mapping[str, Any], *, held: bool
) -> None:
    asked: dict[str, Any] = {"grantor": SCHOOL, "roles": ("learner",), "kind": OBJECTION, "day": date(2026, 4, 10)}
    assert covers(GRANT, **{**asked, **changed}) is held


async def test_a_grant_that_is_over_or_not_begun_is_not_found(world: World) -> None:
    await give(world, until(SHORT), until("2026-12-31", since="2026-05-01"))
    found = world.platform.participants.grant_for
    first = found(SCHOOL, "learner", OBJECTION, world.clock.now())
    assert first
    assert not found(SCHOOL, "learner", OBJECTION, world.clock.now() + timedelta(days=6))
    assert found(SCHOOL, "learner", OBJECTION, world.clock.now() + timedelta(days=20)) not in {"", first}
    assert not found(SCHOOL, "institution", OBJECTION, world.clock.now())


async def test_what_was_granted_at_acceptance_is_not_offered_when_the_grant_is_over_and_goes_on_when_it_is_renewed(
    world: World,
) -> None:
    await give(world, until(SHORT))
    board, lines = await waiting(world), listen(world)
    assert len(await board.offered(SCHOOL, 10)) == 1
    await world.clock.sleep(6 * DAY)
    assert await board.offered(SCHOOL, 10) == []
    told = [said for event, said in lines.said if event == "mail.passedover"]
    assert [(said["code"], said["type"]) for said in told] == [("not-granted", OBJECTION)]
    assert await board.offered(SCHOOL, 10) == []
    assert len(lines.said) == 1, "it waits, and is not tried at each call"
    (row,) = await world.database.fetch("SELECT attempts, due_ms FROM mail")
    assert row[0] == 1
    assert int(str(row[1])) > to_ms(world.clock.now())
    await give(world, until("2026-12-31"))
    (offered,) = await board.offered(SCHOOL, 10)
    assert not (await answer(world, offered)).code


async def test_a_grant_left_out_of_a_renewed_card_is_over(world: World) -> None:
    board = await waiting(world)
    await give(world)
    assert await board.offered(SCHOOL, 10) == []


async def test_what_waits_for_a_grant_takes_no_others_place(world: World) -> None:
    board = await waiting(world, "first")
    await give(world)
    await waiting_again(world)
    assert await board.offered(SCHOOL, 1) == []
    await give(world, until("2026-12-31"))
    assert len(await board.offered(SCHOOL, 10)) == 2


async def waiting_again(world: World) -> None:
    """Send another while the grant is there, and take it back."""
    await give(world, until(SHORT))
    await waiting(world, "second")
    await give(world)


async def test_what_was_handed_out_under_a_grant_may_be_answered_when_it_is_over(world: World) -> None:
    board = await waiting(world)
    (offered,) = await board.offered(SCHOOL, 10)
    await give(world)
    assert not (await answer(world, offered)).code


async def test_without_a_grant_until_its_end_date_it_is_not_delivered_and_both_parties_read_why(world: World) -> None:
    board = await waiting(world, enddate=(world.clock.now() + timedelta(days=1)).date())
    await give(world)
    await world.clock.sleep(2 * DAY - 8 * 3600)
    assert await board.offered(SCHOOL, 10) == []
    await Lifecycle(world.platform.desk).step(world.clock.now())
    await work(world, 1)
    await world.clock.sleep(11)
    await work(world, 2)
    bodies = [msgspec.json.decode(request.body) for request in world.sent if "school.test" in request.url]
    (copy,) = [each["copies"][0]["jwe"] for each in bodies]
    document = msgspec.json.decode(open_jwe(copy, world.seals[SCHOOL].private_jwk))
    said = read_undelivered(document["undelivered"], world.platform.identity.signer.public_jwk)
    assert said.reason == "past its end date, and its receiver's grant was over"


async def test_a_push_is_held_to_the_grant_too(world: World) -> None:
    board, lines = await waiting(world), listen(world)
    await give(world, push="https://school.test/push")
    world.sent.clear()
    await Delivery(world.platform.desk, world).push(world.clock.now())
    assert world.sent == []
    assert [said["code"] for event, said in lines.said if event == "push.passedover"] == ["not-granted"]
    await give(world, until("2026-12-31"), push="https://school.test/push")
    await Delivery(world.platform.desk, world).push(world.clock.now())
    assert [request.url for request in world.sent] == ["https://school.test/push/messages"]
    assert len(await board.offered(SCHOOL, 10)) == 0, "it waits for its answer"


class Asks:
    """A story that passes an objection on and lets the platform say something itself."""

    name, version, starts = "objection", "1", OBJECTION

    def decide(self, process: str, state: bytes | None, event: Event, settings: Mapping[str, Any]) -> Decision:
        """Ask the institution."""
        del process, state, settings
        said = Send(type=GATE, recipient=SCHOOL, data=GateAsked(gate="education", why="unknown"))
        effects = (said, Pass()) if event.kind == "message" else ()
        return Decision(label="asked", phase="passed", state=State("passed"), effects=effects)


async def test_what_the_platform_says_itself_is_held_to_the_grant_too(world: World) -> None:
    platform = until("2026-12-31", role="platform", type=GATE)
    await give(world, until("2026-12-31"), platform)
    board = Switchboard(world.platform.desk)
    await board.accept(PORTAL, world.by_learner(drafted(world)))
    await Engine(world.platform.desk, {"objection": Asks()}).step(world.clock.now())
    assert [one.envelope.source for one in await board.offered(SCHOOL, 10)] == [PLATFORM]
    await give(world, until("2026-12-31"))
    assert await board.offered(SCHOOL, 10) == []
    await give(world, until("2026-12-31"), platform)
    assert [one.envelope.type for one in await board.offered(SCHOOL, 10)] == [GATE]


async def test_what_the_platform_may_not_say_sets_its_process_aside_until_the_grant_is_renewed(world: World) -> None:
    board, engine = Switchboard(world.platform.desk), Engine(world.platform.desk, {"objection": Asks()})
    await give(world, until("2026-12-31"), until("2026-04-14", role="platform", type=GATE))
    await board.accept(PORTAL, world.by_learner(drafted(world)))
    await engine.step(world.clock.now())
    assert await world.database.fetch("SELECT code FROM setaside") == [("not-granted",)]
    await give(world, until("2026-12-31"), until("2026-12-31", role="platform", type=GATE))
    (process,) = await world.database.fetch("SELECT partition, process FROM setaside")
    await engine.retry(Where(int(str(process[0])), str(process[1])))
    await engine.step(world.clock.now())
    assert [one.envelope.type for one in await board.offered(SCHOOL, 10)] == [GATE]


async def test_a_message_to_the_learner_leans_on_what_opened_its_process(world: World) -> None:
    envelope = drafted(world).envelope
    hers = msgspec.structs.replace(envelope, recipient=envelope.subject, grant="the commitment of her request")
    grants.check_handed_out(hers, world.platform.participants, hers.grant, world.clock.now())
    with pytest.raises(NotGranted):
        grants.check_handed_out(hers, world.platform.participants, "", world.clock.now())

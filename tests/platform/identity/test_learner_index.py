"""What runs for a learner is found by her log-in, on whichever device, and by nobody else's; then it is gone."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from tests.journeys.parties import PORTAL, SCHOOL, START, World, card_of, urn
from tests.platform.exchange.posts import SUBJECT, answer, drafted, objection, work

from wissel.assembly.platform import stories
from wissel.assembly.switch import Switchboard
from wissel.core.errors import WisselError
from wissel.messages.jose import SigningKey
from wissel.platform.engine.rounds import Engine


class Begun(NamedTuple):
    """A process that was begun."""

    board: Switchboard
    process: str


async def begin(world: World, learner: str) -> Begun:
    board, body = Switchboard(world.platform.desk), objection(world)
    await board.accept(PORTAL, body, learner)
    return Begun(board, msgspec.json.decode(body)["envelope"]["process"])


def more(world: World, process: str) -> bytes:
    """Return the learner's second message in a process."""
    made = drafted(world, "And another thing.", addressee=None)
    envelope = msgspec.structs.replace(made.envelope, process=process, sequence="2")
    return world.by_learner(msgspec.structs.replace(made, envelope=envelope))


async def refused(world: World, begun: Begun, token: str) -> str:
    with pytest.raises(WisselError) as caught:
        await begun.board.accept(PORTAL, more(world, begun.process), token)
    assert await world.database.fetch("SELECT COUNT(*) FROM messages") == [(1,)], "nothing is half accepted"
    return caught.value.code


async def test_she_finds_what_she_began_by_another_log_in_at_the_same_portal(world: World) -> None:
    board, process = await begin(world, world.logged_in())
    await world.clock.sleep(3)
    (found,) = await board.mine(PORTAL, world.logged_in(nonce="another session"))
    assert (found.process, found.kind, found.subject, found.sequence) == (process, "objection", SUBJECT, 2)
    assert not found.decided
    assert (await board.view(PORTAL, process, world.logged_in())).process == process


async def test_somebody_else_finds_nothing_and_sees_nothing(world: World) -> None:
    board, process = await begin(world, world.logged_in())
    other = urn(9, "otherportal")
    card = card_of(other, "portal", {other: SigningKey.new(world.entropy)}, settings={"logins": ["other-login"]})
    await world.platform.participants.register(card, START)
    assert await board.mine(PORTAL, world.logged_in("somebody-else")) == []
    assert await board.mine(other, world.logged_in(aud="other-login")) == [], "the same name at another portal"
    for caller, token in ((PORTAL, world.logged_in("somebody-else")), (other, world.logged_in(aud="other-login"))):
        with pytest.raises(WisselError) as caught:
            await board.view(caller, process, token)
        assert (caught.value.code, caught.value.status) == ("process-unknown", 404)


async def test_without_a_token_the_portal_sees_phase_and_gates_of_its_processes_and_no_list(world: World) -> None:
    board, process = await begin(world, world.logged_in())
    assert (await board.view(PORTAL, process, "")).process == process
    with pytest.raises(WisselError) as caught:
        await board.mine(PORTAL, "")
    assert caught.value.code == "learner-token-refused"


async def test_only_who_began_adds_to_a_process(world: World) -> None:
    begun = await begin(world, world.logged_in())
    assert await refused(world, begun, world.logged_in("somebody-else")) == "process-not-hers"
    assert await refused(world, begun, "") == "learner-token-refused"
    assert await refused(world, begun, world.logged_in(aud="signer")) == "learner-token-refused"
    assert (await begun.board.accept(PORTAL, more(world, begun.process), world.logged_in())).first


async def test_a_process_that_began_without_a_token_is_nobodys(world: World) -> None:
    begun = await begin(world, "")
    assert await begun.board.mine(PORTAL, world.logged_in()) == []
    assert await refused(world, begun, world.logged_in()) == "process-not-hers"
    assert await refused(world, begun, "") == "learner-token-refused"


async def test_a_first_message_with_a_token_that_is_none_is_not_taken(world: World) -> None:
    with pytest.raises(WisselError) as caught:
        await begin(world, world.logged_in(exp=1))
    assert caught.value.code == "learner-token-refused"
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]


async def test_the_same_bytes_again_need_no_token_any_more(world: World) -> None:
    board, body = Switchboard(world.platform.desk), objection(world)
    first = await board.accept(PORTAL, body, world.logged_in())
    again = await board.accept(PORTAL, body, "")
    assert (again.acknowledgement, again.first) == (first.acknowledgement, False)


async def test_the_row_holds_no_pseudonym_and_goes_when_the_process_is_settled(world: World, tmp_path: Path) -> None:
    board, process = await begin(world, world.logged_in("MARKER-pseudonym"))
    ((row_process, name),) = await world.database.fetch("SELECT process, name FROM learner_index")
    assert row_process == process
    assert isinstance(name, bytes)
    assert len(name) == 32
    await work(world)
    (offered,) = await board.offered(SCHOOL, 10)
    await answer(world, offered)
    await Engine(world.platform.desk, stories()).step(world.clock.now())
    assert (await board.mine(PORTAL, world.logged_in("MARKER-pseudonym")))[0].decided
    for _ in range(6):
        await work(world)
        await world.clock.sleep(1)
    assert await world.database.fetch("SELECT COUNT(*) FROM learner_index") == [(0,)]
    disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"MARKER-pseudonym" not in disk


async def test_when_the_end_day_is_destroyed_the_index_says_nothing(world: World) -> None:
    board, _ = await begin(world, world.logged_in())
    (found,) = await board.mine(PORTAL, world.logged_in())
    ((end,),) = await world.database.fetch("SELECT end_day FROM processes")
    for day in world.keystore.days():
        if day <= date.fromisoformat(str(end)):
            world.keystore.destroy_day(day)
    assert found.process
    assert await world.database.fetch("SELECT COUNT(*) FROM learner_index") == [(1,)]
    assert await board.mine(PORTAL, world.logged_in()) == []

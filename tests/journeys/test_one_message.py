"""One message goes its whole way: accepted, decided, offered, receipted, copied, settled, forgotten."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.journeys.parties import ORIGIN, PORTAL, SCHOOL, World, make_world

from wissel.assembly.platform import jobs
from wissel.assembly.runner import Job
from wissel.assembly.switch import Switchboard
from wissel.client.words import Settled
from wissel.messages.enrolment import ObjectionReceived
from wissel.messages.records import receipt
from wissel.messages.verify import Trust, open_jwe, verify
from wissel.platform.forgetting.errors import KeyGone

OBJECTION = "nl.wissel.objection.received.v1"


async def run(world: World, work: list[Job], rounds: int = 6) -> None:
    """Run every job a few times, as a runner would, and let a little time pass."""
    for _ in range(rounds):
        for job in work:
            await job.step(world.clock.now())
        await world.clock.sleep(1)


def submission(world: World) -> bytes:
    """Return a learner's objection."""
    subject = "urn:wissel:learner:5f0c2a4e-8c1d-4a3b-9d2e-1f2a3b4c5d6e"
    made = world.draft(
        OBJECTION,
        ObjectionReceived(
            decision="0197a1b2-0000-7000-8000-000000000001", text="MARKER-motivation", afschriften=("A" * 43,)
        ),
        source=subject,
        recipient=SCHOOL,
        subject=subject,
        grant=world.grant(OBJECTION),
        addressee=world.addressee(),
    )
    return world.by_learner(made)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Return a platform with parties."""
    world = await make_world(tmp_path, kinds=(OBJECTION,))
    yield world
    world.close()


async def test_a_message_reaches_its_receiver_and_everyone_gets_a_copy_that_verifies(world: World) -> None:
    board, work = Switchboard(world.platform.desk), jobs(world.platform, world)
    accepted = await board.accept(PORTAL, submission(world))
    await run(world, work)
    (offered,) = await board.offered(SCHOOL, 10)
    assert offered.envelope.id == accepted.id
    signed = receipt(
        world.keys[SCHOOL], acknowledgement=offered.acknowledgement, outcome="accepted", at=world.clock.now()
    )
    (answer,) = await board.settle(SCHOOL, [Settled(id=accepted.id, source=offered.envelope.source, receipt=signed)])
    assert not answer.code
    process = offered.envelope.process
    keys = await world.platform.keys.load([process])
    await run(world, work)
    copies = {request.url: msgspec.json.decode(request.body) for request in world.sent if "copies" in request.url}
    assert set(copies) == {"https://school.test/copies", "https://vaults.test/v/1/copies"}
    trust = Trust({ORIGIN: world.platform.identity.log.vkey}, (), 0)
    for url, seal in (("https://school.test/copies", SCHOOL), ("https://vaults.test/v/1/copies", "learner")):
        (copy,) = copies[url]["copies"]
        document = open_jwe(copy["jwe"], world.seals[seal].private_jwk)
        verdict = verify(document, trust)
        assert verdict.ok, verdict
        assert b"MARKER-motivation" in document
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]
    for key in keys.values():
        with pytest.raises(KeyGone):
            world.platform.keys.unwrap(key.row)

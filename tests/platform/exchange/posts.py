"""Submissions for the tests of the exchange, and what a receiver does with them."""

from datetime import datetime
from typing import Any

import msgspec
from tests.journeys.parties import SCHOOL, World

from wissel.assembly.platform import jobs
from wissel.assembly.switch import Switchboard
from wissel.client.compose import Draft
from wissel.client.vaults import WITHDRAWN
from wissel.client.words import Settled, Settlement
from wissel.infra.http.ports import Response
from wissel.infra.http.problem import MEDIA_TYPE, problem
from wissel.messages.enrolment import ObjectionReceived
from wissel.messages.envelope import Offered, Outcome
from wissel.messages.records import receipt

OBJECTION = "nl.wissel.objection.received.v1"
SUBJECT = "urn:wissel:learner:5f0c2a4e-8c1d-4a3b-9d2e-1f2a3b4c5d6e"

PROBLEM = {"content-type": f"{MEDIA_TYPE}; charset=utf-8"}


def vault_says(status: int, code: str = "", *, headers: dict[str, str] = PROBLEM) -> Response:
    """Return how a vault says no: by default, that its owner withdrew."""
    said = problem(status, code or WITHDRAWN[status], "The owner withdrew this grant.")
    return Response(status, headers, msgspec.json.encode(said))


def drafted(world: World, text: str = "I object.", **more: Any) -> Draft:
    """Return a learner's objection that nobody stands for yet."""
    values: dict[str, Any] = {
        "source": SUBJECT,
        "recipient": SCHOOL,
        "subject": SUBJECT,
        "grant": world.grant(OBJECTION),
        "addressee": world.addressee(),
        **more,
    }
    payload = ObjectionReceived(decision="0197a1b2-0000-7000-8000-000000000001", text=text, afschriften=("A" * 43,))
    return world.draft(OBJECTION, payload, **values)


def following(world: World, first: Draft, sequence: int, text: str, **more: Any) -> Draft:
    """Return another objection of the same learner in the process that `first` began."""
    made = drafted(world, text, addressee=None, **more)
    envelope = msgspec.structs.replace(made.envelope, process=first.envelope.process, sequence=str(sequence))
    return msgspec.structs.replace(made, envelope=envelope)


def objection(world: World, text: str = "I object.", **more: Any) -> bytes:
    """Return a learner's objection, signed by authenticating."""
    return world.by_learner(drafted(world, text, **more))


def changed(body: bytes, path: str, value: Any) -> bytes:
    """Return a submission with one field changed; `path` is written a.b.c."""
    document = msgspec.json.decode(body)
    *folders, name = path.split(".")
    inner = document
    for folder in folders:
        inner = inner[folder]
    inner[name] = value
    return msgspec.json.encode(document)


async def work(world: World, rounds: int = 3) -> None:
    """Let the platform do what is due."""
    for _ in range(rounds):
        for job in jobs(world.platform, world):
            await job.step(world.clock.now())


async def answer(
    world: World, offered: Offered, outcome: Outcome = "accepted", who: str = SCHOOL, at: datetime | None = None
) -> Settlement:
    """Answer one message with a receipt of `who`, signed now or `at` another time."""
    at = at or world.clock.now()
    signed = receipt(world.keys[who], acknowledgement=offered.acknowledgement, outcome=outcome, at=at)
    settled = Settled(id=offered.envelope.id, source=offered.envelope.source, receipt=signed)
    (said,) = await Switchboard(world.platform.desk).settle(SCHOOL, [settled])
    return said

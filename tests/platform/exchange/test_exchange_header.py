"""The delivery header: an organisation learns who the learner is in its own books, and nobody else does."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.journeys.parties import EDUID, PORTAL, SCHOOL, START, World, make_world
from tests.platform.exchange.posts import SUBJECT, answer, work

from wissel.assembly.platform import published
from wissel.assembly.switch import Switchboard
from wissel.client.compose import Draft
from wissel.core.ids import partition_of
from wissel.infra.sql.ports import Conflict
from wissel.messages.enrolment import EnrolmentRequested, GateAsked, ReminderSent
from wissel.messages.envelope import Offered
from wissel.messages.identity import Address, EduidAsked, EduidLinked, Person
from wissel.messages.jose import SigningKey
from wissel.messages.participant import StandingGrant
from wissel.messages.payments import PaymentChoice
from wissel.messages.process import Decision, Event, Pass, Send
from wissel.messages.verify import b64, check_jws, commit, open_jwe, parse_json, unb64
from wissel.platform.engine.rounds import Engine
from wissel.platform.exchange.copies import Copies
from wissel.platform.processes.enrolment.process import Enrolment
from wissel.platform.processes.objection.process import State
from wissel.platform.store import messages
from wissel.platform.store.words import Where

REQUESTED, ASKED, LINKED, GATE = (
    f"nl.wissel.{kind}.v1" for kind in ("enrolment.requested", "eduid.asked", "eduid.linked", "gate.asked")
)
PSEUDONYM = "MARKER-pseudonym-at-this-school"
ADDRESS = Address(street="Dorpsstraat", number="1", postcode="1234 AB", city="Ergens", country="NL")
PERSON = Person(
    givennames="Noor", surname="Voorbeeld", birthdate="2007-03-01", address=ADDRESS, nationality="NL", email="n@x.test"
)
QUESTION = EduidAsked(
    email="n@x.test", chosenname="Noor", firstname="Noor", lastname="Voorbeeld", birthdate="2007-03-01",
    verification="Geverifieerd", brin="99XA",
)  # fmt: skip


class Story:
    """Asks eduID who she is; when that is answered, asks the school and tells her something."""

    name, version, starts = "enrolment", Enrolment().version, REQUESTED

    def decide(self, process: str, state: bytes | None, event: Event, settings: Mapping[str, Any]) -> Decision:
        """Pass on what comes, and say what belongs to it."""
        del process, state, settings
        effects: tuple[Send | Pass, ...] = ()
        if event.name == REQUESTED:
            effects = (Pass(), Send(type=ASKED, recipient=EDUID, data=QUESTION))
        elif event.name == LINKED:
            reminder = ReminderSent(gate="payment", due="2026-08-31")
            effects = (
                Pass(),
                Send(type=GATE, recipient=SCHOOL, data=GateAsked(gate="education", why="unknown")),
                Send(type="nl.wissel.reminder.sent.v1", recipient=SUBJECT, data=reminder),
            )
        return Decision(label="passed", phase="passed", state=State("passed"), effects=effects)


class Scene:
    """A platform, a school and eduID, and an enrolment between them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.board = Switchboard(world.platform.desk)
        self.engine = Engine(world.platform.desk, {"enrolment": Story()})
        self.eduid = SigningKey.new(world.entropy)
        self.process = ""

    async def give(self) -> None:
        """Let eduID have a key to sign with, and let everybody grant what this story needs."""
        participants, now = self.world.platform.participants, self.world.clock.now()
        card = participants.card(EDUID)
        key = published("sign", self.eduid.public_jwk, self.eduid.kid, START)
        grants = (self._grant(self.eduid, EDUID, "platform", ASKED),)
        await participants.register(msgspec.structs.replace(card, keys=(*card.keys, key), grants=grants), now)
        school = self.world.keys[SCHOOL]
        more = (self._grant(school, SCHOOL, "eduid", LINKED), self._grant(school, SCHOOL, "platform", GATE))
        card = participants.card(SCHOOL)
        await participants.register(msgspec.structs.replace(card, grants=(*card.grants, *more)), now)

    @staticmethod
    def _grant(key: SigningKey, grantor: str, role: str, kind: str) -> str:
        fields = {"grantor": grantor, "role": role, "type": kind, "purpose": "p", "ground": "g"}
        grant = msgspec.convert({**fields, "since": "2026-01-01", "until": "2027-12-31"}, StandingGrant)
        return key.sign(msgspec.json.encode(grant))

    async def request(self, **changes: Any) -> Draft:
        """Let her ask to enrol, and let the platform ask eduID."""
        payload = EnrolmentRequested(
            studyyear="2026-27", programme="34401", form="fulltime", start="2026-09-01", person=PERSON,
            payment=PaymentChoice(way="once", iban="NL00BANK0123456789", holder="N. Voorbeeld"),
        )  # fmt: skip
        values = {"grant": self.world.grant(REQUESTED), "addressee": self.world.addressee(), **changes}
        made = self.world.draft(REQUESTED, payload, source=SUBJECT, recipient=SCHOOL, subject=SUBJECT, **values)
        await self.board.accept(PORTAL, self.world.by_learner(made))
        self.process = made.envelope.process
        await self.engine.step(self.world.clock.now())
        return made

    async def link(self, pseudonym: str = PSEUDONYM) -> None:
        """Let eduID answer."""
        made = self.world.draft(
            LINKED, EduidLinked(result="linked", pseudonym=pseudonym), source=EDUID, recipient=SCHOOL, subject=SUBJECT,
            grant=self.world.platform.participants.grant_for(SCHOOL, "eduid", LINKED, self.world.clock.now()),
            process=self.process, controller=EDUID,
        )  # fmt: skip
        await self.board.accept(EDUID, msgspec.json.encode(made.signed(self.eduid)))
        await self.engine.step(self.world.clock.now())

    async def next(self, who: str = SCHOOL) -> Offered:
        """Return what a receiver is offered."""
        (offered,) = await self.board.offered(who, 10)
        return offered

    async def taken(self) -> Offered:
        """Return what the school is offered, and let it accept that."""
        offered = await self.next()
        assert not (await answer(self.world, offered)).code
        return offered

    def header(self, offered: Offered, who: str = SCHOOL) -> dict[str, str]:
        """Open a header as its receiver does: sealed to it, signed by the platform, about this message."""
        signed = open_jwe(offered.header, self.world.seals[who].private_jwk).decode()
        parts, payload = check_jws(signed, self.world.platform.identity.signer.public_jwk)
        said: dict[str, str] = msgspec.convert(parse_json(payload), dict[str, str])
        commitment = commit(unb64(offered.nonce), msgspec.to_builtins(offered.envelope), bytes(offered.data))
        assert parts["typ"] == "wissel-header+jws"
        assert (said["party"], said["commitment"]) == (who, b64(commitment))
        return said


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Return a scene on a platform of its own."""
    made = Scene(await make_world(tmp_path, kinds=(REQUESTED,)))
    await made.give()
    yield made
    made.world.close()


async def test_beside_her_own_message_rides_the_capability_and_no_pseudonym_while_none_is_known(scene: Scene) -> None:
    await scene.request()
    said = scene.header(await scene.next())
    assert said["pseudonym"] == ""
    assert said["capability"]


async def test_what_the_portal_knows_is_there_from_the_first_message(scene: Scene) -> None:
    await scene.request(addressee=msgspec.structs.replace(scene.world.addressee(), pseudonym="from the portal"))
    said = scene.header(await scene.next())
    assert said["pseudonym"] == "from the portal"
    assert said["capability"]


async def test_when_eduid_has_said_who_she_is_every_message_to_the_school_brings_it(scene: Scene) -> None:
    await scene.request()
    await scene.taken()
    await scene.link()
    for kind in (LINKED, GATE):
        offered = await scene.taken()
        assert offered.envelope.type == kind
        assert (said := scene.header(offered))["pseudonym"] == PSEUDONYM
        assert said["capability"] == "", "that rides beside her own messages alone"


async def test_her_own_message_that_still_waits_brings_both(scene: Scene) -> None:
    await scene.request()
    await scene.link()
    said = scene.header(await scene.next())
    assert said["pseudonym"] == PSEUDONYM
    assert said["capability"]


async def test_eduids_word_replaces_the_portals(scene: Scene) -> None:
    await scene.request(addressee=msgspec.structs.replace(scene.world.addressee(), pseudonym="from the portal"))
    await scene.link()
    assert scene.header(await scene.next())["pseudonym"] == PSEUDONYM


async def test_no_other_organisation_and_not_her_vault_gets_a_header(scene: Scene) -> None:
    await scene.request()
    asked = await scene.next(EDUID)
    assert asked.header == ""
    await scene.link()
    assert (await scene.next(EDUID)).header == ""
    world, sent = scene.world, len(scene.world.sent)
    await work(world, 1)
    (told,) = [request for request in world.sent[sent:] if request.url.endswith("/messages")]
    hers = open_jwe(msgspec.json.decode(told.body)["messages"][0]["jwe"], world.seals["learner"].private_jwk)
    assert b"nl.wissel.reminder.sent.v1" in hers
    assert PSEUDONYM.encode() not in hers
    assert b'"header"' not in hers


async def test_her_pseudonym_is_in_no_copy_but_that_of_eduids_own_word_and_nowhere_in_clear(
    scene: Scene, tmp_path: Path
) -> None:
    world = scene.world
    await scene.request()
    await scene.taken()
    await scene.link()
    for _ in range(2):
        await scene.taken()
    for _ in range(3):
        await work(world, 1)
        await Copies(world.platform.desk, world.platform.audit, 0).step(world.clock.now())
    opened = []
    for request in (request for request in world.sent if request.url.endswith("/copies")):
        key = world.seals[SCHOOL if "school.test" in request.url else "learner"].private_jwk
        opened += [open_jwe(copy["jwe"], key) for copy in msgspec.json.decode(request.body)["copies"]]
    with_it = {
        msgspec.json.decode(document)["envelope"]["type"] for document in opened if PSEUDONYM.encode() in document
    }
    assert len(opened) >= 5
    assert with_it == {LINKED}
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert PSEUDONYM.encode() not in file.read_bytes(), file.name


async def test_what_changed_meanwhile_is_not_written_over(scene: Scene) -> None:
    await scene.request()
    where = Where(partition_of(scene.process), scene.process)
    stale = messages.change_party(where, SUBJECT, b"what was there before", b"new")
    with pytest.raises(Conflict):
        await scene.world.database.commit([stale])
    before = (await messages.parties(scene.world.database, where))[SUBJECT]
    await scene.world.database.commit([messages.change_party(where, SUBJECT, before, b"new")])
    assert (await messages.parties(scene.world.database, where))[SUBJECT] == b"new"

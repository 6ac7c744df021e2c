"""The portal from her wish to a message that the platform's own checks accept, at the real vault and eduID."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Request, Response, get, post
from litestar.testing import AsyncTestClient
from tests.chain.played import START, CountedEntropy, JumpingClock, LateHttp, database, world
from tests.chain.test_chain_participants import ADDRESSES, memory

from wissel.chain.build import build_chain, build_portal
from wissel.chain.eduid.words import IAP_HIGH
from wissel.chain.participants import make_participants
from wissel.chain.people import People
from wissel.client.words import LearnerProcess, LearnerProcesses, ProcessView, Sent, TokenAnswer, Uploaded
from wissel.core.moments import rfc3339
from wissel.infra.http.memory import MemoryHttp
from wissel.infra.sql.migrate import migrate, read_migrations
from wissel.infra.telemetry.log import SilentLog
from wissel.learner.build import build, provider_card
from wissel.learner.folders import MemoryVaults
from wissel.learner.owner import Owner, make_keys, open_vault
from wissel.learner.words import Asked
from wissel.messages.catalogue import decode, lookup
from wissel.messages.enrolment import EnrolmentRequested, EnrolmentWithdrawn, ObjectionReceived
from wissel.messages.files import misfit
from wissel.messages.jose import SealingKey, SigningKey
from wissel.messages.participant import Card, Key, StandingGrant
from wissel.messages.records import acknowledge
from wissel.messages.verify import b64, canonical, open_jwe, sha256, unb64
from wissel.platform.exchange.grants import check_accepted
from wissel.platform.exchange.proofs import Proven, check_sender
from wissel.platform.exchange.rules import Read, check_envelope, check_start, read_submission
from wissel.platform.exchange.words import Limits
from wissel.platform.participants.actions import Participants
from wissel.platform.store import MIGRATIONS

ORIGIN = "wissel.test/log"
PLATFORM_BASE, PROVIDER_BASE = "http://platform.test", "http://vaults.test"
PLATFORM = SigningKey.new(CountedEntropy("platform"))
SEAL = SealingKey.new(CountedEntropy("institution's files"))
INSTITUTION = "urn:nld:oin:00000099000002001000:systeem:sis"
PROVIDER = "urn:nld:oin:00000099000003001000:systeem:vaults"
KINDS = ("enrolment.requested", "enrolment.withdrawn", "objection.received", "consent.given")


def institution() -> Card:
    key = SigningKey.new(CountedEntropy("institution"))
    grants = []
    for kind in KINDS:
        row = lookup(f"nl.wissel.{kind}.v1")
        grant = StandingGrant(
            grantor=INSTITUTION,
            role="learner",
            type=row.type,
            purpose=row.purpose,
            ground=row.ground,
            since="2026-01-01",
            until="2030-12-31",
        )
        grants.append(key.sign(canonical(msgspec.to_builtins(grant))))
    since, until = rfc3339(START), rfc3339(START.replace(year=2030))
    published = (
        Key(kid=key.kid, use="sign", jwk=key.public_jwk, since=since, until=until),
        Key(kid=SEAL.kid, use="seal", jwk=SEAL.public_jwk, since=since, until=until),
    )
    return Card(urn=INSTITUTION, name="Voorbeeld", roles=("institution",), keys=published, grants=tuple(grants))


class Platform:
    """The platform's checks at acceptance, without its work."""

    def __init__(self, participants: Participants, clock: JumpingClock) -> None:
        self.participants = participants
        self.clock = clock
        self.taken: dict[str, tuple[Read, Proven]] = {}
        self.bodies: list[bytes] = []
        self.views: dict[str, ProcessView] = {}
        self.learners: list[str] = []  # the tokens with which calls came
        self.files: dict[str, tuple[dict[str, str], bytes]] = {}  # by hash: what was said of it, and the sealed bytes
        self.broken = False
        self.remembers = False  # what it took before and has forgotten since is not begun anew

    def accept(self, caller: str, body: bytes) -> str:
        read, now = read_submission(body, Limits()), self.clock.now()
        row = lookup(read.envelope.type)
        check_envelope(read.envelope, row, origin=ORIGIN, now=now, limits=Limits())
        decode(row.type, read.payload)
        proven = check_sender(read, caller, self.participants, now, Limits())
        check_accepted(read.envelope, proven.roles, self.participants, "", now)
        if row.starts:
            check_start(read.envelope)
        if row.starts and not (self.remembers and read.envelope.id in self.taken):
            self.views.setdefault(read.envelope.process, ProcessView(process=read.envelope.process, phase="checking"))
        self.bodies.append(body)
        self.taken[read.envelope.id] = (read, proven)
        return acknowledge(
            PLATFORM,
            commitment=read.commitment,
            sender=read.submission.sender,
            received=START,
            decision="accepted",
            ruleset="test",
            log=ORIGIN,
            keys=dict.fromkeys(proven.kids, 1),
        )


@post("/v1/oauth/token", status_code=200)
async def give_token() -> TokenAnswer:
    return TokenAnswer(access_token="t", expires_in=300, scope="messages processes")


@post("/v1/messages", status_code=202)
async def take(request: Request[Any, Any, Any]) -> Response[Sent]:
    platform: Platform = request.app.state.platform
    if platform.broken:
        return Response(None, status_code=503)  # type: ignore[arg-type] # out of order, without a body
    platform.learners.append(request.headers.get("learner-token", ""))
    body = await request.body()
    acknowledgement = platform.accept(request.app.state.portal, body)
    return Response(Sent(id=read_submission(body, Limits()).envelope.id, acknowledgement=acknowledgement))


@post("/v1/files", status_code=201)
async def take_file(request: Request[Any, Any, Any]) -> Response[Uploaded]:
    platform: Platform = request.app.state.platform
    body = await request.body()
    platform.files[b64(sha256(body))] = (dict(request.query_params), body)
    return Response(Uploaded(file=b64(sha256(body))), status_code=503 if platform.broken else 201)


@get("/v1/processes/{process:str}")
async def view(request: Request[Any, Any, Any]) -> Response[ProcessView]:
    platform: Platform = request.app.state.platform
    found = platform.views.get(request.path_params["process"])
    return Response(found, status_code=200 if found else 404)  # type: ignore[arg-type] # no body when unknown


@get("/v1/processes")
async def mine(request: Request[Any, Any, Any]) -> Response[LearnerProcesses]:
    """What the platform took and has not forgotten; whose it is, the platform's own tests look at."""
    platform: Platform = request.app.state.platform
    platform.learners.append(request.headers.get("learner-token", ""))
    found = []
    for process, seen in platform.views.items():
        taken = [read.envelope for read, _ in platform.taken.values() if read.envelope.process == process]
        found.append(
            LearnerProcess(
                process=process,
                kind="enrolment",
                phase=seen.phase,
                institution=taken[0].recipient,
                subject=taken[0].subject,
                sequence=len(taken) + 1,
                open=seen.open,
            )
        )
    return Response(LearnerProcesses(processes=tuple(found)))


class Stage:
    """Everybody who is needed for a first message, each in an application of its own."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.http, self.folder = JumpingClock(), LateHttp(), folder
        self.stores = {n: database(folder, n) for n in ("platform", "eduid", "duo", "ind", "nuffic", "psp", "portal")}
        self.register = Participants(self.stores["platform"], CountedEntropy("register"))
        self.platform = Platform(self.register, self.clock)
        self.folders = memory()
        self.participants = make_participants(
            self.folders, CountedEntropy("keys"), START, addresses=ADDRESSES.by_name()
        )
        self.owner: Owner
        self.grant = ""
        self.client: AsyncTestClient[Litestar]
        self.steps: dict[str, Any] = {}

    async def open(self, stack: AsyncExitStack) -> None:
        await migrate(self.stores["platform"], read_migrations(MIGRATIONS))
        provider = SigningKey.new(CountedEntropy("provider"))
        until = START.replace(year=2030)
        cards = [
            institution(),
            provider_card(urn=PROVIDER, name="Vaults", key=provider, since=START, until=until),
            *(each.card for each in self.participants.values()),
        ]
        for card in cards:
            await self.register.register(card, START)
        there = world(self.clock, self.http)
        databases = lambda name: self.stores[name.split("/", maxsplit=1)[0]]  # noqa: E731 (two lines, used twice)
        chain = build_chain(
            there,
            self.participants,
            ADDRESSES,
            folders=self.folders,
            databases=databases,
            platform_key={PLATFORM.kid: PLATFORM.public_jwk}.get,
            institutions={},
        )
        portal = build_portal(
            there,
            self.participants,
            ADDRESSES,
            databases=databases,
            browsers=self.folders,
            platform=PLATFORM_BASE,
            platform_keys={PLATFORM.kid: PLATFORM.public_jwk},
            cards=lambda: cards,
            origin=ORIGIN,
        )
        self.steps = dict(portal.steps)
        vaults = build(
            vaults=MemoryVaults(),
            clock=self.clock,
            entropy=CountedEntropy("vaults"),
            log=SilentLog(),
            key=provider,
            platform_key={PLATFORM.kid: PLATFORM.public_jwk}.get,
            base=PROVIDER_BASE,
        )
        platform = Litestar([give_token, take, take_file, view, mine], logging_config=None)
        platform.state.platform, platform.state.portal = self.platform, self.participants["portal"].urn
        apps: dict[str, Any] = {served.address: served.app for served in chain.apps}
        doors = {PLATFORM_BASE: platform, PROVIDER_BASE: vaults.app, ADDRESSES.portal: portal.apps[0].app}
        self.http.inner = MemoryHttp(apps | doors)
        for app in apps.values():
            await stack.enter_async_context(AsyncTestClient(app))
        self.client = await stack.enter_async_context(AsyncTestClient(portal.apps[0].app))

    async def learner(self, ref: str = "everything-fine") -> None:
        """Open her vault, fill in her profile, give the portal a grant and hand it the pointer."""
        entropy, folder = CountedEntropy(ref), self.folders(f"learner/{ref}")
        keys = make_keys(folder, entropy)
        place = await open_vault(self.http, base=PROVIDER_BASE, name=ref, keys=keys, folder=folder)
        self.owner = Owner(self.http, place=place, keys=keys, entropy=entropy)
        await self.owner.write_profile(msgspec.json.encode(People().get(ref).profile()), "")
        portal = self.participants["portal"].urn
        given = await self.owner.give(Asked(kind="portal", purpose="to enrol", until="2026-12-31", holder=portal))
        self.grant = given.id
        pointer = {
            "vault": place.url,
            "grant": given.token,
            "profilekey": keys.profile.private_jwk,
            "key": keys.seal.public_jwk,
            "provider": PROVIDER,
        }
        answer = await self.client.put(f"/play/learners/{ref}", json=pointer)
        assert answer.status_code == 204, answer.text

    async def enrol(self, ref: str = "everything-fine", **other: str) -> Any:
        wish = {"learner": ref, "institution": INSTITUTION, "programme": "34479", **other}
        return await self.client.post("/play/enrolments", json=wish)

    def close(self) -> None:
        for store in self.stores.values():
            store.close()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    found = Stage(tmp_path)
    async with AsyncExitStack() as stack:
        await found.open(stack)
        await found.learner()
        yield found
    found.close()


async def test_her_request_passes_every_check_of_the_platform(stage: Stage) -> None:
    begun = (await stage.enrol()).json()
    read, proven = stage.platform.taken[begun["message"]]
    person = People().get("everything-fine")
    request = decode(read.envelope.type, read.payload)
    assert isinstance(request, EnrolmentRequested)
    assert (request.bsn, request.person, request.start) == (person.bsn, person.stated(), "2026-09-01")
    assert (request.payment.iban, request.motivation) == (person.iban, person.motivation)
    assert (proven.acr, proven.roles) == (IAP_HIGH, frozenset({"learner"}))
    assert read.envelope.process == begun["process"]


async def test_the_addressee_opens_her_vault_for_exactly_those_two(stage: Stage) -> None:
    begun = (await stage.enrol()).json()
    addressee = stage.platform.taken[begun["message"]][0].submission.addressee
    assert addressee is not None
    assert addressee.vault == stage.owner.place.url
    given = {(each.kind, each.holder) for each in await stage.owner.grants() if each.kind not in {"owner", "portal"}}
    assert given == {("process", ""), ("capability", INSTITUTION)}
    assert addressee.token != addressee.capability
    assert set(addressee.key) == {"kty", "crv", "x", "y"}


async def test_two_requests_share_nothing_that_links_her(stage: Stage) -> None:
    one, two = (await stage.enrol()).json(), (await stage.enrol(programme="34480")).json()
    first, second = (stage.platform.taken[each["message"]][0].submission for each in (one, two))
    assert one["subject"] != two["subject"]
    subjects = [msgspec.json.decode(_claims(each.sender.token))["sub"] for each in (first, second)]
    assert len(set(subjects)) == 2
    assert set(msgspec.json.decode(_claims(first.sender.token))) == {
        "iss", "sub", "aud", "iat", "exp", "auth_time", "acr", "nonce",
    }  # fmt: skip


def _claims(token: str) -> bytes:
    return unb64(token.split(".")[1])


async def test_withdrawing_is_her_second_message_in_the_same_process(stage: Stage) -> None:
    begun = (await stage.enrol()).json()
    answer = await stage.client.post(f"/play/enrolments/{begun['process']}/withdraw", json={"text": "Changed my mind."})
    read, _ = stage.platform.taken[answer.json()["message"]]
    assert isinstance(decode(read.envelope.type, read.payload), EnrolmentWithdrawn)
    assert (read.envelope.process, read.envelope.sequence) == (begun["process"], "2")
    assert read.envelope.subject == begun["subject"]
    assert read.submission.addressee is None


async def test_her_consent_names_the_party_that_pays(stage: Stage) -> None:
    begun = (await stage.enrol()).json()
    wish = {"party": "Fonds Voorbeeld"}
    answer = await stage.client.post(f"/play/enrolments/{begun['process']}/consent", json=wish)
    read, _ = stage.platform.taken[answer.json()["message"]]
    assert read.envelope.type == "nl.wissel.consent.given.v1"
    assert msgspec.json.decode(read.payload)["party"] == "Fonds Voorbeeld"


async def test_an_objection_is_a_process_of_its_own(stage: Stage) -> None:
    begun = (await stage.enrol()).json()
    wish = {
        "learner": "everything-fine",
        "institution": INSTITUTION,
        "decision": begun["message"],
        "text": "I do not agree.",
        "afschriften": ["A" * 43],
    }
    answer = (await stage.client.post("/play/objections", json=wish)).json()
    read, _ = stage.platform.taken[answer["message"]]
    assert isinstance(decode(read.envelope.type, read.payload), ObjectionReceived)
    assert answer["process"] != begun["process"]
    assert answer["subject"] != begun["subject"]
    assert read.submission.addressee is not None


async def test_a_message_is_kept_while_the_platform_is_out_of_order_and_sent_as_it_was(stage: Stage) -> None:
    stage.platform.broken = True
    begun = (await stage.enrol()).json()
    standing = (await stage.client.get(f"/play/enrolments/{begun['process']}")).json()
    assert (standing["phase"], standing["sending"]) == ("sending", 1)
    stage.platform.broken = False
    stage.clock.jump(60)
    assert await stage.steps["portal.send"](stage.clock.now()) == 1
    assert begun["message"] in stage.platform.taken


async def test_a_decided_process_is_let_go_of(stage: Stage) -> None:
    process = (await stage.enrol()).json()["process"]
    stage.platform.views[process] = ProcessView(process=process, phase="gates", open=("payment",))
    standing = (await stage.client.get(f"/play/enrolments/{process}")).json()
    assert (standing["phase"], standing["open"], standing["sending"]) == ("gates", ["payment"], 1)
    stage.platform.views[process] = ProcessView(process=process, phase="registered", decided=True)
    assert await stage.steps["portal.look"](stage.clock.now()) == 1
    standing = (await stage.client.get(f"/play/enrolments/{process}")).json()
    assert (standing["decided"], standing["sending"]) == (True, 0)
    late = await stage.client.post(f"/play/enrolments/{process}/withdraw", json={})
    assert late.status_code == 409


async def test_the_portal_looks_at_a_process_once_in_five_seconds(stage: Stage) -> None:
    process = (await stage.enrol()).json()["process"]
    look = stage.steps["portal.look"]
    assert await look(stage.clock.now()) == 1
    stage.platform.views[process] = ProcessView(process=process, phase="gates")
    assert await look(stage.clock.now()) == 0
    stage.clock.jump(5)
    assert await look(stage.clock.now()) == 1


async def test_a_process_that_the_platform_lost_is_sent_again_byte_for_byte(stage: Stage) -> None:
    process = (await stage.enrol()).json()["process"]
    await stage.steps["portal.look"](stage.clock.now())
    stage.platform.views.clear()
    standing = (await stage.client.get(f"/play/enrolments/{process}")).json()
    assert (standing["phase"], standing["decided"]) == ("checking", False)
    assert len(stage.platform.bodies) == 2
    assert stage.platform.bodies[0] == stage.platform.bodies[1]


async def test_a_process_that_was_over_before_it_was_seen_is_forgotten_and_not_sending_for_ever(stage: Stage) -> None:
    process = (await stage.enrol()).json()["process"]
    stage.platform.remembers = True
    stage.platform.views.clear()
    standing = (await stage.client.get(f"/play/enrolments/{process}")).json()
    assert (standing["phase"], standing["decided"], standing["sending"]) == ("forgotten", True, 0)


async def test_a_learner_finds_in_her_list_what_she_began_and_nobody_elses(stage: Stage) -> None:
    process = (await stage.enrol()).json()["process"]
    mine = (await stage.client.get("/play/learners/everything-fine/enrolments")).json()
    assert mine == [{"process": process, "institution": INSTITUTION}]
    assert (await stage.client.get("/play/learners/everything-fine-2/enrolments")).json() == []


async def test_she_can_shut_the_portal_out_at_once(stage: Stage) -> None:
    await stage.owner.revoke(stage.grant)
    answer = await stage.enrol()
    assert answer.status_code == 401
    assert stage.platform.taken == {}


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"institution": "urn:nld:oin:00000099000009999000:systeem:nobody"}, 404),
        ({"learner": "nobody"}, 404),
        ({"form": "evenings"}, 400),
        ({"programme": ""}, 400),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_before_anything_is_sent(
    stage: Stage, other: dict[str, str], status: int
) -> None:
    wish = {"learner": "everything-fine", "institution": INSTITUTION, "programme": "34479", **other}
    answer = await stage.client.post("/play/enrolments", json=wish)
    assert answer.status_code == status
    assert stage.platform.taken == {}


async def test_when_she_cancels_at_the_log_in_nothing_is_sent(stage: Stage) -> None:
    await stage.learner("cancels-login")
    answer = await stage.enrol("cancels-login")
    assert (answer.status_code, "access_denied" in answer.json()["detail"]) == (401, True)
    assert stage.platform.taken == {}


async def test_she_shows_a_photo_and_what_only_a_person_can_judge_and_both_parties_can_open_it(stage: Stage) -> None:
    for ref, kinds in (("everything-fine-2", {"photo"}), ("fails-identity", {"photo", "identityscan"})):
        await stage.learner(ref)
        message = (await stage.enrol(ref)).json()["message"]
        read, _ = stage.platform.taken[message]
        request = decode(read.envelope.type, read.payload)
        assert isinstance(request, EnrolmentRequested)
        assert {file.kind for file in request.files} == kinds
        for ref_ in request.files:
            said, jwe = stage.platform.files[ref_.sealed]
            plain = open_jwe(jwe.decode(), SEAL.private_jwk)
            assert misfit(ref_, plain) == ""
            assert said["process"] == read.envelope.process
            assert said["recipient"] == INSTITUTION
            assert said["dataclass"] == ("special" if ref_.kind == "identityscan" else "personal")
            hers, copy = stage.platform.files[ref_.copy]
            assert hers["recipient"] == read.envelope.subject
            keys = make_keys(stage.folders(f"learner/{ref}"), CountedEntropy("unused"))
            assert open_jwe(copy.decode(), keys.seal.private_jwk) == plain


async def test_a_foreign_diploma_comes_with_its_paper(stage: Stage) -> None:
    await stage.learner("foreign-diploma")
    message = (await stage.enrol("foreign-diploma")).json()["message"]
    read, _ = stage.platform.taken[message]
    request = decode(read.envelope.type, read.payload)
    assert isinstance(request, EnrolmentRequested)
    (diploma,) = request.foreigndiplomas
    assert diploma.file is not None
    assert open_jwe(stage.platform.files[diploma.file.sealed][1].decode(), SEAL.private_jwk).startswith(b"%PDF-")

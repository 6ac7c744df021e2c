"""What a participant with a key of its own might try, and what one bad unit, key or partner must not stop."""

from datetime import timedelta

import msgspec
import pytest
from tests.journeys.parties import EDUID, PORTAL, PROVIDER, SCHOOL, START, World, card_of, urn
from tests.platform.exchange.posts import SUBJECT, answer, drafted, objection, work

from wissel.assembly.platform import published
from wissel.assembly.switch import Switchboard
from wissel.client.words import Settled, Settlement
from wissel.core.errors import WisselError
from wissel.core.moments import dutch_day
from wissel.infra.http.ports import Response
from wissel.infra.sql.ports import Statement
from wissel.messages.enrolment import GateDecided
from wissel.messages.envelope import Offered
from wissel.messages.fields import Payload
from wissel.messages.jose import SigningKey
from wissel.messages.participant import Endpoints
from wissel.messages.payments import MandateConfirmed
from wissel.messages.verify import canonical
from wissel.platform.exchange.running import Running
from wissel.platform.participants.errors import CardInvalid
from wissel.platform.partners.ports import Call, Reply
from wissel.platform.partners.runner import Adapter, ApiCall


async def test_a_token_of_somebody_who_is_no_identity_provider_authenticates_nobody(world: World) -> None:
    forger = SigningKey.new(world.entropy)
    key = published("id_token", forger.public_jwk, forger.kid, START)
    card = world.platform.participants.card(SCHOOL)
    false = msgspec.structs.replace(card, keys=(*card.keys, key), issuer="https://school.test")
    await world.platform.participants.register(false, START)
    made, now = drafted(world), int(world.clock.now().timestamp())
    claims = {"iss": "https://school.test", "aud": "signer", "sub": "x", "nonce": made.login_nonce}
    token = forger.sign(canonical({**claims, "auth_time": now, "exp": now + 60}))
    body = msgspec.json.encode(made.authenticated(world.keys[PORTAL], portal=PORTAL, token=token))
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).accept(PORTAL, body)
    assert (caught.value.code, caught.value.field) == ("sender-unproven", "/sender/token")


@pytest.mark.parametrize("odd", [{"auth_time": "yesterday"}, {"aud": [{"a": 1}]}, {"exp": None}, {"nonce": 7}])
async def test_a_token_with_odd_claims_is_refused_and_not_repeated(world: World, odd: dict[str, object]) -> None:
    made, now = drafted(world), int(world.clock.now().timestamp())
    claims = {"iss": "https://eduid.test", "aud": "signer", "nonce": made.login_nonce, "auth_time": now, "exp": now + 9}
    token = world.keys[EDUID].sign(canonical({**claims, **odd}))
    body = msgspec.json.encode(made.authenticated(world.keys[PORTAL], portal=PORTAL, token=token))
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).accept(PORTAL, body)
    assert (caught.value.code, caught.value.status) == ("sender-unproven", 403)
    assert "yesterday" not in caught.value.sentence


async def test_a_partner_that_was_asked_nothing_in_a_process_says_nothing_there(world: World) -> None:
    psp, key = urn(9, "psp"), SigningKey.new(world.entropy)
    await world.platform.participants.register(card_of(psp, "psp", {psp: key}), START)
    body = objection(world)
    await Switchboard(world.platform.desk).accept(PORTAL, body)
    process = msgspec.json.decode(body)["envelope"]["process"]
    paid = MandateConfirmed(
        statement="0197a1b2-0000-7000-8000-000000000001", result="confirmed", reference="R1", amount=100, parts=1
    )
    made = world.draft(
        "nl.wissel.mandate.confirmed.v1",
        paid,
        source=psp,
        recipient=SCHOOL,
        subject=SUBJECT,
        grant="A" * 43,
        process=process,
        controller=SCHOOL,
        enddate=dutch_day(world.clock.now()),
    )
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).accept(psp, msgspec.json.encode(made.signed(key)))
    assert (caught.value.code, caught.value.sentence) == ("process-mismatch", "You were asked nothing in this process.")


async def test_a_capability_carries_no_message_of_a_process(world: World) -> None:
    made = world.draft(
        "nl.wissel.gate.decided.v1",
        GateDecided(gate="language", decision="met", ground="WHW 7.28", role="admissions"),
        source=SCHOOL,
        recipient=SUBJECT,
        subject=SUBJECT,
        grant="A" * 43,
        process="0197a1b2-0000-8000-8000-000000000001",
        capability="x.y.z",
    )
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).accept(SCHOOL, msgspec.json.encode(made.signed(world.keys[SCHOOL])))
    assert caught.value.code == "process-mismatch", "it is not even opened"


async def test_the_limit_of_running_processes_holds_between_two_counts(world: World) -> None:
    running, now = Running(), world.clock.now()
    assert [await running.admit(world.database, 2, now) for _ in range(2)] == [True, True]
    await Switchboard(world.platform.desk).accept(PORTAL, objection(world, "one"))
    await Switchboard(world.platform.desk).accept(PORTAL, objection(world, "two"))
    assert not await running.admit(world.database, 2, now)
    await world.database.commit([Statement("UPDATE processes SET life = 'decided'")])
    assert await running.admit(world.database, 2, now), "who is refused is counted anew"


async def test_copies_of_what_an_old_key_signed_are_made_after_its_card_was_renewed(world: World) -> None:
    board = Switchboard(world.platform.desk)
    await board.accept(PORTAL, objection(world))
    await work(world)
    (offered,) = await board.offered(SCHOOL, 10)
    await answer(world, offered)
    fresh = SigningKey.new(world.entropy)
    card = card_of(PORTAL, "portal", {PORTAL: fresh}, settings={"clients": ["signer"]})
    await world.platform.participants.register(card, world.clock.now())
    await work(world, 6)
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]
    old = world.keys[PORTAL].kid
    with pytest.raises(WisselError):
        world.platform.participants.live_key(old, "sign", world.clock.now() + timedelta(seconds=1))


async def test_nobody_takes_anothers_key_on_its_card(world: World) -> None:
    theirs = world.platform.participants.card(SCHOOL).keys
    mine = world.platform.participants.card(PROVIDER)
    with pytest.raises(CardInvalid):
        await world.platform.participants.register(msgspec.structs.replace(mine, keys=theirs), START)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endpoints": Endpoints(push="ftp://school.test")}, "/endpoints/push"),
        ({"endpoints": Endpoints(copies="https://user@school.test/")}, "/endpoints/copies"),
        ({"endpoints": Endpoints(api="school.test")}, "/endpoints/api"),
        ({"settings": {"brin": 5}}, "/settings/brin"),
        ({"settings": {"programmes": [{"code": "34401"}]}}, "/settings/programmes/0"),
    ],
)
async def test_a_card_that_could_not_be_used_later_is_refused_at_once(
    world: World, change: dict[str, object], field: str
) -> None:
    card = msgspec.structs.replace(world.platform.participants.card(SCHOOL), **change)
    with pytest.raises(CardInvalid) as caught:
        await world.platform.participants.register(card, START)
    assert caught.value.field == field


async def test_a_key_that_ends_before_it_begins_is_refused(world: World) -> None:
    card = world.platform.participants.card(SCHOOL)
    ended = msgspec.structs.replace(card.keys[0], until=card.keys[0].since)
    with pytest.raises(CardInvalid) as caught:
        await world.platform.participants.register(msgspec.structs.replace(card, keys=(ended, *card.keys[1:])), START)
    assert caught.value.field == "/keys/0/until"


async def test_copies_wait_thirty_days_for_a_vault_also_when_the_process_ended_on_its_last_day(world: World) -> None:
    world.answers["vaults.test"] = Response(503, {}, b"")
    board = Switchboard(world.platform.desk)
    end = dutch_day(world.clock.now())
    await board.accept(PORTAL, objection(world, enddate=end))
    await work(world)
    (offered,) = await board.offered(SCHOOL, 10)
    await answer(world, offered)
    await work(world, 4)
    ((day,),) = await world.database.fetch("SELECT day FROM data_keys WHERE class = 'parcel'")
    assert day == (end + timedelta(days=30)).isoformat()
    await world.clock.sleep(29 * 86_400)
    world.answers.clear()
    await world.database.commit([Statement("UPDATE parcels SET due_ms = 0")])
    await work(world, 3)
    assert await world.database.fetch("SELECT COUNT(*) FROM processes") == [(0,)]
    assert [request.url for request in world.sent if "vaults.test" in request.url][-1].endswith("/copies")


class _Mail:
    """A mailbox with two questions."""

    def __init__(self, waiting: list[Offered]) -> None:
        self.waiting = waiting
        self.settled: list[Settled] = []

    async def offered(self, _caller: str, _limit: int) -> list[Offered]:
        """Return what waits."""
        return self.waiting

    async def settle(self, _caller: str, receipts: list[Settled]) -> list[Settlement]:
        """Take receipts."""
        self.settled += receipts
        return [Settlement(id=one.id, source=one.source) for one in receipts]


async def test_an_answer_that_no_adapter_understands_holds_up_no_other_question(world: World) -> None:
    board = Switchboard(world.platform.desk)
    await board.accept(PORTAL, objection(world, "one"))
    await board.accept(PORTAL, objection(world, "two"))
    await work(world)
    first, second = await board.offered(SCHOOL, 10)
    mail = _Mail([first, second])

    async def translate(call: Call, offered: Offered, data: Payload) -> Reply:
        del call, data
        if offered is first:
            raise KeyError("a field that is not there")
        return Reply(b"")

    adapter = Adapter(
        partner=SCHOOL,
        role="duo",
        key=world.keys[SCHOOL],
        call=ApiCall(http=world, base="https://duo.test", headers={}),
        translate=translate,
        mail=mail,  # type: ignore[arg-type]  # the two verbs that this test needs
        participants=world.platform.participants,
        clock=world.clock,
        entropy=world.entropy,
        origin="wissel.test/log",
    )
    assert await adapter.step(world.clock.now()) == 1
    assert {one.id for one in mail.settled} == {first.envelope.id, second.envelope.id}


@pytest.mark.parametrize("status", [401, 403])
async def test_a_partner_that_does_not_let_the_platform_in_refuses_no_question(world: World, status: int) -> None:
    world.answers["duo.test"] = Response(status, {}, b"")
    with pytest.raises(WisselError) as caught:
        await ApiCall(http=world, base="https://duo.test", headers={})("GET", "/x")
    assert caught.value.code == "partner-busy"

"""Files at the platform: taken in sealed, named by one message, handed to one party, and ended with their keys."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.journeys.parties import EDUID, PLATFORM, PORTAL, PROVIDER, SCHOOL, START, World, make_world
from tests.platform.exchange.posts import answer, vault_says, work

from wissel.assembly.platform import published
from wissel.assembly.switch import Switchboard
from wissel.client.compose import Draft
from wissel.client.files import Attached, SealedFile, attach
from wissel.client.words import Settled, Upload
from wissel.core.errors import WisselError
from wissel.core.moments import end_of
from wissel.infra.http.ports import Response
from wissel.messages.catalogue import Party
from wissel.messages.enrolment import AdmissionDecided, EnrolmentRequested
from wissel.messages.fields import Objection
from wissel.messages.files import FILE_BYTES_MAX, JWE_BYTES_MAX, FileKind, FileRef
from wissel.messages.identity import Address, Person
from wissel.messages.jose import Sealer, SealingKey, SigningKey
from wissel.messages.participant import StandingGrant
from wissel.messages.payments import PaymentChoice
from wissel.messages.records import receipt
from wissel.messages.verify import b64, canonical, open_jwe
from wissel.platform.exchange.words import Limits
from wissel.platform.forgetting.errors import KeyGone
from wissel.platform.forgetting.words import KeyName

REQUESTED = "nl.wissel.enrolment.requested.v1"
SUBJECT = "urn:wissel:learner:5f0c2a4e-8c1d-4a3b-9d2e-1f2a3b4c5d6e"
PHOTO = b"\xff\xd8\xff a fictitious photo"
GRANTS: tuple[tuple[str, Party, str], ...] = (
    (SCHOOL, "learner", REQUESTED),
    (SCHOOL, "platform", "nl.wissel.gate.asked.v1"),
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Return a platform whose school takes requests, and whose eduID may be asked."""
    made = await make_world(tmp_path)
    spoken = SigningKey.new(made.entropy)  # eduID's own key is for id_tokens
    card = made.platform.participants.card(EDUID)
    keys = (*card.keys, published("sign", spoken.public_jwk, spoken.kid, START))
    await made.platform.participants.register(msgspec.structs.replace(card, keys=keys), START)
    object.__setattr__(made, "keys", {**made.keys, EDUID + "/sign": spoken})
    await grant(made, *GRANTS, (EDUID, "platform", "nl.wissel.eduid.asked.v1"))
    yield made
    made.close()


async def grant(world: World, *given: tuple[str, Party, str]) -> None:
    """Let participants grant others to send them something."""
    participants = world.platform.participants
    for who, role, kind in given:
        stated = StandingGrant(
            grantor=who, role=role, type=kind, purpose="p", ground="g", since="2026-01-01", until="2027-12-31"
        )
        card = participants.card(who)
        signed = signer(world, who).sign(canonical(msgspec.to_builtins(stated)))
        await participants.register(msgspec.structs.replace(card, grants=(*card.grants, signed)), START)


def signer(world: World, who: str) -> SigningKey:
    return world.keys.get(who + "/sign") or world.keys[who]


async def answer_all(world: World) -> None:
    """Let the school and eduID accept whatever is offered to them, until nothing is."""
    board = Switchboard(world.platform.desk)
    for _ in range(20):
        await work(world)
        for who in (SCHOOL, EDUID):
            for offered in await board.offered(who, 10):
                signed = receipt(
                    signer(world, who),
                    acknowledgement=offered.acknowledgement,
                    outcome="accepted",
                    at=world.clock.now(),
                )
                settled = Settled(id=offered.envelope.id, source=offered.envelope.source, receipt=signed)
                assert not (await board.settle(who, [settled]))[0].code
        await world.clock.sleep(1)


def paper(world: World, kind: FileKind = "photo", data: bytes = PHOTO, to: SealingKey | None = None) -> Attached:
    """Seal a file to the school (or another) and to the learner."""
    return attach(
        data,
        kind=kind,
        name="Pasfoto",
        mediatype="image/jpeg",
        to=(to or world.seals[SCHOOL]).public_jwk,
        learner=world.seals["learner"].public_jwk,
        entropy=world.entropy,
    )


def request(world: World, *files: FileRef, **more: Any) -> Draft:
    """Return a request that names files, which nobody stands for yet."""
    payload = EnrolmentRequested(
        studyyear="2026-27",
        programme="34401",
        form="fulltime",
        start="2026-09-01",
        person=Person(
            givennames="Noor",
            surname="Voorbeeld",
            birthdate="2007-03-01",
            address=Address(street="Dorpsstraat", number="1", postcode="1234 AB", city="Ergens", country="NL"),
            nationality="NL",
            email="noor@example.org",
        ),
        payment=PaymentChoice(way="once", iban="NL00BANK0123456789", holder="N. Voorbeeld"),
        files=files,
    )
    values = {"source": SUBJECT, "recipient": SCHOOL, "subject": SUBJECT, "addressee": world.addressee(), **more}
    return world.draft(REQUESTED, payload, grant=world.grant(REQUESTED), **values)


async def put(world: World, made: Draft, forms: Sequence[SealedFile], caller: str = PORTAL, **more: Any) -> list[bool]:
    """Upload sealed forms as the client does; return which were new."""
    board, news = Switchboard(world.platform.desk), []
    for form in forms:
        asked = Upload(
            process=made.envelope.process,
            recipient=form.recipient(made.envelope),
            dataclass="special" if form.special else "personal",
        )
        digest, first = await board.upload(caller, msgspec.structs.replace(asked, **more), form.jwe)
        assert digest == form.hash
        news.append(first)
    return news


async def sent(world: World, *papers: Attached) -> Draft:
    """Upload papers and send the request that names them."""
    made = request(world, *(each.ref for each in papers))
    for each in papers:
        await put(world, made, each.sealed)
    await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(made))
    return made


async def files(world: World) -> list[tuple[Any, ...]]:
    """Return (class, message, size) of every file there is."""
    return await world.database.fetch("SELECT keyclass, id, size FROM files ORDER BY keyclass, hash")


async def why(world: World, digest: str, caller: str = SCHOOL) -> str:
    """Return the code with which a download is refused."""
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).download(caller, digest)
    return caught.value.code


async def test_the_receiver_fetches_what_the_message_names_and_only_it_can_open_it(world: World) -> None:
    photo = paper(world)
    await sent(world, photo)
    await work(world)
    board = Switchboard(world.platform.desk)
    assert await board.offered(SCHOOL, 10)
    jwe = await board.download(SCHOOL, photo.ref.sealed)
    assert open_jwe(jwe.decode(), world.seals[SCHOOL].private_jwk) == PHOTO
    for caller in (PORTAL, PROVIDER, EDUID, PLATFORM):
        assert await why(world, photo.ref.sealed, caller) == "file-missing"
    assert await why(world, photo.ref.copy) == "file-missing", "the learner's form is for her vault alone"
    assert await why(world, "A" * 43) == "file-missing"


async def test_a_file_is_there_for_nobody_before_its_message_is_passed_on(world: World) -> None:
    photo = paper(world)
    made = request(world, photo.ref)
    await put(world, made, photo.sealed)
    assert await why(world, photo.ref.sealed) == "file-missing"
    await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(made))
    assert await why(world, photo.ref.sealed) == "file-missing"


async def test_her_form_follows_the_copy_into_her_vault_and_is_let_go_of(world: World) -> None:
    photo = paper(world)
    made = await sent(world, photo)
    await work(world)
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 1)
    await answer(world, offered)
    world.answers["/files"] = Response(503, {}, b"")
    await work(world)
    assert len(await files(world)) == 2, "a vault that is away gets it later"
    del world.answers["/files"]
    await world.clock.sleep(60)
    await work(world)
    (delivery,) = [each for each in world.sent if "/files" in each.url][-1:]
    assert delivery.url == f"https://vaults.test/v/1/files?until={made.envelope.enddate}"
    assert delivery.headers["authorization"] == "Bearer t1"
    assert delivery.headers["content-type"] == "application/jose"
    assert delivery.headers["wissel-proof"]
    assert open_jwe(delivery.body.decode(), world.seals["learner"].private_jwk) == PHOTO
    keys = await world.platform.keys.load([made.envelope.process])
    assert KeyName(made.envelope.process, "parcel", photo.ref.copy) not in keys
    assert [keyclass for keyclass, _, _ in await files(world)] == ["post"]


async def test_a_vault_that_was_withdrawn_gets_nothing_and_the_rest_goes_on(world: World) -> None:
    photo = paper(world)
    await sent(world, photo)
    await work(world)
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 1)
    await answer(world, offered)
    world.answers["/files"] = Response(410, {}, b"")
    await work(world)
    assert len(await files(world)) == 2, "a bare status is nobody's word"
    world.answers["/files"] = vault_says(410)
    await world.clock.sleep(60)
    await work(world)
    assert await world.database.fetch("SELECT COUNT(*) FROM parcels WHERE commitment = ?", (photo.ref.copy,)) == [(0,)]
    assert await Switchboard(world.platform.desk).download(SCHOOL, photo.ref.sealed)


async def test_the_same_bytes_again_are_the_same_file(world: World) -> None:
    photo = paper(world)
    made = request(world, photo.ref)
    assert await put(world, made, photo.sealed) == [True, True]
    assert await put(world, made, photo.sealed) == [False, False]
    await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(made))
    assert await put(world, made, photo.sealed) == [False, False], "a retry after the message changes nothing"
    assert len(await files(world)) == 2


async def test_one_file_is_not_two_things(world: World) -> None:
    photo = paper(world)
    made = request(world, photo.ref)
    await put(world, made, photo.sealed)
    for caller, more in ((PORTAL, {"dataclass": "special"}), (SCHOOL, {})):
        with pytest.raises(WisselError) as caught:
            await put(world, made, photo.sealed[:1], caller, **more)
        assert caught.value.code == "file-taken"


async def test_what_is_not_sealed_to_the_recipient_is_not_taken_in(world: World) -> None:
    stranger = SealingKey.new(world.entropy)
    made, other = request(world), paper(world, to=stranger)
    jwe = Sealer.new(world.seals[SCHOOL].public_jwk, world.entropy).seal(PHOTO, world.entropy)
    wrong = (PHOTO, b"", b"a..b.c.d", jwe.encode() + b"=", jwe.replace("..", ".AAAA."), other.sealed[0].jwe)
    asked = Upload(process=made.envelope.process, recipient=SCHOOL)
    for body in wrong:
        with pytest.raises(WisselError) as caught:
            await Switchboard(world.platform.desk).upload(
                PORTAL, asked, body if isinstance(body, bytes) else body.encode()
            )
        assert (caught.value.code, caught.value.status) == ("file-refused", 422)
    large = jwe.encode().split(b".")
    large[3] = b"A" * JWE_BYTES_MAX
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).upload(PORTAL, asked, b".".join(large))
    assert caught.value.code == "file-refused"
    assert await files(world) == []


async def test_a_sender_has_so_many_files_waiting_and_no_more(world: World) -> None:
    desk = world.platform.desk
    made = request(world)
    for limits in (Limits(files_waiting_max=2), Limits(files_waiting_bytes_max=800)):
        object.__setattr__(desk, "limits", limits)
        for _ in range(2):
            await put(world, made, paper(world).sealed[:1])
        with pytest.raises(WisselError) as caught:
            await put(world, made, paper(world).sealed[:1])
        assert (caught.value.code, caught.value.status) == ("files-waiting", 429)
        await world.clock.sleep(86_401)
        await work(world, 1)
        assert await files(world) == []


@pytest.mark.parametrize(
    ("case", "field"),
    [
        ("never uploaded", "/data/files/0/sealed"),
        ("by another sender", "/data/files/0/sealed"),
        ("in another process", "/data/files/0/sealed"),
        ("her form never uploaded", "/data/files/0/copy"),
        ("her form left out", "/data/files/0/copy"),
        ("a scan like any other file", "/data/files/0/sealed"),
        ("a photo like a scan", "/data/files/0/sealed"),
        ("twice in one message", "/data/files/1/sealed"),
        ("too long ago", "/data/files/0/sealed"),
    ],
)
async def test_a_message_that_names_a_file_that_is_not_there_for_it_is_refused_whole(
    world: World, case: str, field: str
) -> None:
    scan = case == "a scan like any other file"
    one = paper(world, "identityscan" if scan else "photo")
    ref = msgspec.structs.replace(one.ref, copy="") if case == "her form left out" else one.ref
    made = request(world, *((ref, ref) if case == "twice in one message" else (ref,)))
    forms = one.sealed[:1] if case == "her form never uploaded" else one.sealed
    caller = SCHOOL if case == "by another sender" else PORTAL
    more = {"dataclass": "personal"} if scan else {"dataclass": "special"} if case == "a photo like a scan" else {}
    if case != "never uploaded":
        await put(world, request(world) if case == "in another process" else made, forms, caller, **more)
    if case == "too long ago":
        await world.clock.sleep(86_400)
        await work(world, 1)
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(made))
    assert (caught.value.code, caught.value.status, caught.value.field) == ("file-unknown", 422, field)
    assert await world.database.fetch("SELECT COUNT(*) FROM messages") == [(0,)]
    assert all(not message for _, message, _ in await files(world))


async def test_a_file_goes_with_one_message_only(world: World) -> None:
    photo = paper(world)
    await sent(world, photo)
    other = request(world, photo.ref)
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).accept(PORTAL, world.by_learner(other))
    assert caught.value.code == "file-unknown"


async def test_a_file_whose_message_never_comes_ends_after_a_day_with_its_key(world: World) -> None:
    photo = paper(world)
    made = request(world, photo.ref)
    await put(world, made, photo.sealed)
    keys = await world.platform.keys.load([made.envelope.process])
    assert len(keys) == 2
    await world.clock.sleep(86_399)
    await work(world, 1)
    assert len(await files(world)) == 2
    await world.clock.sleep(2)
    await work(world, 2)
    assert await files(world) == []
    assert await world.database.fetch("SELECT COUNT(*) FROM data_keys WHERE process = ?", (made.envelope.process,)) == [
        (0,)
    ]
    for key in keys.values():
        with pytest.raises(WisselError):
            world.platform.keys.unwrap(key.row)


async def test_its_key_lives_as_long_as_its_use_allows(world: World) -> None:
    photo, scan = paper(world), paper(world, "identityscan")
    made = await sent(world, photo, scan)
    keys = await world.platform.keys.load([made.envelope.process])
    days = {name.cls: key.row.day for name, key in keys.items() if name.scope}
    assert days["post"] == made.envelope.enddate
    assert days["special"] == (START + timedelta(weeks=4)).date().isoformat()
    assert days["parcel"] > made.envelope.enddate


async def test_a_scan_ends_after_four_weeks_at_the_latest_and_its_receiver_is_told(world: World) -> None:
    photo, scan = paper(world), paper(world, "identityscan")
    await sent(world, photo, scan)
    await work(world)
    await Switchboard(world.platform.desk).download(SCHOOL, scan.ref.sealed)
    await world.clock.sleep(28 * 86_400 + 1)
    await work(world, 2)
    assert await why(world, scan.ref.sealed) == "file-ended"
    assert await Switchboard(world.platform.desk).download(SCHOOL, photo.ref.sealed)
    assert [size for keyclass, _, size in await files(world) if keyclass == "special"] == [0, 0]


async def test_nothing_stored_of_a_file_is_what_was_uploaded(world: World, tmp_path: Path) -> None:
    photo = paper(world, data=PHOTO + b"OKAPIMARKER" * 10)
    made = request(world, photo.ref)
    await put(world, made, photo.sealed)
    disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for form in photo.sealed:
        assert form.jwe[200:260] not in disk, "the JWE is sealed once more, so that destroying its key destroys it"
    assert b"OKAPIMARKER" not in disk


async def test_the_largest_file_passes_whole(world: World) -> None:
    data = (PHOTO + bytes(FILE_BYTES_MAX))[:FILE_BYTES_MAX]
    photo = paper(world, data=data)
    assert max(len(form.jwe) for form in photo.sealed) <= JWE_BYTES_MAX
    await sent(world, photo)
    await work(world)
    jwe = await Switchboard(world.platform.desk).download(SCHOOL, photo.ref.sealed)
    assert open_jwe(jwe.decode(), world.seals[SCHOOL].private_jwk) == data


async def test_a_file_goes_with_its_process(world: World) -> None:
    photo = paper(world)
    made = await sent(world, photo)
    await work(world)
    (offered,) = await Switchboard(world.platform.desk).offered(SCHOOL, 1)
    await answer(world, offered)
    await work(world)
    assert await Switchboard(world.platform.desk).download(SCHOOL, photo.ref.sealed), "handed to it, not settled yet"
    keys = await world.platform.keys.load([made.envelope.process])
    end = date.fromisoformat(made.envelope.enddate)
    await world.clock.sleep((end_of(end) - world.clock.now()).total_seconds() + 1)
    await work(world, 8)
    assert await why(world, photo.ref.sealed) == "file-missing"
    assert await files(world) == []
    name = KeyName(made.envelope.process, "post", photo.ref.sealed)
    with pytest.raises(KeyGone):
        world.platform.keys.unwrap(keys[name].row)


async def refuse(world: World, made: Draft) -> None:
    """Let the school refuse her, so that the process is decided."""
    objection = Objection(until="2026-06-10", where="https://school.example/bezwaar", how="By letter.")
    refusal = AdmissionDecided(
        decision="refused", role="admission board", ground="education", text="No diploma.", objection=objection
    )
    drafted = world.draft(
        "nl.wissel.admission.decided.v1",
        refusal,
        source=SCHOOL,
        recipient=SUBJECT,
        subject=SUBJECT,
        grant=b64(made.commitment),
        process=made.envelope.process,
    )
    await Switchboard(world.platform.desk).accept(SCHOOL, msgspec.json.encode(drafted.signed(world.keys[SCHOOL])))
    await answer_all(world)


async def test_her_form_waits_for_a_vault_that_is_away_as_long_as_a_copy_does(world: World) -> None:
    photo, scan = paper(world), paper(world, "identityscan")
    world.answers["/files"] = Response(503, {}, b"")
    made = await sent(world, photo, scan)
    await answer_all(world)
    await refuse(world, made)
    process, until = made.envelope.process, (world.clock.now() + timedelta(days=30)).date().isoformat()
    assert await world.database.fetch("SELECT life FROM processes") == [("settled",)]
    keys = "SELECT class, scope, day FROM data_keys WHERE process = ? ORDER BY scope"
    assert await world.database.fetch(keys, (process,)) == [
        ("parcel", "", until),
        ("parcel", photo.ref.copy, until),
    ]
    assert [keyclass for keyclass, _, _ in await files(world)] == ["parcel"]
    assert await why(world, photo.ref.sealed) == "file-missing"
    assert await why(world, scan.ref.sealed) == "file-missing"
    del world.answers["/files"]
    await world.clock.sleep(20 * 86_400)
    await work(world, 6)
    delivered = [each.body for each in world.sent if "/files?" in each.url][-1]
    assert open_jwe(delivered.decode(), world.seals["learner"].private_jwk) == PHOTO
    for table in ("processes", "files", "parcels", "data_keys"):
        assert await world.database.fetch(f"SELECT COUNT(*) FROM {table}") == [(0,)]  # noqa: S608 - a closed list


async def test_a_receiver_whose_grant_is_over_is_handed_no_file(world: World) -> None:
    photo = paper(world)
    await sent(world, photo)
    await work(world)
    participants = world.platform.participants
    card = participants.card(SCHOOL)
    await participants.register(msgspec.structs.replace(card, grants=()), world.clock.now())
    assert await why(world, photo.ref.sealed) == "file-missing"
    await participants.register(card, world.clock.now())
    assert await Switchboard(world.platform.desk).download(SCHOOL, photo.ref.sealed)

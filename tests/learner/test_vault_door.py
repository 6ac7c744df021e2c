"""What a vault promises to its owner, to the platform and to a portal, through its door."""

import json
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.learner.vault_scene import BASE, NOW, UNTIL, Scene

from wissel.infra.files.memory import MemoryFolder
from wissel.infra.http.ports import Http, Request, Response, Unreachable
from wissel.learner.owner import Owner, VaultRefused, make_keys, open_all, open_vault
from wissel.learner.words import OPENINGS_BURST, Asked, Given
from wissel.messages.jose import SigningKey
from wissel.messages.records import read_receipt
from wissel.messages.verify import b64, sha256


async def process_token(scene: Scene, until: str = "2026-12-31") -> Given:
    return await scene.owner.give(Asked(kind="process", purpose="to deliver in one enrolment", until=until))


async def test_a_delivered_copy_is_opened_by_its_owner_alone(scene: Scene) -> None:
    token = (await process_token(scene)).token
    copy, document = scene.afschrift(text="Noor wants to learn")
    answer = await scene.deliver(
        "copies", {"copies": [{"id": copy, "jwe": scene.seal(document), "until": UNTIL}]}, token
    )
    assert (answer.status, json.loads(answer.body)) == (200, {"stored": [copy]})
    vault = scene.folder / "noor" / "vault"
    assert [file.name for file in vault.iterdir()] == [f"{copy}.afschrift"]
    assert b"Noor wants" not in b"".join(file.read_bytes() for file in (scene.folder / "noor").rglob("*.*"))
    assert [(found.id, found.document) for found in await scene.owner.copies()] == [(copy, document)]
    assert [found.document for found in open_all(vault, scene.keys.seal)] == [document]


async def test_a_copy_is_never_overwritten(scene: Scene) -> None:
    token = (await process_token(scene)).token
    copy, document = scene.afschrift()
    first = {"copies": [{"id": copy, "jwe": scene.seal(document), "until": UNTIL}]}
    await scene.deliver("copies", first, token)
    again = await scene.deliver("copies", {"copies": [{"id": copy, "jwe": scene.seal(b"{}"), "until": UNTIL}]}, token)
    assert json.loads(again.body) == {"stored": [copy]}
    assert (await scene.owner.copy(copy)).document == document


async def test_a_hundred_copies_go_in_one_request_and_not_one_more(scene: Scene) -> None:
    token = (await process_token(scene)).token
    made = [scene.afschrift() for _ in range(101)]
    copies = [{"id": copy, "jwe": scene.seal(document), "until": UNTIL} for copy, document in made]
    assert (await scene.deliver("copies", {"copies": copies}, token)).status == 400
    assert await scene.owner.copies() == []
    assert (await scene.deliver("copies", {"copies": copies[:100]}, token)).status == 200
    assert len(await scene.owner.copies()) == 100


@pytest.mark.parametrize("who", ["stranger", "body", "nobody"])
async def test_only_the_platform_delivers_and_only_what_it_signed(scene: Scene, who: str) -> None:
    token = (await process_token(scene)).token
    copy, document = scene.afschrift()
    body = {"copies": [{"id": copy, "jwe": scene.seal(document), "until": UNTIL}]}
    if who == "stranger":
        answer = await scene.deliver("copies", body, token, key=SigningKey.new(scene.entropy))
    elif who == "body":
        answer = await scene.deliver("copies", body, token, sent=b'{"copies":[]}')
    else:
        headers = {"authorization": f"Bearer {token}"}
        answer = await scene.http.send(Request("POST", f"{scene.place.url}/copies", headers, b"{}"))
    assert answer.status == 400
    assert await scene.owner.copies() == []


async def test_an_old_proof_is_refused(scene: Scene) -> None:
    token = (await process_token(scene)).token
    copy, document = scene.afschrift()
    scene.clock.at = NOW - timedelta(minutes=6)
    answer = await scene.deliver(
        "copies",
        {"copies": [{"id": copy, "jwe": scene.seal(document), "until": UNTIL}]},
        token,
        delay=timedelta(minutes=6),
    )
    assert answer.status == 400, "401, 403, 404 and 410 say that she withdrew, and a wrong clock is not her word"


@pytest.mark.parametrize("bad", ["../../keys/seal", "short", "x" * 43 + "\n"])
async def test_an_id_that_is_no_commitment_is_refused(scene: Scene, bad: str) -> None:
    token = (await process_token(scene)).token
    answer = await scene.deliver("copies", {"copies": [{"id": bad, "jwe": scene.seal(b"{}"), "until": UNTIL}]}, token)
    assert answer.status == 400
    assert json.loads(answer.body)["type"] == "urn:wissel:problem:body-unreadable"


async def test_a_message_is_receipted_by_the_provider_and_waits_for_its_copy(scene: Scene) -> None:
    token = (await process_token(scene)).token
    copy, document = scene.afschrift()
    acknowledgement = scene.acknowledgement(bytes.fromhex(sha256(b"x").hex()))
    message = {"id": "01963a00-0000-7000-8000-000000000001", "acknowledgement": acknowledgement}
    answer = await scene.deliver(
        "messages", {"messages": [{**message, "jwe": scene.seal(b"{}"), "until": UNTIL}]}, token
    )
    [given] = json.loads(answer.body)["receipts"]
    read = read_receipt(given["receipt"], scene.provider.public_jwk)
    assert (read.outcome, read.acknowledgement) == ("accepted", b64(sha256(acknowledgement.encode())))
    [(waiting, opened)] = await scene.owner.inbox()
    assert (waiting.commitment, opened) == (b64(sha256(b"x")), b"{}")
    await scene.deliver(
        "copies", {"copies": [{"id": waiting.commitment, "jwe": scene.seal(document), "until": UNTIL}]}, token
    )
    assert await scene.owner.inbox() == []
    assert copy != waiting.commitment


async def test_the_same_message_again_gets_the_same_receipt(scene: Scene) -> None:
    token = (await process_token(scene)).token
    message = {
        "id": "01963a00-0000-7000-8000-000000000001",
        "acknowledgement": scene.acknowledgement(sha256(b"x")),
        "jwe": scene.seal(b"{}"),
        "until": UNTIL,
    }
    first = await scene.deliver("messages", {"messages": [message]}, token)
    scene.clock.at += timedelta(minutes=2)
    again = await scene.deliver(
        "messages", {"messages": [{**message, "jwe": scene.seal(b"{}"), "until": UNTIL}]}, token
    )
    assert first.body == again.body
    other = {**message, "acknowledgement": scene.acknowledgement(sha256(b"y"))}
    assert (await scene.deliver("messages", {"messages": [other]}, token)).status == 409


async def test_a_message_that_the_platform_did_not_acknowledge_is_refused_whole(scene: Scene) -> None:
    token = (await process_token(scene)).token
    good = {
        "id": "01963a00-0000-7000-8000-000000000001",
        "acknowledgement": scene.acknowledgement(sha256(b"x")),
        "jwe": scene.seal(b"{}"),
        "until": UNTIL,
    }
    forged = scene.acknowledgement(sha256(b"y"), SigningKey.new(scene.entropy))
    bad = {**good, "id": "01963a00-0000-7000-8000-000000000002", "acknowledgement": forged}
    assert (await scene.deliver("messages", {"messages": [good, bad]}, token)).status == 422
    assert await scene.owner.inbox() == []


def said(answer: Response) -> tuple[int, str]:
    """Return status and code of a problem document: the platform believes nothing less (docs/vault.md)."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status, json.loads(answer.body)["code"]


async def test_who_is_refused_hears_it_in_the_words_that_the_platform_believes(scene: Scene) -> None:
    copy, document = scene.afschrift()
    body = {"copies": [{"id": copy, "jwe": scene.seal(document)}]}
    portal = await scene.owner.give(Asked(kind="portal", purpose="the profile", until="2027-08-31", holder="p"))
    assert said(await scene.deliver("copies", body, f"{'A' * 22}.{'B' * 43}")) == (401, "vault-no-grant")
    assert said(await scene.deliver("copies", body, portal.token)) == (403, "vault-not-granted")
    scene.place = msgspec.structs.replace(scene.place, vault=f"{scene.place.vault[:-1]}x")
    assert said(await scene.deliver("copies", body, portal.token)) == (404, "vault-unknown")


async def test_a_revoked_grant_answers_gone_at_once(scene: Scene) -> None:
    given = await scene.owner.give(Asked(kind="capability", purpose="later notices", until="2027-08-31"))
    copy, document = scene.afschrift()
    body = {"copies": [{"id": copy, "jwe": scene.seal(document), "until": UNTIL}]}
    await scene.owner.revoke(given.id)
    await scene.owner.revoke(given.id)
    assert said(await scene.deliver("copies", body, given.token)) == (410, "vault-withdrawn")
    assert said(await scene.deliver("messages", {"messages": []}, given.token)) == (410, "vault-withdrawn")
    [seen] = [grant for grant in await scene.owner.grants() if grant.id == given.id]
    assert seen.revoked


async def test_a_grant_ends_on_its_end_date(scene: Scene) -> None:
    given = await process_token(scene, until="2026-04-15")
    copy, document = scene.afschrift()
    body = {"copies": [{"id": copy, "jwe": scene.seal(document), "until": UNTIL}]}
    assert (await scene.deliver("copies", body, given.token)).status == 200
    scene.clock.at = NOW + timedelta(days=1)
    assert (await scene.deliver("copies", body, given.token)).status == 410


async def test_a_token_opens_one_vault_and_for_one_thing(scene: Scene) -> None:
    given = await process_token(scene)
    as_bearer = Owner(
        scene.http,
        place=type(scene.place)(base=scene.place.base, vault=scene.place.vault, token=given.token),
        keys=scene.keys,
        entropy=scene.entropy,
    )
    for call in (as_bearer.copies(), as_bearer.grants(), as_bearer.profile()):
        with pytest.raises(VaultRefused) as refused:
            await call
        assert refused.value.http_status == 403
    unknown = await scene.deliver("copies", {}, given.token[:-1] + ("A" if given.token[-1] != "A" else "B"))
    assert unknown.status == 401


async def test_a_portal_works_on_the_profile_until_its_grant_is_withdrawn(scene: Scene) -> None:
    given = await scene.owner.give(
        Asked(
            kind="portal", purpose="to prepare an enrolment", until="2026-08-31", holder="urn:nld:oin:1:systeem:portal"
        )
    )
    place = type(scene.place)(base=scene.place.base, vault=scene.place.vault, token=given.token)
    portal = Owner(scene.http, place=place, keys=scene.keys, entropy=scene.entropy)
    assert await portal.profile() == (b"", "")
    tag = await portal.write_profile(b'{"language":"nld"}', "")
    with pytest.raises(VaultRefused) as stale:
        await portal.write_profile(b"{}", '"other"')
    assert stale.value.http_status == 412
    assert await scene.owner.profile() == (b'{"language":"nld"}', tag)
    files = (scene.folder / "noor" / "profile").iterdir()
    assert b"nld" not in b"".join(file.read_bytes() for file in files if file.name == "profile.json")
    token = await portal.give(Asked(kind="process", purpose="one enrolment", until="2026-12-31"))
    with pytest.raises(VaultRefused):
        await portal.give(Asked(kind="portal", purpose="more", until="2026-12-31"))
    await portal.revoke(token.id)
    await scene.owner.revoke(given.id)
    with pytest.raises(VaultRefused) as gone:
        await portal.profile()
    assert gone.value.http_status == 410


async def test_a_portal_cannot_use_up_the_grants_of_her_vault(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wissel.learner.provider.GRANTS_MAX", 5)
    monkeypatch.setattr("wissel.learner.provider.PORTAL_GRANTS_MAX", 2, raising=False)
    given = await scene.owner.give(Asked(kind="portal", purpose="to prepare an enrolment", until="2026-08-31"))
    place = msgspec.structs.replace(scene.place, token=given.token)
    portal = Owner(scene.http, place=place, keys=scene.keys, entropy=scene.entropy)
    asked = Asked(kind="process", purpose="one enrolment", until="2026-12-31")
    for _ in range(2):
        await portal.give(asked)
    with pytest.raises(VaultRefused, match="507"):
        await portal.give(asked)
    await scene.owner.give(asked)
    with pytest.raises(VaultRefused, match="507"):
        await scene.owner.give(asked)


async def test_tokens_and_their_secrets_are_not_on_the_providers_disk(scene: Scene) -> None:
    given = await process_token(scene)
    secret = given.token.partition(".")[2].encode()
    profile = scene.folder / "noor" / "profile"
    assert all(secret not in file.read_bytes() for file in profile.iterdir())


async def test_a_copy_goes_on_its_end_date_unless_the_owner_keeps_it(scene: Scene) -> None:
    token = (await process_token(scene)).token
    kept, gone = scene.afschrift("2026-05-01"), scene.afschrift("2026-05-01")
    copies = [{"id": copy, "jwe": scene.seal(document), "until": "2026-05-01"} for copy, document in (kept, gone)]
    await scene.deliver("copies", {"copies": copies}, token)
    assert await scene.owner.tend() == 2
    await scene.owner.keep(kept[0], date(2030, 1, 1))
    assert await scene.owner.tend() == 0
    assert await scene.built.provider.step(NOW + timedelta(days=16)) == 0
    assert await scene.built.provider.step(NOW + timedelta(days=17)) == 1
    assert [copy.id for copy in await scene.owner.copies()] == [kept[0]]


async def test_a_copy_kept_until_the_last_day_there_is_holds_up_nobody_elses_end(scene: Scene) -> None:
    token = (await process_token(scene)).token
    ever, gone = scene.afschrift("2026-05-01"), scene.afschrift("2026-05-01")
    copies = [{"id": copy, "jwe": scene.seal(document), "until": "2026-05-01"} for copy, document in (ever, gone)]
    await scene.deliver("copies", {"copies": copies}, token)
    assert await scene.owner.tend() == 2
    await scene.owner.keep(ever[0], date.max)
    assert await scene.built.provider.step(NOW + timedelta(days=17)) == 1
    assert [copy.id for copy in await scene.owner.copies()] == [ever[0]]


async def test_a_provider_that_starts_again_knows_its_vaults(scene: Scene, tmp_path: Path) -> None:
    again = Scene(tmp_path / "learners")
    assert list(again.built.provider._vaults.all()) == [scene.place.vault]


class Deaf:
    """An Http whose first answer is lost on its way back."""

    def __init__(self, http: Http) -> None:
        self._http, self._lost = http, False

    async def send(self, request: Request) -> Response:
        answer = await self._http.send(request)
        if self._lost:
            return answer
        self._lost = True
        raise Unreachable("No answer came.")


async def test_a_vault_whose_opening_was_not_heard_is_opened_by_asking_again(scene: Scene) -> None:
    folder, http = MemoryFolder(), Deaf(scene.http)
    keys = make_keys(folder, scene.entropy)
    with pytest.raises(Unreachable):
        await open_vault(http, base=BASE, name="jip", keys=keys, folder=folder)
    place = await open_vault(http, base=BASE, name="jip", keys=keys, folder=folder)
    assert await Owner(http, place=place, keys=keys, entropy=scene.entropy).copies() == []


@pytest.mark.parametrize("other", ["key", "grant", "digest"])
async def test_who_asks_for_a_name_that_is_taken_gets_nobodys_vault(scene: Scene, other: str) -> None:
    grant, _, secret = scene.place.token.partition(".")
    right = {
        "name": "noor",
        "key": scene.keys.seal.public_jwk,
        "grant": grant,
        "digest": b64(sha256(secret.encode())),
    }
    wrong = {"key": scene.keys.profile.public_jwk, "grant": "A" * 22, "digest": "A" * 43}
    bodies = [json.dumps(body).encode() for body in (right, {**right, other: wrong[other]})]
    same, another = [await scene.http.send(Request("POST", f"{BASE}/v", {}, body)) for body in bodies]
    assert (same.status, json.loads(same.body)) == (201, {"vault": scene.place.vault})
    assert another.status == 409


async def test_a_private_key_is_refused_when_a_vault_is_opened(scene: Scene) -> None:
    body = {"name": "other", "key": scene.keys.seal.private_jwk, "grant": "A" * 22, "digest": "A" * 43}
    answer = await scene.http.send(Request("POST", f"{BASE}/v", {}, json.dumps(body).encode()))
    assert answer.status == 422
    assert "private" in answer.body.decode()


async def test_one_address_opens_so_many_vaults_and_hears_when_it_may_open_more(scene: Scene) -> None:
    taken = {"name": "noor", "key": scene.keys.seal.public_jwk, "grant": "A" * 22, "digest": "A" * 43}
    body = msgspec.json.encode(taken)  # it uses up no room
    statuses = [(await scene.http.send(Request("POST", f"{BASE}/v", {}, body))).status for _ in range(OPENINGS_BURST)]
    assert set(statuses) == {409, 429}, "the scene opened one"
    answer = await scene.http.send(Request("POST", f"{BASE}/v", {}, body))
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    scene.clock.at += timedelta(seconds=1)
    assert (await scene.http.send(Request("POST", f"{BASE}/v", {}, body))).status == 409

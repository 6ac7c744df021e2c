"""The institution's own vault: what comes in, what it lets go, and when it ends."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tests.institution.connector_scene import CONNECTOR, NOW, Scene

from wissel.infra.files.disk import DiskFolder
from wissel.infra.http.ports import Request
from wissel.institution.errors import SettingsWrong
from wissel.institution.samples import sample_houses
from wissel.institution.setup import keep_house, make_card, make_keys, read_house
from wissel.messages.catalogue import CATALOGUE
from wissel.messages.jose import Sealer, SigningKey
from wissel.messages.participant import StandingGrant
from wissel.messages.verify import check_jws, open_jwe, thumbprint


def vault_of(scene: Scene) -> list[str]:
    return sorted(file.name for file in (scene.folder / "vault").iterdir())


async def outgoing(scene: Scene) -> list[str]:
    listed = json.loads((await scene.staff("GET", "")).body)
    return [state for _, _, state, _ in listed["outgoing"]]


async def test_a_message_is_kept_until_its_afschrift_with_the_receipt_is_in_the_vault(scene: Scene) -> None:
    await scene.hear(scene.request())
    assert await outgoing(scene) == ["acknowledged", "acknowledged"]
    copies = [scene.copy_of(one) for one in scene.platform.accepted]
    answer = await scene.deliver(*copies)
    assert json.loads(answer.body) == {"stored": [commitment for commitment, _ in copies]}
    assert await outgoing(scene) == []
    assert vault_of(scene) == sorted(f"{commitment}.afschrift" for commitment, _ in copies)
    for file in (scene.folder / "vault").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        opened = json.loads(open_jwe(file.read_text(), scene.keys.seal.private_jwk))
        assert opened["receipt"]


async def test_an_unreceipted_message_is_sent_again_as_the_same_bytes(scene: Scene) -> None:
    await scene.hear(scene.request())
    before = {message: body for message, (body, _) in scene.platform.answers.items()}
    scene.platform.answers.clear()  # the platform lost what it had
    scene.platform.accepted.clear()
    scene.clock.at = NOW + timedelta(hours=7)
    await scene.work()
    assert len(before) == 2
    assert {message: body for message, (body, _) in scene.platform.answers.items()} == before


async def test_the_next_of_a_lane_follows_the_number_that_the_vault_proves(scene: Scene) -> None:
    await scene.hear(scene.request())
    await scene.deliver(*(scene.copy_of(one) for one in scene.platform.accepted))
    body = {"process": scene.process, "decision": "admitted", "role": "officer"}
    await scene.staff("POST", "/admissions", body)
    await scene.work()
    assert scene.platform.said("admission.decided")[0].envelope.sequence == "3"


async def test_the_same_copy_again_is_harmless(scene: Scene) -> None:
    await scene.hear(scene.request())
    copy = scene.copy_of(scene.platform.accepted[0])
    assert (await scene.deliver(copy)).body == (await scene.deliver(copy)).body
    assert len(vault_of(scene)) == 1


async def test_a_copy_that_is_not_ours_or_not_named_for_what_it_is_is_not_stored(scene: Scene) -> None:
    await scene.hear(scene.request())
    first, second = (scene.copy_of(one) for one in scene.platform.accepted[:2])
    stranger = Sealer.new(type(scene.keys.seal).new(scene.entropy).public_jwk, scene.entropy)
    for copy in ((first[0], stranger.seal(b"{}", scene.entropy)), (first[0], second[1])):
        assert json.loads((await scene.deliver(copy)).body) == {"stored": []}
    assert vault_of(scene) == []


async def test_only_the_platform_delivers_and_pushes(scene: Scene) -> None:
    for what in ("copies", "messages"):
        assert (await scene.post(what, b"{}", key=SigningKey.new(scene.entropy))).status == 400
        plain = Request("POST", f"{CONNECTOR}/noord/{what}", {}, b"{}")
        assert (await scene.http.send(plain)).status == 401
        assert (await scene.post(what, b'{"copies":[]}')).status == 400
    other = Request("POST", f"{CONNECTOR}/elsewhere/copies", {"wissel-proof": "x"}, b"{}")
    assert (await scene.http.send(other)).status == 404


async def test_the_vault_holds_sealed_copies_and_nothing_else(scene: Scene) -> None:
    await scene.enrol_to_ready()
    await scene.deliver(*(scene.copy_of(one) for one in scene.platform.accepted))
    assert all(name.endswith(".afschrift") for name in vault_of(scene))
    assert all(b"Noor" not in (scene.folder / "vault" / name).read_bytes() for name in vault_of(scene))


def test_keys_are_made_once_and_a_card_shows_their_public_halves_only(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    house, folder = scene.house, DiskFolder(tmp_path / "keys", tmp_path / "keys")
    first, again = (make_keys(folder, house, scene.entropy) for _ in range(2))
    assert (first.sign.kid, first.seal.kid, first.desk) == (again.sign.kid, again.seal.kid, again.desk)
    card = make_card(house, first, base=CONNECTOR, since=NOW, until=NOW + timedelta(days=365))
    assert all("d" not in key.jwk and thumbprint(key.jwk) == key.kid for key in card.keys)
    assert card.endpoints.copies == card.endpoints.witness == f"{CONNECTOR}/noord"
    assert card.endpoints.push == ""


def test_an_institution_grants_whom_the_message_table_names_and_nobody_else(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    keys = make_keys(DiskFolder(tmp_path, tmp_path), scene.house, scene.entropy)
    card = make_card(scene.house, keys, base=CONNECTOR, since=NOW, until=NOW + timedelta(days=365))
    grants = [
        msgspec.json.decode(check_jws(compact, keys.sign.public_jwk)[1], type=StandingGrant) for compact in card.grants
    ]
    named = {(row.type, role) for row in CATALOGUE.values() if row.recipient == "institution" for role in row.senders}
    assert {(grant.type, grant.role) for grant in grants} == named
    assert {grant.grantor for grant in grants} == {scene.house.urn}


def test_a_house_is_written_and_read_and_a_wrong_setting_is_named(tmp_path: Path) -> None:
    profile = DiskFolder(tmp_path, tmp_path)
    with pytest.raises(SettingsWrong, match=r"house\.json"):
        read_house(profile)
    for house in sample_houses():
        keep_house(profile, house)
        assert read_house(profile) == house
    data = json.loads((tmp_path / "house.json").read_text())
    data["rule"]["refuses"] = True
    profile.replace("house.json", json.dumps(data).encode())
    with pytest.raises(SettingsWrong) as wrong:
        read_house(profile)
    assert wrong.value.field == "rule"

"""A learner without a vault: the default provider opens one, or she downloads; a request never fails for want of it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.nation import Nation, nation
from tests.journeys.parties import SeededEntropy

from wissel.assembly.demo import play
from wissel.client import Client
from wissel.institution.samples import urn
from wissel.messages.jose import SigningKey
from wissel.messages.verify import jws_header, names, open_copy, open_jwe, parse_json, read_trust, verify

INSTITUTION = "institutions/noord"
DOWNLOADS, DEFAULT, NEVER = "everything-fine-downloads", "everything-fine-without-vault", "never-downloads"


def verified(here: Nation, owner: str) -> set[str]:
    """Verify every copy in a vault with its owner's key; return the commitments."""
    trust, place = read_trust((here.scene.data / "trust.json").read_bytes()), here.scene.data / owner
    jwk = parse_json((place / "keys" / "seal.json").read_bytes())
    files = sorted((place / "vault").iterdir())
    for file in files:
        verdict = verify(open_copy(file.read_bytes(), jwk), trust)
        assert verdict.ok, verdict
        assert verdict.witnessed
    return {file.stem for file in files}


def private_key(here: Nation, ref: str) -> bytes:
    """Return the private half of the key to which her copies are sealed."""
    jwk = parse_json((here.scene.data / "learners" / ref / "keys" / "seal.json").read_bytes())
    return str(jwk["d"]).encode()


def written_by(here: Nation, *places: str) -> bytes:
    """Return everything that some owners have on their disks."""
    files = [file for place in places for file in (here.scene.data / place).rglob("*") if file.is_file()]
    assert files
    return b"".join(file.read_bytes() for file in files)


def on_the_shelf(here: Nation) -> list[tuple[Any, ...]]:
    """Return what the portal keeps for those who download: kind, characters of the JWE, has it a receipt."""
    with closing(sqlite3.connect(here.scene.data / "chain" / "portal" / "book.sqlite")) as book:
        return book.execute("SELECT kind, LENGTH(jwe), receipt <> '' FROM items ORDER BY kind, id").fetchall()


def as_portal(here: Nation) -> Client:
    """Return the portal at the public API, with its own key."""
    return as_participant(here, next(card.urn for card in here.scene.cards if "portal" in card.roles), "chain/portal")


def as_institution(here: Nation) -> Client:
    """Return the institution at the public API, with its own key."""
    return as_participant(here, urn("99XA"), INSTITUTION)


def as_participant(here: Nation, urn: str, place: str) -> Client:
    key = SigningKey.from_jwk(parse_json((here.scene.data / place / "keys" / "sign.json").read_bytes()))
    base = here.scene.address("platform")
    return Client(here.network, here.clock, SeededEntropy(99), base=base, urn=urn, key=key)


async def come_back_until(here: Nation, ref: str, event: str, process: str, rounds: int = 400) -> None:
    """Let a learner visit her portal every half second until the platform's log says something of a process."""
    for _ in range(rounds):
        if any(name == event and said.get("process") == process for name, said in here.log.said):
            break
        await here.round()
        await here.clock.sleep(0.5)
        await play.download(here.scene, here.network, ref)
    else:
        raise AssertionError(f"{event} did not come in {rounds} rounds")
    await play.download(here.scene, here.network, ref)


async def test_the_default_provider_opens_a_vault_for_who_has_none_and_it_is_hers(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        guest = play.arrive(here.scene, DEFAULT)
        process = await here.enrol(guest)
        await here.until("process.forgotten", process)
        hers = verified(here, f"learners/{DEFAULT}")
        assert hers == verified(here, INSTITUTION) | hers
        assert len(hers) > len(verified(here, INSTITUTION)), "she also has what others told each other about her"
        owner = play.owner_of(guest, here.network)
        assert owner is not None
        assert {copy.id for copy in await owner.copies()} == hers, "her own software opens what the provider keeps"
        assert {grant.kind for grant in await owner.grants()} == {"owner", "portal", "process", "capability"}
        secret = private_key(here, DEFAULT)
        assert secret not in written_by(here, "provider", "chain", "platform", f"learners/{DEFAULT}/profile")
        await here.desk("noord", "/notices", {"process": process, "title": "Your first day", "text": "Welcome."})
        await here.settle(20)
        notices = [copy for copy in here.copies(f"learners/{DEFAULT}") if "notice" in copy["envelope"]["type"]]
        assert [notice["payload"]["text"] for notice in notices] == ["Welcome."], "reached when all is forgotten"


async def test_who_downloads_has_every_copy_and_her_portal_could_read_none(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        process = await here.enrol(play.arrive(here.scene, DOWNLOADS))
        await come_back_until(here, DOWNLOADS, "process.forgotten", process)
        assert verified(here, f"learners/{DOWNLOADS}") > verified(here, INSTITUTION)
        copies = here.copies(f"learners/{DOWNLOADS}")
        assert "nl.wissel.enrolment.confirmed.v1" in {copy["envelope"]["type"] for copy in copies}
        portal = next(card for card in here.scene.cards if "portal" in card.roles)
        signers = {
            jws_header(copy["receipt"])["kid"]
            for copy in copies
            if copy["envelope"]["recipient"] == copy["envelope"]["subject"]
        }
        assert signers == {key.kid for key in portal.keys if key.use == "sign"}, "a download counts with its receipt"
        (photo,) = (here.scene.data / "learners" / DOWNLOADS / "files").iterdir()
        jwk = parse_json((here.scene.data / "learners" / DOWNLOADS / "keys" / "seal.json").read_bytes())
        assert any(names(copy["payload"], open_copy(photo.read_bytes(), jwk)) for copy in copies)
        assert on_the_shelf(here) == [], "what she has at home is gone here"
        assert not list((here.scene.data / "learners" / DOWNLOADS / "profile").glob("message.*"))
        assert private_key(here, DOWNLOADS) not in written_by(here, "chain", "platform", "provider")


async def test_one_visit_brings_every_message_and_then_the_process_ends(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        process = await here.enrol(play.arrive(here.scene, DOWNLOADS))
        await here.settle(120)  # everybody else is done long before she comes back
        to_her = [(name, said) for name, said in here.log.said if said.get("recipient") == "learner"]
        sent = [said["type"] for name, said in to_her if name == "message.accepted"]
        assert "nl.wissel.enrolment.confirmed.v1" in sent
        assert not [said for name, said in to_her if name == "message.ended"], "nothing is done before she comes"
        taken = await play.call(
            here.network, "POST", f"{here.scene.address('portal')}/play/learners/{DOWNLOADS}/downloads", {}
        )
        assert taken["messages"] == len(sent) > 1
        await here.until("process.forgotten", process)
        ended = [said for name, said in here.log.said if name == "message.ended" and said["recipient"] == "learner"]
        assert [said["outcome"] for said in ended] == ["accepted"] * len(sent)


async def test_a_message_waits_sealed_at_the_portal_until_she_comes(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        process = await here.enrol(play.arrive(here.scene, DOWNLOADS))
        await here.settle(60)
        assert ("message", False) in {(kind, receipted) for kind, _, receipted in on_the_shelf(here)}
        portal = as_portal(here)
        assert await portal.pull() == [], "what waits for her is never handed out in clear"
        (sealed,) = await portal.lane(process)
        jwk = parse_json((here.scene.data / "learners" / DOWNLOADS / "keys" / "seal.json").read_bytes())
        envelope = parse_json(open_jwe(sealed.jwe, jwk))["envelope"]
        assert (envelope["id"], envelope["enddate"]) == (sealed.id, sealed.until)
        assert [one.id for one in await portal.lane(process)] == [sealed.id], "to look changes nothing"
        assert await as_institution(here).lane(process) == [], "it is nobody else's to hand on"
        shown = await play.call(here.network, "GET", f"{here.scene.address('portal')}/play/enrolments/{process}", {})
        assert not shown["decided"]
        mine = await play.call(
            here.network, "POST", f"{here.scene.address('portal')}/play/learners/everything-fine/downloads", {}
        )
        assert mine == {"messages": 0, "copies": 0, "files": 0}, "nobody else is handed what is hers"
        await come_back_until(here, DOWNLOADS, "process.forgotten", process)


async def test_a_request_goes_on_when_no_provider_opens_a_vault(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        here.network.down.add(here.scene.address("vaults"))
        process = await here.enrol(play.arrive(here.scene, DEFAULT))
        await come_back_until(here, DEFAULT, "process.forgotten", process)
        assert verified(here, f"learners/{DEFAULT}") > verified(here, INSTITUTION)


async def test_whose_vault_is_away_is_told_and_may_choose_to_download(tmp_path: Path) -> None:
    ref = "everything-fine"
    async with nation(tmp_path / "data") as here:
        learner = await here.learner(ref)
        here.network.down.add(here.scene.address("vaults"))
        with pytest.raises(play.StoryFailed, match=r"502.*choose to download"):
            await here.enrol(learner)
        wish = {"learner": ref, "institution": urn("99XA"), "programme": "80059", "copies": "downloads"}
        begun = await play.call(here.network, "POST", f"{here.scene.address('portal')}/play/enrolments", wish)
        await come_back_until(here, ref, "process.forgotten", begun["process"])
        assert verified(here, f"learners/{ref}") > verified(here, INSTITUTION)


async def test_who_never_downloads_leaves_nothing_stuck(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        process = await here.enrol(play.arrive(here.scene, NEVER))
        await here.settle(60)
        for _ in range(90):
            await here.pass_days(7, rounds=2)
            if any(name == "process.forgotten" for name, _ in here.log.said):
                break
        ends = [
            said["outcome"]
            for name, said in here.log.said
            if name == "message.ended" and said["recipient"] == "learner"
        ]
        assert ends
        assert set(ends) == {"undelivered"}
        assert any(name == "process.forgotten" and said["process"] == process for name, said in here.log.said)
        theirs = [
            copy for copy in here.copies(INSTITUTION) if copy["envelope"]["recipient"] == copy["envelope"]["subject"]
        ]
        assert theirs
        assert all("undelivered" in copy and "payload" not in copy for copy in theirs)
        verified(here, INSTITUTION)
        assert on_the_shelf(here), "sealed copies wait for her a while longer"
        await here.pass_days(61, rounds=1)
        assert on_the_shelf(here) == [], "and then they are gone"

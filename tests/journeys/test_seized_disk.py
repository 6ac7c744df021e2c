"""Whoever holds the platform's disk: nothing in clear while a process runs, nothing at all once it is forgotten."""

import base64
import shutil
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.journeys.nation import Nation, nation

from wissel.assembly.demo import play
from wissel.chain.people import People
from wissel.infra.sql.sqlite import back_up
from wissel.messages.verify import open_jwe, parse_json
from wissel.platform.forgetting.thief.actions import rob
from wissel.platform.forgetting.thief.words import Loot, MarkerHit

NAME: Final = "Zebramarker"
STREET: Final = "Quaggamarkerstraat"
PAPER: Final = "Verzonnen pasfoto van Test Zebramarker"  # inside her photo, and nowhere else
MOTIVATION: Final = "Okapimarker wil dit heel graag leren"


async def marked(here: Nation) -> tuple[str, tuple[str, ...]]:
    """Let a learner enrol whose name, address, number and motivation are found nowhere else."""
    learner = await here.learner("without-diploma")
    person = People().get("without-diploma")
    profile: dict[str, Any] = person.profile()
    profile["person"]["surname"] = NAME
    profile["person"]["address"]["street"] = STREET
    profile["motivation"] = MOTIVATION
    _, tag = await learner.owner.profile()
    await learner.owner.write_profile(msgspec.json.encode(profile), tag)
    process = await here.enrol(learner, play.Wish())
    return process, (NAME, STREET, MOTIVATION, person.bsn, PAPER)


def in_clear(loot: Loot) -> list[MarkerHit]:
    """Return the hits that needed no key."""
    return [hit for hit in loot.hits if not hit.where.endswith(", read")]


async def refuse(here: Nation, process: str) -> None:
    """Let a person refuse her, so that the process ends."""
    body = {
        "process": process,
        "decision": "refused",
        "role": "admission board",
        "ground": "education",
        "text": "No diploma that gives access was shown.",
    }
    await here.desk("noord", "/admissions", body)
    await here.until("process.forgotten", process)
    await here.settle(5)


async def test_nothing_lies_in_clear_while_it_runs_and_nothing_opens_when_it_is_forgotten(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        process, markers = await marked(here)
        await here.settle(20)
        disk = here.scene.data / "platform"
        night = tmp_path / "last-night.sqlite"
        back_up(disk / "wissel.sqlite", night)
        running = rob(disk, [night], markers=markers)
        assert in_clear(running) == []
        keys, readings = running.of(process)
        assert keys, "the control: a running process must be readable with the key store"
        assert any(NAME.encode() in reading.plain for reading in readings)
        jwes = [reading.plain for reading in readings if reading.table == "files"]
        assert jwes, "with the key store the sender's own seal is reached, and no further"
        assert not any(PAPER.encode() in reading.plain for reading in readings)
        photo = next(iter((here.scene.data / "institutions" / "noord" / "files").iterdir())).read_bytes()
        assert photo in jwes, "the control: what the institution can open is what the platform carries"
        jwk = parse_json((here.scene.data / "institutions" / "noord" / "keys" / "seal.json").read_bytes())
        assert PAPER.encode() in open_jwe(photo.decode(), jwk)
        await refuse(here, process)
        seized = rob(disk, [night], markers=markers)
        assert seized.of(process) == ((), ())
        assert seized.hits == ()
        assert seized.wrapped > 0, "last night's back-up still holds the wrapped keys that must not open"


async def test_the_search_finds_a_planted_text_in_every_form(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        _, markers = await marked(here)
        await here.settle(3)
        copy = tmp_path / "disk"
        shutil.copytree(here.scene.data / "platform", copy)
        assert in_clear(rob(copy, markers=markers)) == []
        for number in range(3):
            planted = base64.urlsafe_b64encode(b"x" * number + MOTIVATION.encode() + b"!")
            (copy / f"planted-{number}.tmp").write_bytes(b"before " + planted + b" after")
        (copy / "hex.log").write_text(NAME.encode().hex(), encoding="ascii")
        (copy / "number.log").write_text(f"bsn={markers[3]}", encoding="ascii")
        found = {hit.where for hit in in_clear(rob(copy, markers=markers))}
        assert found >= {"planted-0.tmp", "planted-1.tmp", "planted-2.tmp", "hex.log", "number.log"}

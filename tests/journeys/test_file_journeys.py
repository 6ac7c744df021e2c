"""Files from the learner's portal to the institution and to her vault, and the day on which a scan ends everywhere."""

import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.journeys.nation import Nation, nation

from wissel.assembly.demo import play
from wissel.messages.verify import names, open_jwe, parse_json

DAY_S = timedelta(days=1).total_seconds()


def drawer(here: Nation, owner: str) -> dict[str, bytes]:
    """Return the files beside an owner's vault, opened with its key."""
    place = here.scene.data / owner
    jwk = parse_json((place / "keys" / "seal.json").read_bytes())
    return {file.stem: open_jwe(file.read_text(), jwk) for file in sorted((place / "files").iterdir())}


def platform(here: Nation) -> list[tuple[Any, ...]]:
    """Return (class, size) of every file at the platform, as whoever holds its disk can see."""
    with sqlite3.connect(here.scene.data / "platform" / "wissel.sqlite") as database:
        return database.execute("SELECT keyclass, size FROM files ORDER BY keyclass, size").fetchall()


def destroyed(here: Nation, reason: str) -> int:
    """Return how many keys the log says were destroyed for a reason."""
    with sqlite3.connect(here.scene.data / "platform" / "wissel.sqlite") as database:
        entries = [json.loads(entry) for (entry,) in database.execute("SELECT entry FROM log_entries")]
    return sum(
        each.get("count", 0) for each in entries if each["event"] == "key.destroyed" and each["reason"] == reason
    )


async def test_her_photo_reaches_both_vaults_and_the_copies_name_it(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner = await here.learner("everything-fine")
        process = await here.enrol(learner)
        await here.until("process.forgotten", process)
        await here.settle(5)
        hers, theirs = drawer(here, "learners/everything-fine"), drawer(here, "institutions/noord")
        assert list(hers.values()) == list(theirs.values())
        (photo,) = hers.values()
        assert photo.startswith(b"\x89PNG")
        assert b"Verzonnen pasfoto van Test Everything-Fine" in photo
        for owner in ("learners/everything-fine", "institutions/noord"):
            assert any(names(copy["payload"], photo) for copy in here.copies(owner))
        assert platform(here) == []
        assert await learner.owner.tend() > 0
        (line,) = await learner.owner.files()
        assert line.until
        assert await learner.owner.file(line.id) == photo


async def test_a_scan_ends_a_day_after_a_person_judged_it_at_the_platform_and_the_institution(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner = await here.learner("fails-identity")
        process = await here.enrol(learner, play.Wish("99XB", "34479"))  # which admits nobody by rule
        await here.until("file.delivered", process)
        await here.settle(20)
        assert len(drawer(here, "institutions/zee")) == 2
        assert [keyclass for keyclass, _ in platform(here)] == ["post", "special"]
        (line,) = [
            each
            for each in (await here.desk("zee", f"/files?process={process}"))["files"]
            if each["kind"] == "identityscan"
        ]
        assert (line["mediatype"], line["name"]) == ("application/pdf", "Identiteitsbewijs")
        body = {"process": process, "gate": "identity", "decision": "met", "role": "clerk", "ground": "RATHO 4.1(4)"}
        await here.desk("zee", "/gates", body)
        await here.settle(20)
        assert len(drawer(here, "institutions/zee")) == 2, "not before its day"
        await here.clock.sleep(DAY_S)
        await here.settle(5)
        (photo,) = drawer(here, "institutions/zee").values()
        assert photo.startswith(b"\x89PNG")
        assert ("special", 0) in platform(here)
        assert [size for keyclass, size in platform(here) if keyclass == "special"] == [0]
        assert destroyed(here, "verified") == 1
        hers = drawer(here, "learners/fails-identity")
        assert len(hers) == 2, "her own copy is hers"


async def test_an_institution_that_was_away_gets_the_files_when_it_is_back(tmp_path: Path) -> None:
    async with nation(tmp_path / "data", pushed=("noord",)) as here:
        learner = await here.learner("everything-fine")
        here.network.down.add(here.scene.address("noord"))
        process = await here.enrol(learner)
        await here.settle(40)
        assert drawer(here, "institutions/noord") == {}
        here.network.down.clear()
        await here.until("process.forgotten", process, rounds=1500)
        assert len(drawer(here, "institutions/noord")) == 1


async def test_a_foreign_diploma_comes_with_its_paper(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        learner = await here.learner("foreign-diploma")
        process = await here.enrol(learner, play.Wish())
        await here.until("file.delivered", process)
        await here.settle(20)
        kinds = {each["kind"] for each in (await here.desk("noord", f"/files?process={process}"))["files"]}
        assert kinds == {"photo", "diploma"}

"""The thief as judge: of a running process it reads everything, of a forgotten one nothing."""

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.platform.forgetting.forgetting_scene import OTHER, PROCESS, TODAY, Scene

from wissel.core.ids import partition_of
from wissel.core.moments import end_of
from wissel.infra.sql.ports import Statement
from wissel.infra.sql.sqlite import back_up
from wissel.platform.forgetting import layout
from wissel.platform.forgetting.rules import GRACE, place
from wissel.platform.forgetting.shred import order_destroy_class
from wissel.platform.forgetting.thief.actions import rob
from wissel.platform.forgetting.thief.rules import decipher, forms
from wissel.platform.forgetting.words import KeyClass

SECRET = "Ik wil verpleegkundige worden, net als mijn moeder. Jérôme van 't Hoff"
CLASSES: tuple[KeyClass, ...] = ("memory", "post", "parcel", "number", "special")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    scene = await Scene.open(tmp_path / "platform")
    for process in (PROCESS, OTHER):
        for cls in CLASSES:
            await scene.keep(f"{SECRET} {cls}", process=process, cls=cls)
    await scene.keys.step(scene.clock.at)
    yield scene
    scene.close()


async def forget(scene: Scene, process: str) -> None:
    rows = Statement("DELETE FROM parties WHERE process = ?", [(process,)])
    await scene.database.commit([*order_destroy_class(process, CLASSES, "settled", scene.clock.at), rows])
    assert await scene.destroyer.step(scene.clock.at) == len(CLASSES)


async def test_of_a_running_process_the_thief_reads_every_class(scene: Scene) -> None:
    loot = rob(scene.folder)
    keys, readings = loot.of(PROCESS)
    assert {key.cls for key in keys} == set(CLASSES)
    assert {reading.plain.decode() for reading in readings} == {f"{SECRET} {cls}" for cls in CLASSES}
    assert not loot.nothing
    assert loot.left_out == 0


async def test_of_a_forgotten_process_the_thief_reads_nothing_with_last_nights_backup(
    scene: Scene, tmp_path: Path
) -> None:
    backup = tmp_path / "last-night.sqlite"
    back_up(scene.folder / "wissel.sqlite", backup)
    before = rob(scene.folder, [backup])
    await forget(scene, PROCESS)
    loot = rob(scene.folder, [backup], markers=[SECRET])
    assert loot.of(PROCESS) == ((), ())
    assert loot.hits == tuple(hit for hit in loot.hits if hit.where.endswith(", read"))
    assert len(before.of(PROCESS)[0]) == len(CLASSES)
    assert len(loot.of(OTHER)[0]) == len(CLASSES)  # the control: it still runs
    assert loot.wrapped >= 2 * len(CLASSES)  # the back-up has the wrapped keys of both


async def test_of_a_day_that_passed_the_thief_reads_nothing_at_all(scene: Scene, tmp_path: Path) -> None:
    backup = tmp_path / "last-night.sqlite"
    back_up(scene.folder / "wissel.sqlite", backup)
    scene.clock.at = end_of(TODAY) + GRACE
    assert await scene.pass_day() == 1
    loot = rob(scene.folder, [backup], markers=[SECRET])
    assert loot.nothing
    assert loot.wrapped >= 2 * len(CLASSES)
    assert loot.sealed > 0


async def test_the_thief_takes_wrapped_keys_out_of_the_journal_and_deleted_rows(scene: Scene) -> None:
    """Their rows are deleted, and their slots were left alive by mistake."""
    await scene.database.commit([Statement("DELETE FROM data_keys WHERE process = ?", [(PROCESS,)])])
    keys, _ = rob(scene.folder).of(PROCESS)
    assert {key.cls for key in keys} == set(CLASSES)


async def test_the_thief_needs_no_associated_data_to_read(scene: Scene) -> None:
    key = await scene.keep("x", cls="post", scope="m1")
    sealed = key.seal(SECRET.encode(), place(PROCESS, "a message that stands nowhere", "post"))
    row = (partition_of(PROCESS), PROCESS, "hidden", sealed)
    sql = "INSERT INTO parties (partition, process, party, sealed) VALUES (?, ?, ?, ?)"
    await scene.database.commit([Statement(sql, [row])])
    assert SECRET.encode() in {reading.plain for reading in rob(scene.folder).readings}


async def test_the_thief_notices_a_data_key_left_among_the_slots(scene: Scene) -> None:
    """Should a data key itself ever be written to the key store, that must come out."""
    await forget(scene, PROCESS)
    secret = os.urandom(32)
    path = layout.slot_file(scene.folder / "keys", TODAY)
    with path.open("ab") as file:
        file.write(secret)
    minted = scene.keys.mint(PROCESS, partition_of(PROCESS), "post", "", TODAY)
    leaked = type(minted.key)(minted.key.row, secret, scene.keys._entropy)
    sealed = leaked.seal(b"leaked", place(PROCESS, "party", "post"))
    sql = "INSERT INTO parties (partition, process, party, sealed) VALUES (?, ?, ?, ?)"
    row = (partition_of(PROCESS), PROCESS, "party", sealed)
    await scene.database.commit([minted.statement, Statement(sql, [row])])
    assert b"leaked" in {reading.plain for reading in rob(scene.folder).readings}


async def test_the_thief_says_what_it_did_not_try(scene: Scene) -> None:
    await scene.keep("x", process=OTHER, scope="m", day=TODAY.replace(day=20))
    assert rob(scene.folder).left_out == 0
    loot = rob(scene.folder, tries_max=1)
    assert loot.left_out > 0
    assert len(loot.of(PROCESS)[0]) == len(CLASSES)  # those of its own day are always tried


async def test_a_marker_is_found_in_a_log_however_it_is_written(scene: Scene) -> None:
    assert rob(scene.folder, markers=[SECRET]).hits  # in what it could read
    await forget(scene, PROCESS)
    await forget(scene, OTHER)
    assert rob(scene.folder, markers=[SECRET]).hits == ()
    (scene.folder / "platform.log").write_bytes(b"x" + base64.b64encode(b"xy" + SECRET.encode()))
    assert {hit.where for hit in rob(scene.folder, markers=[SECRET]).hits} == {"platform.log"}


def test_a_folder_without_anything_gives_nothing(tmp_path: Path) -> None:
    assert rob(tmp_path).nothing


def test_a_broken_database_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"SQLite format 3\x00" + os.urandom(4000))
    (tmp_path / "x.sqlite-wal").write_bytes(os.urandom(5000))
    assert rob(tmp_path).nothing


@given(st.text(min_size=3, max_size=20), st.binary(max_size=7), st.binary(max_size=7))
def test_base64_of_a_text_is_found_at_every_offset(marker: str, before: bytes, after: bytes) -> None:
    data = before + marker.encode() + after
    found = forms(marker)
    assert any(needle in base64.b64encode(data) for form, needle in found.items() if form.startswith("base64+"))
    assert any(needle in base64.urlsafe_b64encode(data) for form, needle in found.items() if "url" in form)


def test_what_is_too_short_to_be_sealed_deciphers_to_nothing() -> None:
    assert decipher(b"k" * 32, b"short") == b""

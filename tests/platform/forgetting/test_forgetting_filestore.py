import os
import stat
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.platform.forgetting.forgetting_scene import TODAY, Chance, Died, Faults, Platter

from wissel.platform.forgetting import layout
from wissel.platform.forgetting.errors import (
    CheckpointLower,
    DayPassed,
    DayTooEarly,
    ForgettingError,
    KeyGone,
    KeyStoreDamaged,
    KeyStoreInUse,
    VirtualClockRefused,
)
from wissel.platform.forgetting.filestore import FileKeyStore
from wissel.platform.forgetting.layout import FileKeyReader
from wissel.platform.forgetting.words import Slot, SlotCount

TOMORROW = TODAY + timedelta(days=1)


class NoChance:
    def draw(self, count: int) -> bytes:
        return bytes(count)


def reopened(store: FileKeyStore, folder: Path) -> FileKeyStore:
    store.close()
    return FileKeyStore(folder, Chance())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_slots_and_day_keys_outlive_their_process(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    assert store.make_day(TODAY)
    assert not store.make_day(TODAY)
    slots, key = store.reserve(TODAY, 3), store.day_key(TODAY)
    store = reopened(store, folder)
    assert store.day_key(TODAY) == key
    assert [Slot(slot.number, store.slot(TODAY, slot.number)) for slot in slots] == slots
    store.close()


def test_a_slot_number_is_handed_out_once_even_over_restarts(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.make_day(TODAY)
    numbers = [slot.number for slot in store.reserve(TODAY, 5)]
    store = reopened(store, folder)
    numbers += [slot.number for slot in store.reserve(TODAY, 5)]
    assert len(set(numbers)) == 10
    store.close()


@pytest.mark.parametrize("point", ["slots.written", "slots.synced"])
def test_a_crash_while_slots_are_made_only_loses_numbers(folder: Path, point: str) -> None:
    faults = Faults()
    store = FileKeyStore(folder, Chance(), crash=faults)
    store.make_day(TODAY)
    first = store.reserve(TODAY, 4)
    faults.at = point
    with pytest.raises(Died):
        store.reserve(TODAY, 4)
    store = reopened(store, folder)
    after = store.reserve(TODAY, 4)
    assert {slot.number for slot in after}.isdisjoint(slot.number for slot in first)
    assert min(slot.number for slot in after) >= 4
    store.close()


def test_a_torn_block_is_never_handed_out(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.make_day(TODAY)
    store.reserve(TODAY, 2)
    store.close()
    with layout.slot_file(folder, TODAY).open("ab") as file:
        file.write(b"torn write, no whole record")
    store = FileKeyStore(folder, Chance())
    slots = store.reserve(TODAY, 1)
    assert slots[0].number == 3
    assert store.slot(TODAY, 3) == slots[0].secret
    store.close()


def test_what_is_handed_out_survives_a_power_cut(folder: Path, tmp_path: Path) -> None:
    platter = Platter(folder)
    with platter.watch():
        store = FileKeyStore(folder, Chance())
        store.make_day(TODAY)
        slots = [*store.reserve(TODAY, 8), *store.reserve(TODAY, 8)]
        key = store.day_key(TODAY)
        store.keep_secret("sign", b"private")
        store.keep_secret("sign", b"newer")
        store.zero(TODAY, [slots[0].number])
        store.close()
    (folder / "days" / "unsynced.key").write_bytes(b"never synced")
    after = FileKeyStore(platter.restore(tmp_path / "after"), Chance())
    assert after.day_key(TODAY) == key
    assert [after.slot(TODAY, slot.number) for slot in slots[1:]] == [slot.secret for slot in slots[1:]]
    assert after.secret("sign") == b"newer"
    with pytest.raises(KeyGone):
        after.slot(TODAY, slots[0].number)
    assert not (tmp_path / "after" / "days" / "unsynced.key").exists()  # the control: the platter forgets
    after.close()


def test_a_destroyed_day_stays_destroyed_after_a_power_cut(folder: Path, tmp_path: Path) -> None:
    platter = Platter(folder)
    with platter.watch():
        store = FileKeyStore(folder, Chance())
        for day in (TODAY, TOMORROW):
            store.make_day(day)
            store.reserve(day, 4)
        store.destroy_day(TODAY)
        store.close()
    after = FileKeyStore(platter.restore(tmp_path / "after"), Chance())
    assert (after.days(), after.passed()) == ([TOMORROW], TODAY)
    after.close()


def test_a_zeroed_slot_is_an_error_for_owner_and_looker(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.make_day(TODAY)
    one, two = store.reserve(TODAY, 2)
    store.zero(TODAY, [one.number])
    for reader in (store, FileKeyReader(folder)):
        with pytest.raises(KeyGone):
            reader.slot(TODAY, one.number)
        assert reader.slot(TODAY, two.number) == two.secret
        assert reader.count(TODAY) == SlotCount(2, 1)
    assert one.secret not in layout.slot_file(folder, TODAY).read_bytes()
    store.close()


def test_zeroing_again_or_what_never_was_is_well_and_makes_no_slot(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.make_day(TODAY)
    store.reserve(TODAY, 2)
    store.zero(TODAY, [0, 0, 7, -1])
    store.zero(TODAY, [0])
    store.zero(TOMORROW, [0])
    assert store.count(TODAY) == SlotCount(2, 1)
    store.close()


def test_a_slot_beyond_the_file_is_gone(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.make_day(TODAY)
    store.reserve(TODAY, 1)
    with pytest.raises(KeyGone):
        store.slot(TODAY, 1)
    with pytest.raises(KeyGone):
        store.slot(TOMORROW, 0)
    store.close()


def test_destroying_a_day_leaves_no_file_and_no_key_in_memory(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.make_day(TODAY)
    store.reserve(TODAY, 4)
    store.destroy_day(TODAY)
    assert list((folder / "days").iterdir()) == []
    for ask in (lambda: store.day_key(TODAY), lambda: store.slot(TODAY, 0), lambda: store.reserve(TODAY, 1)):
        with pytest.raises(KeyGone):
            ask()
    store.destroy_day(TODAY)  # again is well
    store.close()


def test_a_day_that_passed_is_never_made_again(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.make_day(TODAY)
    store.destroy_day(TODAY)
    store = reopened(store, folder)
    for day in (TODAY, TODAY - timedelta(days=1)):
        with pytest.raises(DayPassed):
            store.make_day(day)
    assert store.make_day(TOMORROW)
    store.close()


def test_days_are_destroyed_oldest_first(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.make_day(TODAY)
    store.make_day(TOMORROW)
    with pytest.raises(DayTooEarly):
        store.destroy_day(TOMORROW)
    assert store.days() == [TODAY, TOMORROW]
    store.close()


@pytest.mark.parametrize("point", ["day.marked", "day.key.destroyed"])
def test_a_day_half_destroyed_is_finished_at_the_next_start(folder: Path, point: str) -> None:
    faults = Faults()
    store = FileKeyStore(folder, Chance(), crash=faults)
    store.make_day(TODAY)
    store.reserve(TODAY, 4)
    faults.at = point
    with pytest.raises(Died):
        store.destroy_day(TODAY)
    store = reopened(store, folder)
    assert store.days() == []
    assert list((folder / "days").iterdir()) == []
    store.close()


def test_a_key_half_written_is_swept_and_its_day_can_be_made(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.close()
    (folder / "days" / f"{TODAY}.key.unfinished").write_bytes(b"half a k")
    store = FileKeyStore(folder, Chance())
    assert store.days() == []
    assert list((folder / "days").iterdir()) == []
    assert store.make_day(TODAY)
    store.close()


def test_a_second_owner_is_refused(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    with pytest.raises(KeyStoreInUse):
        FileKeyStore(folder, Chance())
    store.close()
    FileKeyStore(folder, Chance()).close()


def test_a_virtual_clock_is_refused_by_a_store_that_was_not_made_for_a_demo(folder: Path) -> None:
    FileKeyStore(folder, Chance()).close()
    with pytest.raises(VirtualClockRefused):
        FileKeyStore(folder, Chance(), demo=True)
    store = FileKeyStore(folder, Chance())  # the refused one let go of the lock
    assert not store.demo
    store.close()


def test_a_demo_store_stays_a_demo_store(folder: Path) -> None:
    FileKeyStore(folder, Chance(), demo=True).close()
    store = FileKeyStore(folder, Chance())
    assert store.demo
    store.close()


def test_only_the_owner_of_the_machine_account_can_read(folder: Path) -> None:
    before = os.umask(0)
    try:
        store = FileKeyStore(folder, Chance())
        store.make_day(TODAY)
        store.reserve(TODAY, 1)
        store.keep_secret("sign", b"private")
        store.keep_checkpoint("origin\n5\nroot\n")
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    store.close()


def test_a_source_of_chance_that_gives_zeros_is_refused(folder: Path) -> None:
    store = FileKeyStore(folder, NoChance())
    with pytest.raises(KeyStoreDamaged):
        store.make_day(TODAY)
    store.close()


def test_a_store_without_its_marker_or_of_another_format_is_refused(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    store.make_day(TODAY)
    store.close()
    (folder / layout.MARKER).write_bytes(b'{"format":2,"demo":true}')
    with pytest.raises(KeyStoreDamaged):
        FileKeyStore(folder, Chance())
    (folder / layout.MARKER).unlink()
    with pytest.raises(KeyStoreDamaged):
        FileKeyStore(folder, Chance())
    with pytest.raises(KeyStoreDamaged):
        FileKeyReader(folder)


def test_a_secret_is_kept_replaced_and_destroyed(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    assert store.secret("log") is None
    store.keep_secret("log", b"one")
    held = (folder / "secrets" / "log").open("rb")
    store.keep_secret("log", b"two")
    assert held.read() == bytes(3)  # what was replaced is zeroed
    held.close()
    store = reopened(store, folder)
    assert store.secret("log") == b"two"
    store.drop_secret("log")
    store.drop_secret("log")
    assert store.secret("log") is None
    store.close()


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "A", "x" * 65, "a/b", "sign.unfinished"])
def test_a_secret_cannot_be_named_out_of_its_folder(folder: Path, name: str) -> None:
    store = FileKeyStore(folder, Chance())
    with pytest.raises(ForgettingError):
        store.keep_secret(name, b"x")
    store.close()


def test_the_highest_checkpoint_is_never_lowered(folder: Path) -> None:
    store = FileKeyStore(folder, Chance())
    assert store.checkpoint() == ""
    store.keep_checkpoint("wissel.test/1\n10\nroot\n\n— sig\n")
    store = reopened(store, folder)
    with pytest.raises(CheckpointLower):
        store.keep_checkpoint("wissel.test/1\n9\nroot\n")
    with pytest.raises(CheckpointLower, match="another tree"):
        store.keep_checkpoint("wissel.test/1\n10\nfork\n\n— sig\n")
    store.keep_checkpoint("wissel.test/1\n10\nroot\n\n— sig\n")
    store.keep_checkpoint("wissel.test/2\n1\nroot\n")  # a log reopened under a new origin
    assert store.checkpoint().startswith("wissel.test/2\n1\n")
    with pytest.raises(ForgettingError):
        store.keep_checkpoint("no checkpoint")
    store.close()


def test_more_days_than_open_files_are_served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wissel.platform.forgetting.filestore.OPEN_FILES_MAX", 3)
    store = FileKeyStore(folder, Chance())
    days = [date(2026, 5, number) for number in range(1, 9)]
    slots = {}
    for day in days:
        store.make_day(day)
        slots[day] = store.reserve(day, 1)[0]
    assert all(store.slot(day, 0) == slots[day].secret for day in days)
    store.close()

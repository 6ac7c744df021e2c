"""Both folders keep the one contract."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from wissel.infra.files.disk import DiskFolder
from wissel.infra.files.memory import MemoryFolder
from wissel.infra.files.ports import BadName, Folder

Make = Callable[[], Folder]


@pytest.fixture(params=["disk", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "memory":
        return MemoryFolder
    return lambda: DiskFolder(tmp_path / "vault", tmp_path / "profile")


def test_a_file_is_added_once_and_keeps_its_first_bytes(make: Make) -> None:
    folder = make()
    assert folder.add("a.afschrift", b"one")
    assert not folder.add("a.afschrift", b"two")
    assert folder.read("a.afschrift") == b"one"


def test_replace_writes_over(make: Make) -> None:
    folder = make()
    folder.replace("a", b"one")
    folder.replace("a", b"two")
    assert folder.read("a") == b"two"


def test_names_are_sorted_and_filtered(make: Make) -> None:
    folder = make()
    for name in ("b.2", "a.1", "b.1"):
        folder.replace(name, b"")
    assert folder.names() == ["a.1", "b.1", "b.2"]
    assert folder.names("b.") == ["b.1", "b.2"]


def test_a_removed_file_is_gone_and_removing_again_says_so(make: Make) -> None:
    folder = make()
    folder.replace("a", b"one")
    assert folder.remove("a")
    assert not folder.remove("a")
    assert folder.read("a") is None


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "x" * 201, "a\x00b", "a b"])
def test_a_name_that_could_leave_the_folder_is_refused(make: Make, name: str) -> None:
    folder = make()
    for call in (lambda: folder.add(name, b""), lambda: folder.read(name), lambda: folder.remove(name)):
        with pytest.raises(BadName):
            call()


def test_on_disk_only_the_owner_reads_and_nothing_is_left_beside(tmp_path: Path) -> None:
    folder = DiskFolder(tmp_path / "vault", tmp_path / "profile")
    folder.add("a.afschrift", b"one")
    file = tmp_path / "vault" / "a.afschrift"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list((tmp_path / "profile").iterdir()) == []


def test_what_a_crash_left_unfinished_is_cleared_at_the_next_start(tmp_path: Path) -> None:
    DiskFolder(tmp_path / "vault", tmp_path / "profile")
    (tmp_path / "profile" / ".vault.unfinished").write_bytes(b"half")
    folder = DiskFolder(tmp_path / "vault", tmp_path / "profile")
    assert folder.names() == []
    assert list((tmp_path / "profile").iterdir()) == []

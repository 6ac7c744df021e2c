"""Every keeper of vaults keeps the one contract."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wissel.learner.folders import FolderVaults, MemoryVaults
from wissel.learner.ports import Vaults
from wissel.learner.words import VaultCard

Make = Callable[[], Vaults]
CARD = VaultCard(vault="v1", name="noor", key={"kty": "EC"})


@pytest.fixture(params=["folders", "memory"])
def vaults(request: pytest.FixtureRequest, tmp_path: Path) -> Vaults:
    return FolderVaults(tmp_path) if request.param == "folders" else MemoryVaults()


def test_a_vault_is_opened_once_and_found_again(vaults: Vaults) -> None:
    assert vaults.named("noor") is None
    opened = vaults.open(CARD, {"grant.a": b"1"})
    assert opened is not None
    assert opened.noted("grant.a") == b"1"
    assert vaults.open(CARD, {}) is None
    assert vaults.open(VaultCard(vault="v2", name="noor", key={}), {}) is None
    assert vaults.find("v1") is not None
    assert vaults.find("v2") is None
    assert vaults.named("noor") == CARD
    assert list(vaults.all()) == ["v1"]


def test_a_closed_vault_is_gone_with_all_that_was_in_it(vaults: Vaults, tmp_path: Path) -> None:
    store = vaults.open(CARD, {"grant.a": b"1"})
    assert store is not None
    store.append("a", b"one")
    store.add_file("b", b"two")
    vaults.close("v1")
    assert (vaults.find("v1"), vaults.named("noor"), list(vaults.all())) == (None, None, [])
    assert list(tmp_path.iterdir()) == []
    again = vaults.open(CARD, {})
    assert again is not None
    assert (again.copies(), again.files(), again.notes("grant.")) == ([], [], [])


def test_the_copies_drawer_only_grows_until_the_owner_destroys(vaults: Vaults) -> None:
    store = vaults.open(CARD, {})
    assert store is not None
    assert store.append("a", b"one")
    assert not store.append("a", b"two")
    assert (store.copies(), store.copy("a"), store.copy("b")) == (["a"], b"one", None)
    assert store.destroy("a")
    assert not store.destroy("a")
    assert store.copies() == []


def test_the_profile_drawer_is_written_over(vaults: Vaults) -> None:
    store = vaults.open(CARD, {})
    assert store is not None
    store.note("end.a", b"1")
    store.note("end.a", b"2")
    store.note("grant.b", b"3")
    assert (store.noted("end.a"), store.noted("end.c")) == (b"2", None)
    assert store.notes("end.") == ["end.a"]
    assert store.drop("end.a")
    assert not store.drop("end.a")


def test_a_vault_that_was_half_opened_is_not_there_and_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("FolderVault.note", "msgspec.json.encode"):  # before the first item, and before the card
        with monkeypatch.context() as patched:
            patched.setattr(f"wissel.learner.folders.{step}", dies)
            with pytest.raises(KeyboardInterrupt):
                FolderVaults(tmp_path).open(CARD, {"grant.a": b"1"})
    again = FolderVaults(tmp_path)
    assert (list(again.all()), again.named("noor")) == ([], None)
    opened = again.open(CARD, {"grant.b": b"2"})
    assert opened is not None
    assert opened.notes("grant.") == ["grant.b"]

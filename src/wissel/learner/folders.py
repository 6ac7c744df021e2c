"""Vaults in folders: `<learners>/<name>/vault` holds `<commitment>.afschrift` only, `files` sealed files.

All the rest is in `profile`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from wissel.infra.files.disk import DiskFolder
from wissel.infra.files.memory import MemoryFolder
from wissel.infra.files.ports import Folder
from wissel.learner.ports import VaultStore
from wissel.learner.words import VaultCard

SUFFIX: Final = ".afschrift"
FILE: Final = ".jwe"
CARD: Final = "vault.json"


class FolderVault:
    """A `VaultStore` over three folders."""

    def __init__(self, vault: Folder, files: Folder, profile: Folder) -> None:
        self._vault, self._files, self._profile = vault, files, profile

    def append(self, copy: str, jwe: bytes) -> bool:
        """Add a copy; see `ports.VaultStore`."""
        return self._vault.add(copy + SUFFIX, jwe)

    def copies(self) -> list[str]:
        """Return the ids of all copies; see `ports.VaultStore`."""
        return [name.removesuffix(SUFFIX) for name in self._vault.names()]

    def copy(self, copy: str) -> bytes | None:
        """Return a copy; see `ports.VaultStore`."""
        return self._vault.read(copy + SUFFIX)

    def destroy(self, copy: str) -> bool:
        """Remove a copy; see `ports.VaultStore`."""
        return self._vault.remove(copy + SUFFIX)

    def add_file(self, file: str, jwe: bytes) -> bool:
        """Add a file; see `ports.VaultStore`."""
        return self._files.add(file + FILE, jwe)

    def files(self) -> list[str]:
        """Return the ids of all files; see `ports.VaultStore`."""
        return [name.removesuffix(FILE) for name in self._files.names()]

    def file(self, file: str) -> bytes | None:
        """Return a file; see `ports.VaultStore`."""
        return self._files.read(file + FILE)

    def destroy_file(self, file: str) -> bool:
        """Remove a file; see `ports.VaultStore`."""
        return self._files.remove(file + FILE)

    def note(self, name: str, data: bytes) -> None:
        """Write an item of the profile; see `ports.VaultStore`."""
        self._profile.replace(name, data)

    def noted(self, name: str) -> bytes | None:
        """Return an item of the profile; see `ports.VaultStore`."""
        return self._profile.read(name)

    def notes(self, prefix: str) -> list[str]:
        """Return names in the profile; see `ports.VaultStore`."""
        return self._profile.names(prefix)

    def drop(self, name: str) -> bool:
        """Remove an item of the profile; see `ports.VaultStore`."""
        return self._profile.remove(name)


class FolderVaults:
    """`Vaults` in a folder per learner; the card in each profile says which vault it is."""

    def __init__(self, learners: Path) -> None:
        self._learners = learners
        self._open: dict[str, FolderVault] = {}
        self._named: dict[str, VaultCard] = {}
        for card in sorted(learners.glob(f"*/profile/{CARD}")):
            known = msgspec.json.decode(card.read_bytes(), type=VaultCard)
            self._open[known.vault] = self._drawers(card.parent.parent)
            self._named[known.name] = known

    def all(self) -> list[str]:
        """Return all ids; see `ports.Vaults`."""
        return list(self._open)

    def find(self, vault: str) -> VaultStore | None:
        """Return a vault's drawers; see `ports.Vaults`."""
        return self._open.get(vault)

    def named(self, name: str) -> VaultCard | None:
        """Return a vault's card; see `ports.Vaults`."""
        return self._named.get(name)

    def open(self, card: VaultCard, profile: Mapping[str, bytes]) -> VaultStore | None:
        """Make a new vault; see `ports.Vaults`. The card comes last: until then there is no vault."""
        if card.vault in self._open or card.name in self._named:
            return None
        drawers = self._drawers(self._learners / card.name)
        for left in drawers.notes("grant."):  # by an opening that a crash cut short
            drawers.drop(left)
        _fill(drawers, card, profile)
        self._open[card.vault], self._named[card.name] = drawers, card
        return drawers

    def close(self, vault: str) -> None:
        """Remove a vault; see `ports.Vaults`. A crash on the way leaves its card, so that it is closed again."""
        name = next(name for name, card in self._named.items() if card.vault == vault)
        _empty(self._open.pop(vault))
        del self._named[name]
        home = self._learners / name
        for folder in (home / "vault", home / "files", home / "profile", home):
            if not any(folder.iterdir()):
                folder.rmdir()

    @staticmethod
    def _drawers(folder: Path) -> FolderVault:
        vault, files, profile = (folder / name for name in ("vault", "files", "profile"))
        return FolderVault(DiskFolder(vault, profile), DiskFolder(files, profile), DiskFolder(profile, profile))


class MemoryVaults:
    """`Vaults` in memory, for simulations and tests: held to the same contract test."""

    def __init__(self) -> None:
        self._open: dict[str, FolderVault] = {}
        self._named: dict[str, VaultCard] = {}

    def all(self) -> list[str]:
        """Return all ids; see `ports.Vaults`."""
        return list(self._open)

    def find(self, vault: str) -> VaultStore | None:
        """Return a vault's drawers; see `ports.Vaults`."""
        return self._open.get(vault)

    def named(self, name: str) -> VaultCard | None:
        """Return a vault's card; see `ports.Vaults`."""
        return self._named.get(name)

    def open(self, card: VaultCard, profile: Mapping[str, bytes]) -> VaultStore | None:
        """Make a new vault; see `ports.Vaults`."""
        if card.vault in self._open or card.name in self._named:
            return None
        drawers = FolderVault(MemoryFolder(), MemoryFolder(), MemoryFolder())
        _fill(drawers, card, profile)
        self._open[card.vault], self._named[card.name] = drawers, card
        return drawers

    def close(self, vault: str) -> None:
        """Remove a vault; see `ports.Vaults`."""
        name = next(name for name, card in self._named.items() if card.vault == vault)
        del self._open[vault], self._named[name]


def _empty(drawers: FolderVault) -> None:
    for copy in drawers.copies():
        drawers.destroy(copy)
    for file in drawers.files():
        drawers.destroy_file(file)
    for name in drawers.notes(""):
        if name != CARD:
            drawers.drop(name)
    drawers.drop(CARD)


def _fill(drawers: FolderVault, card: VaultCard, profile: Mapping[str, bytes]) -> None:
    for name, data in profile.items():
        drawers.note(name, data)
    drawers.note(CARD, msgspec.json.encode(card))

"""Vaults in folders: `<learners>/<name>/vault` holds `<commitment>.afschrift` only, `files` sealed files.

All the rest is in `profile`.
"""

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
        for card in sorted(learners.glob(f"*/profile/{CARD}")):
            known = msgspec.json.decode(card.read_bytes(), type=VaultCard)
            self._open[known.vault] = self._drawers(card.parent.parent)

    def all(self) -> list[str]:
        """Return all ids; see `ports.Vaults`."""
        return list(self._open)

    def find(self, vault: str) -> VaultStore | None:
        """Return a vault's drawers; see `ports.Vaults`."""
        return self._open.get(vault)

    def open(self, card: VaultCard) -> VaultStore | None:
        """Make a new vault; see `ports.Vaults`."""
        folder = self._learners / card.name
        if card.vault in self._open or (folder / "profile" / CARD).exists():
            return None
        drawers = self._drawers(folder)
        drawers.note(CARD, msgspec.json.encode(card))
        self._open[card.vault] = drawers
        return drawers

    @staticmethod
    def _drawers(folder: Path) -> FolderVault:
        vault, files, profile = (folder / name for name in ("vault", "files", "profile"))
        return FolderVault(DiskFolder(vault, profile), DiskFolder(files, profile), DiskFolder(profile, profile))


class MemoryVaults:
    """`Vaults` in memory, for simulations and tests: held to the same contract test."""

    def __init__(self) -> None:
        self._open: dict[str, FolderVault] = {}
        self._names: set[str] = set()

    def all(self) -> list[str]:
        """Return all ids; see `ports.Vaults`."""
        return list(self._open)

    def find(self, vault: str) -> VaultStore | None:
        """Return a vault's drawers; see `ports.Vaults`."""
        return self._open.get(vault)

    def open(self, card: VaultCard) -> VaultStore | None:
        """Make a new vault; see `ports.Vaults`."""
        if card.vault in self._open or card.name in self._names:
            return None
        drawers = FolderVault(MemoryFolder(), MemoryFolder(), MemoryFolder())
        drawers.note(CARD, msgspec.json.encode(card))
        self._open[card.vault] = drawers
        self._names.add(card.name)
        return drawers

"""What a vault needs of whatever keeps it: three drawers, and a way to find them. A Solid pod fits behind this."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from wissel.learner.words import VaultCard


class VaultStore(Protocol):
    """One learner's three drawers. Calls return when what they wrote is durable."""

    def append(self, copy: str, jwe: bytes) -> bool:
        """Add a copy and return True; return False, and touch nothing, when there is one of this id."""
        ...

    def copies(self) -> list[str]:
        """Return the ids of all copies, sorted."""
        ...

    def copy(self, copy: str) -> bytes | None:
        """Return a copy, sealed as it came, or None."""
        ...

    def destroy(self, copy: str) -> bool:
        """Remove a copy at the owner's word or on its end date; return whether it was there."""
        ...

    def add_file(self, file: str, jwe: bytes) -> bool:
        """Add a sealed file and return True; return False, and touch nothing, when there is one of this id."""
        ...

    def files(self) -> list[str]:
        """Return the ids of all files, sorted."""
        ...

    def file(self, file: str) -> bytes | None:
        """Return a file, sealed as it came, or None."""
        ...

    def destroy_file(self, file: str) -> bool:
        """Remove a file at the owner's word or on its end date; return whether it was there."""
        ...

    def note(self, name: str, data: bytes) -> None:
        """Write an item of the profile drawer, new or not."""
        ...

    def noted(self, name: str) -> bytes | None:
        """Return an item of the profile drawer, or None."""
        ...

    def notes(self, prefix: str) -> list[str]:
        """Return the names of the profile drawer's items that begin with `prefix`, sorted."""
        ...

    def drop(self, name: str) -> bool:
        """Remove an item of the profile drawer; return whether it was there."""
        ...


class Vaults(Protocol):
    """All vaults that one provider keeps."""

    def all(self) -> Iterable[str]:
        """Return the ids of all vaults."""
        ...

    def find(self, vault: str) -> VaultStore | None:
        """Return the drawers of a vault, or None."""
        ...

    def named(self, name: str) -> VaultCard | None:
        """Return what is known of the vault of this name, or None."""
        ...

    def open(self, card: VaultCard, profile: Mapping[str, bytes]) -> VaultStore | None:
        """Make a new vault whose profile drawer holds `profile`, whole or not at all; None when its name is taken."""
        ...

    def close(self, vault: str) -> None:
        """Remove a vault with all that is in it; its name is free again."""
        ...

"""The door to a folder of small files: each is whole or absent, and durable when a call returns."""

from typing import ClassVar, Protocol

from wissel.core.errors import WisselError


class BadName(WisselError):
    """A name that could reach outside its folder, or is too long."""

    code: ClassVar[str] = "file-bad-name"
    status: ClassVar[int] = 422


class Folder(Protocol):
    """Small files by name: 1 to 200 of `A-Z a-z 0-9 . _ -`, not starting with a full stop."""

    def add(self, name: str, data: bytes) -> bool:
        """Write a new file and return True when it is durable; return False, and touch nothing, when it exists."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Write the file, new or not; a crash leaves the old bytes or the new ones."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return the bytes, or None when there is no such file."""
        ...

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that begin with `prefix`, sorted."""
        ...

    def remove(self, name: str) -> bool:
        """Remove the file durably; return whether it was there."""
        ...

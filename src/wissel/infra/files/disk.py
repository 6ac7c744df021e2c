"""Files on a disk: written beside the folder, synced, renamed into it, and the folder synced. Mode 0600."""

import os
import re
from pathlib import Path
from typing import Final

from wissel.infra.files.ports import BadName

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_UNFINISHED: Final = ".unfinished"


def checked(name: str) -> str:
    """Return `name`. Raises BadName when it could be anything but a plain file in its folder."""
    if not _NAME.fullmatch(name):
        raise BadName("A file name is 1 to 200 letters, digits, '.', '_' or '-', and does not start with '.'.")
    return name


class DiskFolder:
    """A `Folder` on disk. `scratch` holds files that are being written, on the same disk; one process writes."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        for path in (folder, scratch):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._scratch = folder, scratch
        self._unfinished = scratch / f".{folder.name}{_UNFINISHED}"
        self._unfinished.unlink(missing_ok=True)  # a crash left it; nobody was told that it was written

    def add(self, name: str, data: bytes) -> bool:
        """Write a new file; see `ports.Folder`."""
        target = self._folder / checked(name)
        if target.exists():
            return False
        self._write(target, data)
        return True

    def replace(self, name: str, data: bytes) -> None:
        """Write a file, new or not; see `ports.Folder`."""
        self._write(self._folder / checked(name), data)

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; see `ports.Folder`."""
        try:
            return (self._folder / checked(name)).read_bytes()
        except FileNotFoundError:
            return None

    def names(self, prefix: str = "") -> list[str]:
        """Return names, sorted; see `ports.Folder`."""
        found = (path.name for path in self._folder.iterdir() if path.is_file())
        return sorted(name for name in found if name.startswith(prefix) and not name.startswith("."))

    def remove(self, name: str) -> bool:
        """Remove a file; see `ports.Folder`."""
        try:
            (self._folder / checked(name)).unlink()
        except FileNotFoundError:
            return False
        _sync_folder(self._folder)
        return True

    def _write(self, target: Path, data: bytes) -> None:
        descriptor = os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._unfinished.replace(target)
        _sync_folder(self._folder)
        _sync_folder(self._scratch)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

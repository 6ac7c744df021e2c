"""Files in memory, for simulations and tests: held to the contract test of the disk's."""

from wissel.infra.files.disk import checked


class MemoryFolder:
    """A `Folder` that lives as long as its process."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def add(self, name: str, data: bytes) -> bool:
        """Keep a new file; see `ports.Folder`."""
        if checked(name) in self._files:
            return False
        self._files[name] = bytes(data)
        return True

    def replace(self, name: str, data: bytes) -> None:
        """Keep a file, new or not; see `ports.Folder`."""
        self._files[checked(name)] = bytes(data)

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; see `ports.Folder`."""
        return self._files.get(checked(name))

    def names(self, prefix: str = "") -> list[str]:
        """Return names, sorted; see `ports.Folder`."""
        return sorted(name for name in self._files if name.startswith(prefix))

    def remove(self, name: str) -> bool:
        """Forget a file; see `ports.Folder`."""
        return self._files.pop(checked(name), None) is not None

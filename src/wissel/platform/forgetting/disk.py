"""Durable writing of small secret files: whole or not at all, mode 0600, and zeroed before they go.

A call returns when the bytes, and the name they go by, are on the disk. Whether an SSD or a copy-on-write file
system keeps the old block elsewhere is out of reach here; `docs/forgetting.md` says so.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wissel.platform.forgetting.errors import KeyStoreDamaged
from wissel.platform.forgetting.layout import UNFINISHED

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
_CHUNK: Final = 1 << 20


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """Open a file (created with mode 0600) and close it again."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, FILE_MODE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    with opened(folder, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        os.fsync(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder of mode 0700 and make its name durable; one that exists only gets the mode."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=FOLDER_MODE)
        sync_folder(folder.parent)
    folder.chmod(FOLDER_MODE)


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """Write every byte of `data` at `offset`; a disk that takes only a part is asked again."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def replace(path: Path, data: bytes, *, wipe: bool = True) -> None:
    """Write a file, new or not: the old bytes or the new ones, never a mixture. `wipe` zeroes the old ones then."""
    fresh = path.with_name(path.name + UNFINISHED)
    with opened(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
        write_all(descriptor, data, 0)
        os.fsync(descriptor)
    if not (wipe and path.exists()):
        fresh.replace(path)
        sync_folder(path.parent)
        return
    with opened(path, os.O_RDWR) as old:
        fresh.replace(path)
        sync_folder(path.parent)
        _blank(old)


def destroy(path: Path) -> None:
    """Zero a file, sync, read back, unlink and sync the folder. One that is not there is well."""
    try:
        with opened(path, os.O_RDWR) as descriptor:
            _blank(descriptor)
    except FileNotFoundError:
        return
    path.unlink()
    sync_folder(path.parent)


def _blank(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    for offset in range(0, size, _CHUNK):
        write_all(descriptor, bytes(min(_CHUNK, size - offset)), offset)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, size, os.POSIX_FADV_DONTNEED)  # read back from the disk, not from memory
    for offset in range(0, size, _CHUNK):
        if any(os.pread(descriptor, min(_CHUNK, size - offset), offset)):
            raise KeyStoreDamaged("A file that was zeroed does not read back as zeros. Check the disk.")


def blank_records(descriptor: int, numbers: list[int], size: int) -> None:
    """Zero the records of `size` bytes at these places, sync once, and read each back."""
    for number in numbers:
        write_all(descriptor, bytes(size), number * size)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    for number in numbers:
        if os.pread(descriptor, size, number * size) != bytes(size):
            raise KeyStoreDamaged(f"Slot {number} was zeroed and does not read back as zeros. Check the disk.")


def sweep_unfinished(folder: Path) -> None:
    """Destroy what a crash left half written; nobody was told that it was there."""
    for path in sorted(folder.glob(f"*{UNFINISHED}")):
        destroy(path)

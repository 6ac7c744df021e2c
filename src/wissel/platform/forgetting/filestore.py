"""The key store of one host: a folder of small files, owned by one process. `layout` says which files."""

import fcntl
import os
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import IO, Final

import msgspec

from wissel.core.entropy import Entropy
from wissel.platform.forgetting import disk, layout
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
from wissel.platform.forgetting.words import SECRET_BYTES, Slot

OPEN_FILES_MAX: Final = 64
SLOTS_PER_RESERVE_MAX: Final = 65_536
SECRET_BYTES_MAX: Final = 65_536
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def _nothing(_point: str) -> None:
    return


class FileKeyStore(layout.FileKeyReader):
    """A `KeyStore` in `folder`, made when it is not there.

    `demo` says that a virtual clock drives this process: a new store is marked so, and a store that was not made so
    is refused (VirtualClockRefused). `crash` is called at named points between two writes (fault tests).
    Raises KeyStoreInUse when another process owns the folder.
    """

    def __init__(
        self, folder: Path, entropy: Entropy, *, demo: bool = False, crash: Callable[[str], None] = _nothing
    ) -> None:
        self._entropy = entropy
        self._crash = crash
        self._keys: dict[date, bytes] = {}
        self._files: dict[date, int] = {}
        disk.make_folder(folder)
        self._lock = _own(folder)
        with ExitStack() as undo:
            undo.callback(self._lock.close)
            _prepare(folder, demo=demo)
            super().__init__(folder)
            if demo and not self.demo:
                raise VirtualClockRefused(
                    "This key store holds real keys: it was not made with --demo, so a virtual clock may not drive it."
                )
            self._finish()
            undo.pop_all()

    def close(self) -> None:
        """Let go of the folder."""
        for day in list(self._files):
            self._shut(day)
        self._keys.clear()
        self._lock.close()

    def day_key(self, day: date) -> bytes:
        """Return the 32 bytes of a day; see `ports.KeyReader`."""
        key = self._keys.get(day)
        if key is None:
            key = self._keys[day] = layout.read_day_key(self._folder, day)
        return key

    def slot(self, day: date, number: int) -> bytes:
        """Return the 32 bytes of a slot; see `ports.KeyReader`."""
        try:
            descriptor = self._slots(day, create=False)
        except FileNotFoundError:
            raise KeyGone(f"The slots of day {day} are destroyed, or never were.") from None
        return layout.checked_slot(os.pread(descriptor, SECRET_BYTES, number * SECRET_BYTES), day, number)

    def make_day(self, day: date) -> bool:
        """Make a day alive; see `ports.KeyStore`."""
        passed = self.passed()
        if passed is not None and day <= passed:
            raise DayPassed(f"Day {day} was destroyed: nothing can be kept until then.", field="/enddate")
        path = layout.key_file(self._folder, day)
        if path.exists():
            return False
        disk.replace(path, self._draw())
        self._crash("day.made")
        return True

    def reserve(self, day: date, count: int) -> list[Slot]:
        """Hand out slots; see `ports.KeyStore`. They begin after the last byte ever written, torn or not."""
        if not 0 < count <= SLOTS_PER_RESERVE_MAX:
            raise ForgettingError(f"Slots are made 1 to {SLOTS_PER_RESERVE_MAX} at a time.")
        self.day_key(day)  # only a living day has slots
        descriptor = self._slots(day, create=True)
        first = -(-os.fstat(descriptor).st_size // SECRET_BYTES)
        slots = [Slot(first + index, self._draw()) for index in range(count)]
        disk.write_all(descriptor, b"".join(slot.secret for slot in slots), first * SECRET_BYTES)
        self._crash("slots.written")
        os.fsync(descriptor)
        self._crash("slots.synced")
        return slots

    def zero(self, day: date, numbers: Sequence[int]) -> None:
        """Zero slots; see `ports.KeyStore`."""
        try:
            with disk.opened(layout.slot_file(self._folder, day), os.O_RDWR) as descriptor:
                made = os.fstat(descriptor).st_size // SECRET_BYTES
                there = sorted(number for number in set(numbers) if 0 <= number < made)
                self._crash("slots.zeroing")
                disk.blank_records(descriptor, there, SECRET_BYTES)
        except FileNotFoundError:
            return
        self._crash("slots.zeroed")

    def destroy_day(self, day: date) -> None:
        """Destroy a day; see `ports.KeyStore`. What `passed` names is finished at the next start if we die here."""
        older = [alive for alive in self.days() if alive < day]
        if older:
            raise DayTooEarly(f"Day {day} cannot go while {older[0]} is alive: days are destroyed oldest first.")
        passed = self.passed()
        if passed is None or day > passed:
            disk.replace(self._folder / layout.PASSED, day.isoformat().encode() + b"\n", wipe=False)
        self._crash("day.marked")
        self._destroy(day)

    def secret(self, name: str) -> bytes | None:
        """Return a named secret; see `ports.KeyStore`."""
        try:
            return self._secret_file(name).read_bytes()
        except FileNotFoundError:
            return None

    def keep_secret(self, name: str, data: bytes) -> None:
        """Keep a named secret; see `ports.KeyStore`."""
        if not 0 < len(data) <= SECRET_BYTES_MAX:
            raise ForgettingError(f"A secret has 1 to {SECRET_BYTES_MAX} bytes.")
        disk.replace(self._secret_file(name), data)

    def drop_secret(self, name: str) -> None:
        """Destroy a named secret; see `ports.KeyStore`."""
        disk.destroy(self._secret_file(name))

    def checkpoint(self) -> str:
        """Return the highest checkpoint note; see `ports.KeyStore`."""
        try:
            return (self._folder / layout.CHECKPOINT).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def keep_checkpoint(self, note: str) -> None:
        """Keep a checkpoint note; see `ports.KeyStore`."""
        origin, size, root = _head(note)
        kept = self.checkpoint()
        if kept:
            old_origin, old_size, old_root = _head(kept)
            if origin == old_origin and size < old_size:
                raise CheckpointLower(
                    f"A checkpoint of size {old_size} was signed for this log; {size} would contradict it."
                )
            if (origin, size) == (old_origin, old_size) and root != old_root:
                raise CheckpointLower(f"A checkpoint of another tree of size {size} was signed for this log.")
        disk.replace(self._folder / layout.CHECKPOINT, note.encode(), wipe=False)

    def _draw(self) -> bytes:
        secret = self._entropy.draw(SECRET_BYTES)
        if len(secret) != SECRET_BYTES or secret == layout.ZERO:
            raise KeyStoreDamaged("The source of chance gave zeros or too few bytes. Do not go on with it.")
        return secret

    def _secret_file(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name.endswith(layout.UNFINISHED):
            raise ForgettingError("A secret's name is 1 to 64 of a-z, 0-9, '.', '_' and '-', and begins with a letter.")
        return self._folder / layout.SECRETS / name

    def _slots(self, day: date, *, create: bool) -> int:
        descriptor = self._files.get(day)
        if descriptor is not None:
            return descriptor
        path = layout.slot_file(self._folder, day)
        fresh = create and not path.exists()
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        descriptor = os.open(path, flags, disk.FILE_MODE)
        if fresh:
            disk.sync_folder(path.parent)
        while len(self._files) >= OPEN_FILES_MAX:
            self._shut(next(iter(self._files)))
        self._files[day] = descriptor
        return descriptor

    def _shut(self, day: date) -> None:
        descriptor = self._files.pop(day, None)
        if descriptor is not None:
            os.close(descriptor)

    def _destroy(self, day: date) -> None:
        self._keys.pop(day, None)
        self._shut(day)
        disk.destroy(layout.key_file(self._folder, day))
        self._crash("day.key.destroyed")
        disk.destroy(layout.slot_file(self._folder, day))

    def _finish(self) -> None:
        """Finish what a crash left: days marked as passed, and files half written."""
        for folder in (self._folder, self._folder / layout.DAYS, self._folder / layout.SECRETS):
            disk.sweep_unfinished(folder)
        passed = self.passed()
        for day in sorted(layout.day_files(self._folder)):
            if passed is not None and day <= passed:
                self._destroy(day)


def _prepare(folder: Path, *, demo: bool) -> None:
    for name in (layout.DAYS, layout.SECRETS):
        disk.make_folder(folder / name)
    if layout.read_marker(folder) is None:
        if layout.living_days(folder):
            raise KeyStoreDamaged(f"The key store in {folder.name} has keys but no {layout.MARKER}. Restore that file.")
        disk.replace(folder / layout.MARKER, msgspec.json.encode(layout.Marker(format=1, demo=demo)))


def _own(folder: Path) -> IO[bytes]:
    path = folder / layout.LOCK
    lock = path.open("ab")
    path.chmod(disk.FILE_MODE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise KeyStoreInUse(
            f"The key store in {folder.name} is owned by another process. Stop that one first."
        ) from None
    return lock


def _head(note: str) -> tuple[str, int, str]:
    lines = note.split("\n", 3)
    if len(lines) < 4 or not lines[1].isdecimal():  # noqa: PLR2004 - origin, size, root, the rest (C2SP tlog-checkpoint)
        raise ForgettingError("A checkpoint note begins with its origin, its size and its root, a line each.")
    return lines[0], int(lines[1]), lines[2]

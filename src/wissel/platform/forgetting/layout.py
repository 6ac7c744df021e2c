"""The files of a key store: how they are named and read. Reading needs no lock and changes nothing.

    store.json               {"format":1,"demo":true|false}
    lock                     held by the one owner
    passed                   the newest day destroyed, e.g. 2026-05-01
    checkpoint               the highest checkpoint note
    secrets/<name>           named secrets
    days/<day>.key           32 bytes
    days/<day>.slots         32 bytes for each slot; the number of a slot is its place

A record of 32 bytes never straddles a sector, so zeroing one is whole or not at all. The length of a slot file is
the high-water mark: a number below it may have been handed out, a number at or above it never was.
"""

import re
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from wissel.platform.forgetting.errors import KeyGone, KeyStoreDamaged
from wissel.platform.forgetting.words import SECRET_BYTES, SlotCount

MARKER: Final = "store.json"
LOCK: Final = "lock"
PASSED: Final = "passed"
CHECKPOINT: Final = "checkpoint"
SECRETS: Final = "secrets"
DAYS: Final = "days"
UNFINISHED: Final = ".unfinished"
ZERO: Final = bytes(SECRET_BYTES)

_OF_A_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)\.(key|slots)")


class Marker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a key store says of itself."""

    format: int
    demo: bool


def key_file(folder: Path, day: date) -> Path:
    """Return the file of a day's key."""
    return folder / DAYS / f"{day.isoformat()}.key"


def slot_file(folder: Path, day: date) -> Path:
    """Return the file of a day's slots."""
    return folder / DAYS / f"{day.isoformat()}.slots"


def read_marker(folder: Path) -> Marker | None:
    """Return what a store says of itself, None when there is none. Raises KeyStoreDamaged."""
    try:
        marker = msgspec.json.decode((folder / MARKER).read_bytes(), type=Marker)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise KeyStoreDamaged(f"{folder.name}/{MARKER} cannot be read: {error}.") from None
    if marker.format != 1:
        raise KeyStoreDamaged(f"This key store has format {marker.format}; this release knows format 1.")
    return marker


def living_days(folder: Path) -> list[date]:
    """Return the days that have a key file, oldest first."""
    return [day for day, kinds in sorted(day_files(folder).items()) if "key" in kinds]


def day_files(folder: Path) -> dict[date, set[str]]:
    """Return which files there are of each day: `key`, `slots`. Other files are none of ours."""
    found: dict[date, set[str]] = {}
    for path in (folder / DAYS).iterdir():
        if match := _OF_A_DAY.fullmatch(path.name):
            found.setdefault(date.fromisoformat(match[1]), set()).add(match[2])
    return found


def read_day_key(folder: Path, day: date) -> bytes:
    """Return a day's key as it is on the disk now. Raises KeyGone."""
    try:
        key = key_file(folder, day).read_bytes()
    except FileNotFoundError:
        raise KeyGone(f"The key of day {day} is destroyed, or never was.") from None
    if len(key) != SECRET_BYTES or key == ZERO:
        raise KeyGone(f"The key of day {day} is zeroed.")
    return key


class FileKeyReader:
    """A key store in a folder, for who only looks: `wissel inspect`, tests, a thief."""

    def __init__(self, folder: Path) -> None:
        marker = read_marker(folder)
        if marker is None:
            raise KeyStoreDamaged(f"There is no key store in {folder.name}: {MARKER} is absent.")
        self._folder = folder
        self._demo = marker.demo

    @property
    def demo(self) -> bool:
        """Whether this store was made for a demo."""
        return self._demo

    def days(self) -> list[date]:
        """Return the days that are alive, oldest first."""
        return living_days(self._folder)

    def passed(self) -> date | None:
        """Return the newest day destroyed."""
        try:
            return date.fromisoformat((self._folder / PASSED).read_text(encoding="ascii").strip())
        except FileNotFoundError:
            return None
        except ValueError:
            raise KeyStoreDamaged(f"The file '{PASSED}' of the key store does not hold a day.") from None

    def day_key(self, day: date) -> bytes:
        """Return the 32 bytes of a day; see `ports.KeyReader`."""
        return read_day_key(self._folder, day)

    def slot(self, day: date, number: int) -> bytes:
        """Return the 32 bytes of a slot; see `ports.KeyReader`."""
        try:
            with slot_file(self._folder, day).open("rb") as file:
                file.seek(number * SECRET_BYTES)
                return checked_slot(file.read(SECRET_BYTES), day, number)
        except FileNotFoundError:
            raise KeyGone(f"The slots of day {day} are destroyed, or never were.") from None

    def count(self, day: date) -> SlotCount:
        """Return how many slots a day has and how many of them are zeroed."""
        try:
            data = slot_file(self._folder, day).read_bytes()
        except FileNotFoundError:
            return SlotCount(0, 0)
        records = range(0, len(data) - SECRET_BYTES + 1, SECRET_BYTES)
        return SlotCount(len(records), sum(data[at : at + SECRET_BYTES] == ZERO for at in records))


def checked_slot(secret: bytes, day: date, number: int) -> bytes:
    """Return a slot's bytes. Raises KeyGone when they are zero, or not there in full."""
    if len(secret) != SECRET_BYTES or secret == ZERO:
        raise KeyGone(f"Slot {number} of day {day} is zeroed, or never was.")
    return secret

"""Rob a platform: take every file, combine everything with everything, report what could be read."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wissel.infra.sql import raw as files
from wissel.platform.forgetting.rules import expand, extract
from wissel.platform.forgetting.thief.rows import Cell, Wrapped, carve, cells, wrapped_keys
from wissel.platform.forgetting.thief.rules import authentic, decipher, forms, legible
from wissel.platform.forgetting.thief.words import Loot, MarkerHit, OpenedKey, Reading
from wissel.platform.forgetting.words import NONCE_BYTES, SECRET_BYTES, TAG_BYTES, KeyName

TRIES_MAX: Final = 3_000_000
FILE_BYTES_MAX: Final = 1 << 30
_NOT_SEALED: Final = {"data_keys", "canaries"}


class _Haul(NamedTuple):
    """Everything taken: bytes of files, day keys, slots by day, keys in their wrapping, sealed cells."""

    raw: dict[str, bytes]
    day_keys: frozenset[bytes]
    slots: dict[str, frozenset[bytes]]
    wrapped: dict[Wrapped, str]
    sealed: dict[Cell, str]


def rob(folder: Path, backups: Sequence[Path] = (), *, markers: Sequence[str] = (), tries_max: int = TRIES_MAX) -> Loot:
    """Try everything on a platform's folder (database, journal, key store, logs) and on back-ups of its database.

    Every wrapped key, of rows that are there and of deleted ones, with every day key and every slot of its day, and
    with the slots of all other days as far as `tries_max` allows; every record of the key store as a data key
    itself; every BLOB of every table with every key that opened. `markers` are texts to look for in all bytes.
    """
    haul = _take([*sorted(path for path in folder.rglob("*") if path.is_file()), *backups], folder)
    keys, tries, left_out = _open_keys(haul, tries_max)
    readings, more = _read(haul, keys)
    loose, most = _read_loose(haul, tries_max)
    found = [*readings, *loose]
    return Loot(
        keys=tuple(keys),
        readings=tuple(found),
        hits=tuple(_hits(haul.raw, found, markers)),
        files=len(haul.raw),
        day_keys=len(haul.day_keys),
        slots=sum(len(slots) for slots in haul.slots.values()),
        wrapped=len(haul.wrapped),
        sealed=len(haul.sealed),
        tries=tries + more + most,
        left_out=left_out,
    )


def _take(paths: Iterable[Path], folder: Path) -> _Haul:
    raw = {_name(path, folder): path.read_bytes() for path in paths if path.stat().st_size <= FILE_BYTES_MAX}
    wrapped: dict[Wrapped, str] = {}
    sealed: dict[Cell, str] = {}
    for name, data in raw.items():
        for image in files.images(data, raw.get(name + "-wal", b"")):
            rows = list(files.rows(image))
            wrapped |= dict.fromkeys(wrapped_keys(rows), name)
            sealed |= {cell: name for cell in cells(rows) if cell.table not in _NOT_SEALED}
    known = {(row.process, row.cls, row.scope, row.data) for row in wrapped}
    for name, data in raw.items():
        carved = (row for row in carve(data) if (row.process, row.cls, row.scope, row.data) not in known)
        wrapped |= {row: name for row in carved if row not in wrapped}
    slots = {Path(name).stem: _records(data) for name, data in raw.items() if name.endswith(".slots")}
    keys = frozenset(data for data in raw.values() if len(data) == SECRET_BYTES)
    return _Haul(raw, keys, slots, wrapped, sealed)


def _name(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _records(data: bytes) -> frozenset[bytes]:
    return frozenset(
        data[at : at + SECRET_BYTES].ljust(SECRET_BYTES, b"\x00") for at in range(0, len(data), SECRET_BYTES)
    )


def _open_keys(haul: _Haul, tries_max: int) -> tuple[list[OpenedKey], int, int]:
    """Try day keys and slots on every wrapping: first those of its own day, then all others while tries last."""
    own: dict[str, list[bytes]] = defaultdict(list)
    for day, slots in haul.slots.items():
        own[day] = [extract(key, slot) for slot in slots for key in haul.day_keys]
    opened: dict[KeyName, OpenedKey] = {}
    tries = left_out = 0
    for row, file in haul.wrapped.items():
        first = own.get(row.day, [])
        others = [day for day in own if day != row.day]
        count = len(first) + sum(len(own[day]) for day in others)
        if tries + count > tries_max:
            left_out += count - len(first)
            others = []
        secret = _try(row, first)
        tries += len(first)
        for day in others if secret is None else []:
            secret = secret or _try(row, own[day])
            tries += len(own[day])
        if secret is not None:
            name = KeyName(row.process, row.cls, row.scope)  # type: ignore[arg-type]  # as the file says it
            opened.setdefault(name, OpenedKey(*name, file, secret))
    return list(opened.values()), tries, left_out


def _try(row: Wrapped, candidates: Iterable[bytes]) -> bytes | None:
    name = KeyName(row.process, row.cls, row.scope)  # type: ignore[arg-type]  # as the file says it
    nonce, rest = row.data[:NONCE_BYTES], row.data[NONCE_BYTES:]
    if len(rest) != SECRET_BYTES + TAG_BYTES:
        return None
    for candidate in candidates:
        try:
            return AESGCM(expand(candidate, name)).decrypt(nonce, rest, None)
        except InvalidTag:
            continue  # not this one
    return None


def _read(haul: _Haul, keys: Iterable[OpenedKey]) -> tuple[list[Reading], int]:
    """Read every sealed cell with every key that opened, its place known or not."""
    found: list[Reading] = []
    tries = 0
    for key in keys:
        for cell, file in haul.sealed.items():
            tries += 1
            plain = authentic(key.secret, cell.data, _places(cell, [key.process], [key.cls], [key.scope]))
            guess = plain if plain is not None else decipher(key.secret, cell.data)
            if plain is not None or legible(guess):
                found.append(Reading(key.process, key.cls, file, cell.table, cell.column, guess))
    return found, tries


def _read_loose(haul: _Haul, tries_max: int) -> tuple[list[Reading], int]:
    """Take every record of the key store for a data key that somebody left there."""
    loose = haul.day_keys.union(*haul.slots.values())
    processes = {row.process: sorted({r.cls for r in haul.wrapped if r.process == row.process}) for row in haul.wrapped}
    found: list[Reading] = []
    tries = 0
    for cell, file in haul.sealed.items():
        whose = [process for process in processes if process in cell.texts]
        for process in whose:
            places = _places(cell, [process], processes[process], [])
            for secret in loose:
                if tries >= tries_max:
                    return found, tries
                tries += 1
                plain = authentic(secret, cell.data, places)
                if plain is not None:
                    found.append(Reading(process, "loose", file, cell.table, cell.column, plain))
    return found, tries


def _places(cell: Cell, processes: list[str], classes: list[str], scopes: list[str]) -> list[str]:
    pairs = [f"{one} {other}" for one, other in pairwise(cell.texts)]  # source and id, party and commitment
    messages = dict.fromkeys(["", *scopes, *cell.texts, *pairs, cell.table, cell.column])
    return [f"{process}|{message}|{cls}" for process in processes for message in messages for cls in classes]


def _hits(raw: dict[str, bytes], readings: list[Reading], markers: Sequence[str]) -> list[MarkerHit]:
    places = list(raw.items())
    places += [(f"{reading.file}: {reading.table}.{reading.column}, read", reading.plain) for reading in readings]
    return [
        MarkerHit(where, form)
        for marker in markers
        for form, needle in forms(marker).items()
        for where, data in places
        if needle in data
    ]

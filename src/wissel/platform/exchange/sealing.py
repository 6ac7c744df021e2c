"""What of a message lies sealed under which key, and how it is opened again.

A message lies under its process's `post` key, or under a key of its own: of class `special` when its payload is
special-category data, of class `post` when it ends before its process does (architecture section 6). Its receipt lies
under the same key as itself; national numbers lie apart, under a `number` key. A seal is bound to source and id, as ids
are unique per source only: who writes the database cannot put one message's bytes in another's place.
"""

from typing import TypeVar

import msgspec

from wissel.platform.exchange.rules import join_apart
from wissel.platform.exchange.words import Kept, Party
from wissel.platform.forgetting.errors import SealBroken
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.words import DataKey, KeyName, KeyRing
from wissel.platform.store.words import MessageRow

T = TypeVar("T")


def key_of(keys: KeyRing, row: MessageRow) -> DataKey:
    """Return the key under which a message and its receipt lie. Raises KeyGone when it is dead."""
    return keys[KeyName(row.process, row.own, row.which.scope) if row.own else KeyName(row.process, "post")]


def own_keys(row: MessageRow) -> list[KeyName]:
    """Return the keys that end with the copies of a message: those of national numbers and of special categories."""
    numbers = [KeyName(row.process, "number", row.which.scope)] if row.apart else []
    return [*numbers, KeyName(row.process, "special", row.which.scope)] if row.own == "special" else numbers


def kept_of(keys: KeyRing, row: MessageRow) -> Kept:
    """Return what is kept of a message, without the fields that lie apart. Raises KeyGone when its key is dead."""
    key = key_of(keys, row)
    return read(key.open(row.sealed, place(row.process, row.which.scope, key.row.cls)), Kept)


def unseal(keys: KeyRing, row: MessageRow) -> tuple[Kept, bytes]:
    """Return what is kept of a message and its whole canonical payload. Raises KeyGone when a key is dead."""
    kept = kept_of(keys, row)
    if not row.apart:
        return kept, bytes(kept.data)
    number = keys[KeyName(row.process, "number", row.which.scope)]
    return kept, join_apart(bytes(kept.data), number.open(row.apart, place(row.process, row.which.scope, "number")))


def seal_receipt(key: DataKey, row: MessageRow, statement: str) -> bytes:
    """Seal the receipt of a message under its own `key_of`, or the platform's statement that there is none."""
    return key.seal(statement.encode(), place(row.process, row.which.scope, "receipt"))


def receipt_of(keys: KeyRing, row: MessageRow) -> str:
    """Return what `seal_receipt` sealed."""
    return key_of(keys, row).open(row.receipt, place(row.process, row.which.scope, "receipt")).decode()


def seal_party(post: DataKey, name: str, party: Party) -> bytes:
    """Seal what is kept of a party of the process whose key `post` is."""
    return post.seal(msgspec.json.encode(party), place(post.row.process, name, "post"))


def party_of(keys: KeyRing, process: str, name: str, sealed: bytes) -> Party:
    """Return what is kept of a party."""
    return read(keys[KeyName(process, "post")].open(sealed, place(process, name, "post")), Party)


def parcel_of(party: str, commitment: str) -> str:
    """Return what names a parcel within its process: a copy goes to several parties."""
    return f"{party} {commitment}"


def read(plain: bytes, kind: type[T]) -> T:
    """Read what was opened. Raises SealBroken when it is nothing that this release seals."""
    try:
        return msgspec.json.decode(plain, type=kind)
    except msgspec.MsgspecError:
        raise SealBroken(
            f"Something sealed is no {kind.__name__} of this release. Start the release that wrote it."
        ) from None

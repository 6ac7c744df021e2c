"""The platform's own keys: made once, at the very first start, and never again while there is a database."""

from collections.abc import Collection, Mapping
from typing import ClassVar, Final, NamedTuple

import msgspec

from wissel.core.entropy import Entropy
from wissel.core.errors import WisselError
from wissel.infra.sql.ports import Database
from wissel.messages.jose import SealingKey, SigningKey
from wissel.messages.notes import NoteKey
from wissel.platform.forgetting.ports import KeyStore
from wissel.platform.participants.store import read_cards
from wissel.platform.registers.audit.store import heads
from wissel.platform.store import messages

LOG: Final = "log"
OWN: Final[Mapping[str, str]] = {
    "sign": "its signatures",
    "seal": "the delivery capabilities that it gave out",
    "hash": "what it knows repeated messages by",
    LOG: "its audit log",
}


class IdentityLost(WisselError):
    """The database is not empty, and the key store lacks keys of the platform itself. Nothing was started."""

    code: ClassVar[str] = "identity-lost"
    status: ClassVar[int] = 503


class Identity(NamedTuple):
    """The platform's own keys; they lie in the key store as named secrets."""

    signer: SigningKey
    sealer: SealingKey
    log: NoteKey
    secret: bytes
    adapters: Mapping[str, SigningKey]


async def check_identity(keystore: KeyStore, database: Database, *, reopening: bool = False) -> None:
    """Refuse to go on with new keys where others were used before. Raises IdentityLost.

    `reopening` gives the log a new key, so that one may be missing then.
    """
    missing = [name for name in OWN if keystore.secret(name) is None and not (reopening and name == LOG)]
    if not missing or not (await heads(database) or await read_cards(database)):
        return
    lost = f"The key store lacks the platform's own keys ({', '.join(missing)}) and the database is not empty: "
    if missing == [LOG]:
        raise IdentityLost(f"{lost}its audit log cannot go on. Mount the right key store, or run wissel audit reopen.")
    unreadable = await messages.count(database, "processes")
    raise IdentityLost(
        f"{lost}{unreadable} processes cannot be read, and lost are {', '.join(OWN[name] for name in missing)}. No new "
        "key was made. Mount the key store that belongs to this database; a replica will do. If there is none, keep "
        "this folder for its log and begin with an empty one under a new log origin: senders keep what has no receipt, "
        "and send it again."
    )


def read_identity(keystore: KeyStore, entropy: Entropy, origin: str, roles: Collection[str]) -> Identity:
    """Return the platform's keys, made and made durable when they are not there yet: `check_identity` comes first.

    `roles` are the partners for whom adapters speak; one that is new in this release gets its key here.
    """
    signer = SigningKey.from_jwk(_jwk(keystore, "sign", SigningKey.new(entropy).private_jwk))
    sealer = SealingKey.from_jwk(_jwk(keystore, "seal", SealingKey.new(entropy).private_jwk))
    log = NoteKey.load(_secret(keystore, LOG, NoteKey.new(origin, entropy).dump()))
    adapters = {
        role: SigningKey.from_jwk(_jwk(keystore, f"adapter-{role}", SigningKey.new(entropy).private_jwk))
        for role in roles
    }
    return Identity(signer, sealer, log, _secret(keystore, "hash", entropy.draw(32)), adapters)


def _secret(keystore: KeyStore, name: str, fresh: bytes) -> bytes:
    known = keystore.secret(name)
    if known is None:
        keystore.keep_secret(name, fresh)
        return fresh
    return known


def _jwk(keystore: KeyStore, name: str, fresh: dict[str, str]) -> dict[str, str]:
    return msgspec.json.decode(_secret(keystore, name, msgspec.json.encode(fresh)), type=dict[str, str])

"""Files: taken in sealed, claimed by the message that names them, handed out, and ended with their keys.

The platform stores a JWE that its sender made, sealed once more under a key of the file's own, and cannot open it. A
file waits 24 hours for its message; then it lives as its message does: class `post` to a receiver, `parcel` to a
learner's vault, `special` for what ends a day after she was verified.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from wissel.client.words import Upload
from wissel.core.ids import partition_of
from wissel.core.moments import dutch_day, end_of, from_ms, to_ms
from wissel.infra.sql.ports import Conflict, Statement
from wissel.messages.envelope import LEARNER, Envelope
from wissel.messages.files import JWE_BYTES_MAX, SCAN_KEPT_MAX, FileRef, Named
from wissel.messages.verify import Refused, b64, parse_json, sha256, unb64
from wissel.platform.exchange import grants
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.errors import FileEnded, FileMissing, FileRefused, FilesWaiting, FileTaken, FileUnknown
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.shred import order_destroy
from wissel.platform.forgetting.words import KeyName, KeyRing, Reason
from wissel.platform.store import files, messages
from wissel.platform.store.files import FileClass, FileRow
from wissel.platform.store.words import MessageRow, Where

WAITS: Final = timedelta(hours=24)  # for its message
HANDED: Final = frozenset({"accepted", "rejected"})
_JWE: Final = re.compile(rb"([A-Za-z0-9_-]{1,2000})\.\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}")


class Stored(NamedTuple):
    """A file that is durable: its hash, and whether it was new."""

    hash: str
    first: bool


async def upload(desk: Desk, caller: str, asked: Upload, body: bytes) -> Stored:
    """Take in one sealed file of `caller`; the same bytes again are the same file. Nothing of it is kept in plain."""
    now = desk.clock.now()
    kid = _read(body)
    if not asked.recipient.startswith(LEARNER) and kid != desk.participants.seal_key(asked.recipient, now).kid:
        raise FileRefused("The file is sealed to another key than the recipient's: take the one on its card.")
    row = FileRow(
        partition=partition_of(asked.process),
        process=asked.process,
        hash=b64(sha256(body)),
        sender=caller,
        recipient=asked.recipient,
        keyclass=_class_of(asked),
        source="",
        id="",
        size=len(body),
        end_ms=to_ms(now + WAITS),
    )
    if await _is_there(desk, row):
        return Stored(row.hash, first=False)
    await _room(desk, row)
    minted = desk.keys.mint(row.process, row.partition, row.keyclass, row.hash, dutch_day(now + WAITS))
    sealed = minted.key.seal(body, place(row.process, row.hash, row.keyclass))
    try:
        await desk.database.commit([minted.statement, files.keep(row, sealed)])
    except Conflict:
        if not await _is_there(desk, row):
            raise
        return Stored(row.hash, first=False)
    desk.journal.write("file.taken", process=row.process, source=caller, bytes=row.size)
    return Stored(row.hash, first=True)


def _read(body: bytes) -> str:
    """Return the key that a JWE says it is sealed to. Raises FileRefused when it is no JWE as files are sealed."""
    found = _JWE.fullmatch(body) if len(body) <= JWE_BYTES_MAX else None
    try:
        header = parse_json(unb64(found[1].decode())) if found else {}
    except Refused:
        header = {}
    if not isinstance(header, dict) or (header.get("alg"), header.get("enc")) != ("ECDH-ES", "A256GCM"):
        raise FileRefused(
            f"A file is a compact JWE (ECDH-ES, A256GCM) of at most {JWE_BYTES_MAX} bytes. Seal it first."
        )
    return str(header.get("kid", ""))


def _class_of(asked: Upload) -> FileClass:
    if asked.dataclass == "special":
        return "special"
    return "parcel" if asked.recipient.startswith(LEARNER) else "post"


async def _is_there(desk: Desk, row: FileRow) -> bool:
    """Tell whether this very file was taken in before. Raises FileTaken when somebody else's, or for somebody else."""
    before = await files.find(desk.database, Where(row.partition, row.process), row.hash)
    if before is None:
        return False
    if (before.sender, before.recipient, before.keyclass) != (row.sender, row.recipient, row.keyclass):
        raise FileTaken("These bytes were uploaded for another recipient or use. Seal the file anew for this one.")
    return True


async def _room(desk: Desk, row: FileRow) -> None:
    """Hold a sender to what may wait for its messages. Raises FilesWaiting."""
    waiting = await files.waiting(desk.database, row.sender)
    limits = desk.limits
    if waiting.number >= limits.files_waiting_max or waiting.size + row.size > limits.files_waiting_bytes_max:
        raise FilesWaiting(
            f"At most {limits.files_waiting_max} files and {limits.files_waiting_bytes_max} bytes wait for your "
            "messages. Send those messages first, or come back later."
        )


class Claim(NamedTuple):
    """One sealed form that a payload names: where it does, its hash, for whom it must be sealed."""

    field: str
    hash: str
    recipient: str
    ref: FileRef


async def claim(
    desk: Desk, caller: str, row: MessageRow, envelope: Envelope, named: Sequence[Named]
) -> list[Statement]:
    """Return what gives the files that a message names to it: moved to its end, and named by no other.

    Raises FileUnknown with the field of a file that `caller` did not upload for that party in this process.
    """
    if not named:
        return []
    claims = _claims(envelope, named)
    keys = await desk.keys.load([envelope.process])
    unit: list[Statement] = []
    for each in claims:
        found = await files.find(desk.database, Where(row.partition, row.process), each.hash)
        unit += _give(desk, row, _fitting(found, each, caller, row.accepted_ms), keys)
    return unit


def _claims(envelope: Envelope, named: Sequence[Named]) -> list[Claim]:
    """Return every sealed form that is named. Raises FileUnknown for one that stands twice, or is not hers too."""
    copies = not envelope.recipient.startswith(LEARNER)
    found: dict[str, Claim] = {}
    for pointer, ref in named:
        if copies != bool(ref.copy):
            said = (
                "The learner gets each file too: seal it to her." if copies else "She is the receiver: no second form."
            )
            raise FileUnknown(said, field=f"{pointer}/copy")
        for field, digest, recipient in (
            (f"{pointer}/sealed", ref.sealed, envelope.recipient),
            (f"{pointer}/copy", ref.copy, envelope.subject),
        ):
            if digest in found:
                raise FileUnknown("A file is named once: seal it anew for each place.", field=field)
            if digest:
                found[digest] = Claim(field, digest, recipient, ref)
    return list(found.values())


def _fitting(row: FileRow | None, each: Claim, caller: str, now_ms: int) -> FileRow:
    if row is None or (row.sender, row.recipient, row.id) != (caller, each.recipient, "") or row.end_ms <= now_ms:
        raise FileUnknown(
            "No file of this hash waits that you uploaded in this process for that party. Upload it "
            "(POST /v1/files), and send the message within 24 hours.",
            field=each.field,
        )
    if (row.keyclass == "special") != each.ref.special:
        raise FileUnknown(
            "An identity scan, and no other file, is uploaded with dataclass=special. Upload it so.", field=each.field
        )
    return row


def _give(desk: Desk, message: MessageRow, row: FileRow, keys: KeyRing) -> list[Statement]:
    """Name a file, and move its key to the end day that its use allows."""
    accepted = from_ms(message.accepted_ms)
    end, day = message.end_ms, dutch_day(from_ms(message.end_ms - 1))
    if row.keyclass == "special":
        end = min(end, to_ms(accepted + SCAN_KEPT_MAX))
        day = min(day, dutch_day(from_ms(end)))
    elif row.keyclass == "parcel":  # as copies, also when her vault is away: settling moves both to the same day
        copies = keys.get(KeyName(row.process, "parcel"))
        day = copies.row.end_day if copies is not None else day + timedelta(days=desk.limits.parcel_days + 1)
        end = to_ms(end_of(day))
    moved = desk.keys.move(keys[_name(row)].row, day, accepted)
    return [*moved.statements, files.name(row, message.source, message.id, end)]


async def hand_out(desk: Desk, caller: str, digest: str) -> bytes:
    """Return a sealed file to the party whom it is for, while its message waits for that party or is not settled.

    Raises FileMissing, as if there were none, for anybody else and at any other time; FileEnded when it has ended.
    """
    for row in await files.named(desk.database, digest):
        if await _may_have(desk, caller, row):
            keys = await desk.keys.load([row.process])
            sealed = await files.sealed(desk.database, row)
            if not sealed:
                raise FileEnded("This file has ended: what was to be seen in it was seen. Go on without it.")
            return unwrap(row, keys, sealed)
    raise FileMissing("There is no such file, or it is not for you, or its message is over.")


async def _may_have(desk: Desk, caller: str, row: FileRow) -> bool:
    if row.recipient != caller:
        return False  # also the learner's form: only the place that she chose is handed it
    message = await messages.find(desk.database, row.which)
    if message is None or message.recipient != caller:
        return False  # settled
    if not grants.may_send(message.source, caller, message.type, desk.participants, desk.clock.now()):
        return False  # its grant is over: then the message is not handed out either
    mail = await messages.find_mail(desk.database, caller, row.source, row.id)
    if any(head.process == row.process for head in mail):
        return True
    return message.outcome in HANDED


async def end(desk: Desk, row: FileRow, now: datetime) -> int:
    """End a file whose end has come: its bytes go and its key is ordered destroyed. Returns 1, or 0 if another did."""
    named = bool(row.id) and row.keyclass == "special"
    unit = [files.empty(row) if named else files.drop(row)]
    unit += await _end_key(desk, row, "verified" if named else "ended", now)
    try:
        await desk.database.commit(unit)
    except Conflict:
        return 0  # its process settled, or a message named it: the next round sees it as it is
    desk.journal.write("file.ended", process=row.process, keyclass=row.keyclass)
    return 1


async def delivered(desk: Desk, row: FileRow, now: datetime) -> list[Statement]:
    """Return what lets go of a file that is in its owner's vault."""
    return [files.drop(row), *await _end_key(desk, row, "delivered", now)]


async def _end_key(desk: Desk, row: FileRow, reason: Reason, now: datetime) -> list[Statement]:
    """Return the order to destroy a file's key. One whose day has passed has no row any more."""
    rows = [key for key in await desk.keys.rows([row.process]) if key.name == _name(row)]
    return order_destroy(rows, reason, now)


async def of_learner(desk: Desk, row: MessageRow) -> list[FileRow]:
    """Return what a message brings to the learner's vault: the forms of its files that are sealed to her."""
    found = await files.of_message(desk.database, row.which)
    return [each for each in found if each.recipient.startswith(LEARNER) and each.size]


def unwrap(row: FileRow, keys: KeyRing, sealed: bytes) -> bytes:
    """Return the JWE of its sender. Raises KeyGone or SealBroken."""
    return keys[_name(row)].open(sealed, place(row.process, row.hash, row.keyclass))


def _name(row: FileRow) -> KeyName:
    return KeyName(row.process, row.keyclass, row.hash)

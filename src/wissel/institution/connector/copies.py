"""The institution's own vault of afschriften: sealed copies come in, let messages go, and end on their end date."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from wissel.core.moments import to_ms
from wissel.infra.sql.ports import Statement
from wissel.institution.connector import files, holds, store
from wissel.institution.connector.house import Served, end_ms
from wissel.institution.connector.words import Task
from wissel.messages.envelope import LEARNER, Day, Envelope
from wissel.messages.holds import KINDS
from wissel.messages.records import Undelivered
from wissel.messages.verify import Refused, open_jwe, parse, unb64, verify

SUFFIX: Final = ".afschrift"
COPIES_MAX: Final = 100
JWE_MAX: Final = 1_500_000
ENDED_PER_STEP: Final = 500
SWEEP_EVERY: Final = timedelta(minutes=1)

CopyId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]
Jwe = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+$(?!\n)")]


class SealedCopy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One afschrift, sealed to the institution; `id` is its commitment.

    `until` is the end date of its message, for who cannot open it: the institution can, and goes by what it reads.
    """

    id: CopyId
    jwe: Annotated[Jwe, msgspec.Meta(max_length=JWE_MAX)]
    until: Day | None = None


class Delivered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the platform delivers in one request."""

    copies: Annotated[tuple[SealedCopy, ...], msgspec.Meta(min_length=1, max_length=COPIES_MAX)]


class Copies:
    """Takes copies in and lets them end. A copy that cannot be opened is not stored, and the platform hears so."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._swept: datetime | None = None

    async def store(self, copies: Sequence[SealedCopy]) -> list[str]:
        """Keep copies; return the ids that are safe now. The first of an id stands; again is harmless."""
        async with self._served.turn:
            return [copy.id for copy in copies if await self._store(copy)]

    async def step(self, now: datetime) -> int:
        """Destroy copies and files past their end that nothing holds, and forget what else is over. Returns how many.

        It looks once a minute at most: days end at midnight, and a full batch is followed by the next at once.
        """
        if self._swept is not None and self._swept <= now < self._swept + SWEEP_EVERY:
            return 0
        ended = await self._sweep(now)
        self._swept = None if ended >= ENDED_PER_STEP else now
        return ended

    async def _sweep(self, now: datetime) -> int:
        served = self._served
        async with served.turn:
            ended = await store.ended_copies(served.book, to_ms(now), ENDED_PER_STEP)
            for commitment in ended:
                # Index rows go last: a crash in between leaves a row without a file, which the next step clears.
                served.vault.remove(commitment + SUFFIX)
                await served.book.commit(store.forget_copy(commitment))
            await served.book.commit(store.forget_past(to_ms(now)))
            done = len(ended) + await files.sweep(served, now)
        if ended:
            served.note("copies.ended", count=len(ended))
        return done

    async def _store(self, copy: SealedCopy) -> bool:
        served = self._served
        if await store.has_copy(served.book, copy.id):
            return True
        try:
            plain = open_jwe(copy.jwe, served.seal.private_jwk)
            document, envelope = _read(plain, copy.id)
        except Refused as refused:
            served.note("copy.refused", code=refused.code)
            return False
        served.vault.add(copy.id + SUFFIX, copy.jwe.encode())
        await served.book.commit(await self._unit(copy.id, plain, document, envelope))
        return True

    async def _unit(
        self, commitment: str, plain: bytes, document: dict[str, object], envelope: Envelope
    ) -> list[Statement]:
        served = self._served
        end = end_ms(envelope.enddate)
        unit = [store.index_copy(commitment, envelope.process, envelope.type, envelope.log, end)]
        if envelope.source == served.house.urn:
            unit.append(store.counted(envelope.id, int(envelope.sequence)))
            if envelope.type in KINDS:
                unit += await holds.heard(served, commitment, envelope, _missed(document))
            unit += await self._undelivered(commitment, document, envelope)
            unit.append(store.let_go(commitment))
        if served.trust is not None:
            verdict = verify(plain, served.trust)
            if not verdict.ok:
                task = Task("unsound-copy", commitment, f"A copy does not verify: {verdict.reason}")
                unit.append(store.open_tasks(envelope.process, [task]))
        return unit

    async def _undelivered(self, commitment: str, document: dict[str, object], envelope: Envelope) -> list[Statement]:
        """Tell a person of a message that was not delivered; a learner who withdrew is not written to again."""
        statement = document.get("undelivered")
        if not isinstance(statement, str) or not statement:
            return []
        found = _statement(statement)
        unit = []
        if envelope.type not in KINDS:  # a hold has a task of its own, on the process that is held
            text = f"{envelope.type} was not delivered: {found.reason or 'no receipt'}."
            unit.append(store.open_tasks(envelope.process, [Task("undelivered", envelope.id, text)]))
        reach = await store.reach_by_capability(self._served.book, commitment)
        if reach is not None and envelope.recipient.startswith(LEARNER) and found.reason == "withdrawn":
            withdrawn = msgspec.structs.replace(reach, withdrawn=True)
            unit.append(store.keep_reach(withdrawn, end_ms(reach.until)))
        return unit


def _read(plain: bytes, commitment: str) -> tuple[dict[str, object], Envelope]:
    """Return an opened afschrift and its envelope. Raises Refused when it is none, or of another commitment."""
    try:
        document = msgspec.convert(parse(plain), dict[str, object])
        envelope = msgspec.convert(document["envelope"], Envelope)
        fits = _claims(str(document["acknowledgement"]))["commitment"] == commitment
    except (KeyError, IndexError, msgspec.ValidationError):
        raise Refused("copy", "This is not an afschrift.") from None
    if not fits:
        raise Refused("copy-commitment", "This is the afschrift of another message than it is named for.")
    return document, envelope


def _statement(compact: str) -> Undelivered:
    """Read the platform's statement; `verify` is what checks its signature."""
    return msgspec.convert(_claims(compact), Undelivered)


def _missed(document: dict[str, object]) -> str:
    """Return why a message did not reach its receiver, or an empty text when that accepted it."""
    ended = _claims(str(document.get("receipt") or document.get("undelivered")))
    return "" if ended["outcome"] == "accepted" else str(ended.get("reason") or ended["outcome"])


def _claims(compact: str) -> dict[str, object]:
    """Return what a compact JWS says, unchecked. Raises Refused or ValidationError."""
    found = parse(unb64(compact.split(".")[1]))
    return msgspec.convert(found, dict[str, object])

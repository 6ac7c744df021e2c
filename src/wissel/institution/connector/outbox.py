"""Send what the institution says, lane by lane, and keep it until the afschrift with its receipt is in the vault."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from wissel.client.compose import commitment_of, compose
from wissel.client.files import SealedFile
from wissel.client.outbox import Outbox, Outgoing, outgoing
from wissel.core.errors import WisselError
from wissel.core.ids import uuid7
from wissel.core.moments import dutch_day
from wissel.infra.sql.ports import Statement
from wissel.institution.connector import store
from wissel.institution.connector.house import Served
from wissel.institution.connector.store import Waiting
from wissel.institution.connector.words import Say, Task
from wissel.institution.errors import NoSuchCase
from wissel.messages.catalogue import decode, longest, lookup
from wissel.messages.envelope import LEARNER, Submission
from wissel.messages.holds import KINDS, NOBODY
from wissel.messages.jose import hash64
from wissel.messages.verify import b64

LATER: Final = "later/"  # the lane of what is said after a process was forgotten: each is one of its own
ROUNDS_MAX: Final = 10  # a lane moves on as soon as its head is acknowledged
BATCH: Final = 50


class Sending:
    """The outbox of one institution. Composed bytes are durable before they are sent, and never change."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._outbox = Outbox(served.client, _Lanes(served), served.entropy)

    async def step(self, now: datetime) -> int:
        """Compose and send what may go; return how many messages the platform took."""
        taken = 0
        for _ in range(ROUNDS_MAX):
            composed = await self._compose(now)
            acknowledged = await self._outbox.step(now)
            taken += acknowledged
            if not composed and not acknowledged:
                break
        return taken

    async def _compose(self, now: datetime) -> int:
        served, made = self._served, 0
        async with served.turn:
            for waiting in await store.heads(served.book, BATCH):
                try:
                    submission = await self._submission(waiting, now)
                except WisselError as error:
                    served.note("message.not-composed", type=waiting.kind, code=error.code)
                    task = Task("not-sent", waiting.kind, error.sentence)
                    unit = [store.refuse(waiting, error.code), store.open_tasks(waiting.process, [task])]
                    await served.book.commit(unit)
                    continue
                commitment = b64(commitment_of(submission))
                await served.book.commit([store.compose(waiting, outgoing(submission, now), commitment)])
                made += 1
        return made

    async def _submission(self, waiting: Waiting, now: datetime) -> Submission:
        """Compose one message. Raises a WisselError when it cannot be said."""
        served = self._served
        later = waiting.process.startswith(LATER)
        case = await store.case(served.book, waiting.process)
        log = waiting.process.removeprefix(LATER).partition("/")[2] if later else case.log if case else ""
        if not log:
            raise NoSuchCase("The case that this message belongs to is not here any more.")
        subject = waiting.receiver if later or case is None else case.subject
        return compose(
            waiting.kind,
            decode(waiting.kind, waiting.payload),
            key=served.sign,
            source=served.house.urn,
            recipient=waiting.receiver,
            subject=subject,
            grant=self._grant(waiting, case.opening if case else ""),
            log=log,
            now=now,
            entropy=served.entropy,
            process="" if later else waiting.process,
            sequence=waiting.sequence,
            enddate=longest(lookup(waiting.kind), dutch_day(now), case.request.studyyear) if case else None,
            capability=waiting.capability,
        )

    def _grant(self, waiting: Waiting, opening: str) -> str:
        """Name the grant: her capability, nobody's (of a hold alone), her request, or the receiver's standing grant."""
        if waiting.capability:
            return hash64(waiting.capability)
        if waiting.receiver.startswith(LEARNER):
            return NOBODY if waiting.kind in KINDS else opening
        grant = self._served.directory.grant(waiting.receiver, "institution", waiting.kind)
        if not grant:
            raise NoSuchCase(f"{waiting.receiver} has published no grant for {waiting.kind}.")
        return grant


class _Lanes:
    """The client's outbox store, over the connector's book."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def put(self, message: Outgoing, files: Sequence[SealedFile] = ()) -> None:
        """Book what became of an attempt; what the platform will never take is put before a person."""
        del files  # an institution's documents lie inside its messages
        unit = store.sent(message)
        anyway = await self._anyway(message) if message.refused else []
        if anyway:
            unit = anyway
        elif message.refused:
            process = await store.process_of(self._served.book, message.id)
            text = f"The platform refused what was sent ({message.refused})."
            unit.append(store.open_tasks(process, [Task("refused", message.refused, text)]))
            self._served.note("message.refused", code=message.refused, message=message.id)
        await self._served.book.commit(unit)

    async def _anyway(self, message: Outgoing) -> list[Statement]:
        """Say of a hold without its capability what was refused with it: a hold stands in the log in any case."""
        found = await store.refused_capability(self._served.book, message.id)
        if found is None or found.kind not in KINDS:
            return []
        say = Say(found.kind, "learner", decode(found.kind, found.payload))
        self._served.note("capability.refused", code=message.refused, message=message.id)
        return [store.drop(message.id), *self._served.queue(found.process, found.receiver, [say])]

    async def due(self, now_ms: int, limit: int) -> Sequence[Outgoing]:
        """Return composed messages that are due."""
        return await store.due(self._served.book, self._served.house.urn, now_ms, limit)

    async def files(self, source: str, message_id: str) -> Sequence[SealedFile]:
        """Return nothing: what an institution says names no files."""
        del source, message_id
        return ()

    async def drop(self, source: str, message_id: str) -> None:
        """Let go what is past its end date and was never receipted: a person should know."""
        process = await store.process_of(self._served.book, message_id)
        text = f"A message of {source} passed its end date without a receipt in the vault."
        task = Task("unreceipted", message_id, text)
        await self._served.book.commit([store.drop(message_id), store.open_tasks(process, [task])])


def later_lane(served: Served, log: str, now: datetime) -> str:
    """Return a lane of its own for one later message; it carries the log's origin."""
    return f"{LATER}{uuid7(now, served.entropy)}/{log}"

"""Keeps a message until its receiver's receipt is held, and sends it until then.

The platform may lose what it has not handed out (a lost key store, architecture section 6); so a sender keeps each
message until the receipt is in its own copy, and sends it again: the same bytes are the same message.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, Protocol

import msgspec

from wissel.client.actions import Client
from wissel.client.errors import AnswerInvalid, Refusal
from wissel.client.files import SealedFile
from wissel.core.entropy import Entropy, jitter
from wissel.core.moments import end_of, to_ms
from wissel.infra.http.ports import Unreachable
from wissel.messages.envelope import Submission

FIRST_WAIT_S: Final = 1.0
WAIT_S_MAX: Final = 300.0  # Digikoppeling: the longest wait between attempts of delivery
ASK_AGAIN_S: Final = 6 * 3600.0  # an acknowledged message whose receipt has not come
BATCH: Final = 50
FILE_UNKNOWN: Final = "file-unknown"  # the platform lost what was uploaded, or it waited too long


class Outgoing(NamedTuple):
    """A message on its way. `body` is what is sent, byte for byte; moments are milliseconds since 1970.

    `acknowledgement` is empty until the platform took it; `refused` holds the platform's code when it never will.
    `learner` is the token of the learner who said it; it is let go of when the platform took the message.
    """

    source: str
    id: str
    body: bytes
    end_ms: int
    due_ms: int
    attempts: int = 0
    acknowledgement: str = ""
    refused: str = ""
    learner: str = ""

    @property
    def tried(self) -> bool:
        """Whether it was sent before: then it lies in the outbox, or was let go."""
        return bool(self.attempts or self.acknowledgement or self.refused)


class OutboxStore(Protocol):
    """Where outgoing messages lie: durable, in the sender's own store."""

    async def put(self, message: Outgoing, files: Sequence[SealedFile] = ()) -> None:
        """Keep a message, one per (source, id); of one that was tried, what became of it, if it is still there.

        `files` come with it the first time.
        """
        ...

    async def files(self, source: str, message_id: str) -> Sequence[SealedFile]:
        """Return the sealed files that a message names."""
        ...

    async def due(self, now_ms: int, limit: int) -> Sequence[Outgoing]:
        """Return messages that are due and not refused, the longest waiting first."""
        ...

    async def drop(self, source: str, message_id: str) -> None:
        """Let a message and its files go, if it is there."""
        ...


class Outbox:
    """Sends what it was given. `step` is called by a runner; nothing here waits."""

    def __init__(self, client: Client, store: OutboxStore, entropy: Entropy) -> None:
        self._client = client
        self._store = store
        self._entropy = entropy

    async def keep(self, submission: Submission, now: datetime, files: Sequence[SealedFile] = ()) -> None:
        """Take a message on, with the files that it names. When this returns it is durable; `step` sends it."""
        await self._store.put(outgoing(submission, now), files)

    async def done(self, source: str, message_id: str) -> None:
        """Let a message go: its receiver's receipt (or "not delivered") is held, say in the afschrift."""
        await self._store.drop(source, message_id)

    async def again(self, message: Outgoing) -> None:
        """Send a message again, with its files when the platform has them no more. Raises Unreachable or Refusal."""
        try:
            await self._client.send(message.body)
        except Refusal as error:
            if error.problem.code != FILE_UNKNOWN:
                raise
            await self._upload(message)
            await self._client.send(message.body)

    async def step(self, now: datetime) -> int:
        """Send what is due; return how many messages were acknowledged. Never raises for one message."""
        acknowledged = 0
        for message in await self._store.due(to_ms(now), BATCH):
            if to_ms(now) >= message.end_ms:
                await self._store.drop(message.source, message.id)
                continue
            after = await self._send(message, now)
            acknowledged += bool(after.acknowledgement)
            await self._store.put(after)
        return acknowledged

    async def _send(self, message: Outgoing, now: datetime) -> Outgoing:
        message = message._replace(attempts=message.attempts + 1)
        try:
            if not message.acknowledgement:
                await self._upload(message)
            sent = await self._client.send(message.body, learner=message.learner)
        except Refusal as error:
            if message.acknowledgement and error.problem.code == FILE_UNKNOWN:  # a platform that lost what it had
                return _later(message._replace(acknowledgement=""), now, 0)
            if error.retry_after_s is None:
                return message._replace(refused=error.problem.code or str(error.problem.status), learner="")
            return _later(message, now, max(error.retry_after_s, self._wait(message.attempts)))
        except (Unreachable, AnswerInvalid):
            return _later(message, now, self._wait(message.attempts))
        taken = message._replace(acknowledgement=sent.acknowledgement, attempts=0, learner="")
        return _later(taken, now, ASK_AGAIN_S)

    async def _upload(self, message: Outgoing) -> None:
        """Upload what a message names, before it and again with each attempt: the same file is the same file."""
        files = await self._store.files(message.source, message.id)
        if files:
            envelope = msgspec.json.decode(message.body, type=Submission).envelope
            for file in files:
                await self._client.upload(file, envelope)

    def _wait(self, attempts: int) -> float:
        longest = min(WAIT_S_MAX, FIRST_WAIT_S * 2.0 ** min(attempts - 1, 16))
        return longest * (0.5 + jitter(self._entropy) / 2)


def outgoing(submission: Submission, now: datetime, *, learner: str = "") -> Outgoing:
    """Return a message as the outbox keeps it, due at once; `learner` is the token of the learner who says it."""
    envelope = submission.envelope
    end_ms = to_ms(end_of(date.fromisoformat(envelope.enddate)))
    body = msgspec.json.encode(submission)
    return Outgoing(envelope.source, envelope.id, body, end_ms, to_ms(now), learner=learner)


class MemoryOutbox:
    """An OutboxStore for tests, examples and senders that can make their messages anew."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, str], Outgoing] = {}
        self._files: dict[tuple[str, str], Sequence[SealedFile]] = {}

    async def put(self, message: Outgoing, files: Sequence[SealedFile] = ()) -> None:
        """Keep a message and its files, or what became of it."""
        if not message.tried or (message.source, message.id) in self._messages:
            self._messages[message.source, message.id] = message
        if files:
            self._files[message.source, message.id] = files

    async def files(self, source: str, message_id: str) -> Sequence[SealedFile]:
        """Return the files of a message."""
        return self._files.get((source, message_id), ())

    async def due(self, now_ms: int, limit: int) -> Sequence[Outgoing]:
        """Return messages that are due."""
        waiting = [each for each in self._messages.values() if each.due_ms <= now_ms and not each.refused]
        return sorted(waiting, key=lambda each: each.due_ms)[:limit]

    async def drop(self, source: str, message_id: str) -> None:
        """Let a message go."""
        self._messages.pop((source, message_id), None)
        self._files.pop((source, message_id), None)

    async def all(self) -> Sequence[Outgoing]:
        """Return everything kept, refused messages too."""
        return list(self._messages.values())


def _later(message: Outgoing, now: datetime, wait_s: float) -> Outgoing:
    return message._replace(due_ms=to_ms(now + timedelta(seconds=wait_s)))

"""The API with real keys and tokens, and played rooms behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

import msgspec
from tests.infra.http_scene import NOON, CountedEntropy, KeptLog, StillClock

from wissel.client import Client
from wissel.client.words import (
    Accepted,
    Evidence,
    LearnerProcess,
    ListedCard,
    ProcessView,
    ProvenCard,
    SealedMessage,
    Settled,
    Settlement,
    Upload,
)
from wissel.core.clock import Clock
from wissel.core.errors import WisselError
from wissel.core.ids import uuid7
from wissel.core.moments import rfc3339
from wissel.infra.http.door import Door
from wissel.infra.http.memory import MemoryHttp
from wissel.infra.http.ports import Http
from wissel.messages.envelope import Envelope, Offered, SenderProof, Submission
from wissel.messages.jose import SigningKey
from wissel.messages.participant import Card, Key, Role
from wissel.messages.records import acknowledge
from wissel.messages.verify import b64, commit, sha256, unb64
from wissel.platform.api.app import build_api
from wissel.platform.api.words import Limits

BASE = "https://wissel.example"
PLATFORM = SigningKey.new(CountedEntropy("platform"))


def urn(name: str) -> str:
    return f"urn:nld:oin:{name.upper():0>20}:systeem:{name}"


PROCESS = "01890a5d-ac96-874b-bcce-b302099a8057"
SUBJECT = "urn:wissel:learner:11111111-1111-4111-8111-111111111111"
PORTAL, COLLEGE, INSPECTOR = urn("portal"), urn("college"), urn("inspector")


class Refused(WisselError):
    code: ClassVar[str] = "unknown"
    status: ClassVar[int] = 403


class Held(NamedTuple):
    card: Card
    key: Key


class PlayedDirectory:
    """Participants with one signing key each; a key can be revoked."""

    def __init__(self) -> None:
        self._cards: dict[str, Card] = {}
        self.revoked: set[str] = set()
        self.keys: dict[str, SigningKey] = {}

    def add(self, name: str, *roles: Role) -> None:
        key = SigningKey.new(CountedEntropy(name))
        since, until = rfc3339(NOON - timedelta(days=1)), rfc3339(NOON + timedelta(days=365))
        public = Key(kid=key.kid, use="sign", jwk=key.public_jwk, since=since, until=until)
        self._cards[urn(name)] = Card(urn=urn(name), name=name, roles=roles, keys=(public,))
        self.keys[urn(name)] = key

    def card(self, urn: str) -> Card:
        return self._cards[urn]

    async def listed(self, after: str, limit: int) -> Sequence[ListedCard]:
        urns = sorted(urn for urn in self._cards if urn > after)[:limit]
        return [ListedCard(card=self._cards[urn]) for urn in urns]

    async def proven(self, urn: str) -> ProvenCard | None:
        card = self._cards.get(urn)
        return None if card is None else ProvenCard(card=card, registered=Evidence(entry="e", proof="p"), keys=())

    def live_key(self, kid: str, use: str, now: datetime) -> Held:
        for card in self._cards.values():
            for key in card.keys:
                if key.kid == kid and key.use == use and kid not in self.revoked:
                    return Held(card, key)
        raise Refused("No such key.")


class PlayedSwitch:
    """Remembers what it was asked; acknowledges with the platform's key."""

    def __init__(self) -> None:
        self.bodies: dict[bytes, Accepted] = {}
        self.callers: list[str] = []
        self.waiting: list[Offered] = []
        self.settled: list[Settled] = []
        self.error: Exception | None = None
        self.learner = ""
        self.files: dict[str, tuple[Upload, bytes]] = {}

    async def accept(self, caller: str, body: bytes, learner: str) -> Accepted:
        self._called(caller)
        self.learner = learner
        if body in self.bodies:
            known = self.bodies[body]
            return Accepted(id=known.id, acknowledgement=known.acknowledgement, first=False)
        submission = msgspec.json.decode(body, type=Submission)
        envelope = msgspec.to_builtins(submission.envelope)
        acknowledgement = acknowledge(
            PLATFORM,
            commitment=commit(unb64(submission.nonce), envelope, bytes(submission.data)),
            sender=submission.sender,
            received=NOON,
            decision="accepted",
            ruleset="1",
            log="log.example",
            keys={},
        )
        self.bodies[body] = Accepted(id=submission.envelope.id, acknowledgement=acknowledgement)
        return self.bodies[body]

    async def offered(self, caller: str, limit: int) -> Sequence[Offered]:
        self._called(caller)
        return self.waiting[:limit]

    async def lane(self, caller: str, process: str) -> Sequence[SealedMessage]:
        self._called(caller)
        sealed = SealedMessage(id=PROCESS, acknowledgement="a.b.c", jwe="a..b.c.d", until="2026-12-31")
        return [sealed] if process == PROCESS else []

    async def settle(self, caller: str, receipts: Sequence[Settled]) -> Sequence[Settlement]:
        self._called(caller)
        self.settled += receipts
        return [Settlement(id=each.id, source=each.source) for each in receipts]

    async def view(self, caller: str, process: str, learner: str) -> ProcessView:
        self._called(caller)
        self.learner = learner
        return ProcessView(process=process, phase="open", open=("payment",))

    async def mine(self, caller: str, learner: str) -> Sequence[LearnerProcess]:
        self._called(caller)
        self.learner = learner
        hers = LearnerProcess(
            process=PROCESS, kind="enrolment", phase="open", institution=COLLEGE, subject=SUBJECT, sequence=2
        )
        return [hers]

    async def upload(self, caller: str, asked: Upload, body: bytes) -> tuple[str, bool]:
        self._called(caller)
        digest = b64(sha256(body))
        first = digest not in self.files
        self.files[digest] = (asked, body)
        return digest, first

    async def download(self, caller: str, digest: str) -> bytes:
        self._called(caller)
        return self.files[digest][1]

    def _called(self, caller: str) -> None:
        self.callers.append(caller)
        if self.error is not None:
            raise self.error


@dataclass(frozen=True)
class Leaf:
    index: int
    entry: bytes
    log: int = 1


class PlayedLog:
    """A log of three entries; two name the college."""

    def __init__(self) -> None:
        self.note = "log.example\n3\nAAAA\n\n— log.example AAAA\n"
        self.leaves = [
            Leaf(0, msgspec.json.encode({"event": "message.accepted", "source": COLLEGE, "salt": "a"})),
            Leaf(1, msgspec.json.encode({"event": "message.accepted", "source": PORTAL, "salt": "b"})),
            Leaf(2, msgspec.json.encode({"event": "x", "parties": [{"urn": COLLEGE}], "salt": "c"})),
        ]

    async def checkpoint(self) -> str:
        return self.note

    async def tile(self, level: int, n: int, width: int) -> bytes | None:
        return bytes(32 * width) if (level, n) in {(0, 0), (0, 1234067)} else None

    async def entries(self, n: int, width: int) -> bytes | None:
        return b"bundle" if (n, width) == (0, 3) else None

    async def entry_of(self, index: int) -> Leaf | None:
        return self.leaves[index] if index < len(self.leaves) else None

    async def of_process(self, process: str, after: tuple[int, int], limit: int) -> Sequence[Leaf]:
        return [leaf for leaf in self.leaves if (leaf.log, leaf.index) > after][:limit]


class PlayedHealth:
    def __init__(self) -> None:
        self.wrong: list[str] = []

    async def ready(self) -> Sequence[str]:
        return self.wrong


class Scene:
    """One platform door and everybody who may knock."""

    def __init__(self, base: str = BASE, limits: Limits | None = None, clock: Clock | None = None) -> None:
        self.base = base
        self.clock = StillClock()  # moves only when no other clock is given
        self.entropy = CountedEntropy("clients")
        self.log = KeptLog()
        self.directory = PlayedDirectory()
        self.directory.add("portal", "portal")
        self.directory.add("college", "institution")
        self.directory.add("inspector", "platform")
        self.switch = PlayedSwitch()
        self.audit = PlayedLog()
        self.health = PlayedHealth()
        self._open(clock or self.clock, limits)

    def restart(self) -> None:
        """Let the platform's process start anew: it keeps its key, and nothing that it had in memory."""
        self._open(self.clock, None)

    def _open(self, clock: Clock, limits: Limits | None) -> None:
        self.door = build_api(
            base=self.base,
            switch=self.switch,
            files=self.switch,
            directory=self.directory,
            registry=self.directory,
            audit=self.audit,
            revocations=_revocations,
            health=self.health,
            key=PLATFORM,
            clock=clock,
            entropy=CountedEntropy("api"),
            log=self.log,
            limits=limits,
        )
        self.http = in_memory(self.base, self.door)

    def client(self, urn: str = PORTAL, *, key: SigningKey | None = None) -> Client:
        return Client(
            self.http,
            self.clock,
            self.entropy,
            base=self.base,
            urn=urn,
            key=key or self.directory.keys[urn],
            platform={PLATFORM.kid: PLATFORM.public_jwk},
        )


def in_memory(base: str, door: Door) -> Http:
    return MemoryHttp({base: door})


async def _revocations() -> bytes:
    return b"{}"


def offered(number: int = 1) -> Offered:
    """A message as it is handed out; its content matters to nobody here."""
    subject = "urn:wissel:learner:11111111-1111-4111-8111-111111111111"
    message = uuid7(NOON, CountedEntropy(str(number)))
    envelope = Envelope(
        id=message,
        type="nl.wissel.notice.sent.v1",
        source=COLLEGE,
        recipient=subject,
        subject=subject,
        time=rfc3339(NOON),
        process=message,
        sequence="1",
        purpose="a",
        legalground="b",
        controller=COLLEGE,
        processingactivity="urn:c",
        grant="d",
        dataclass="personal",
        enddate="2026-05-01",
        log="log.example",
    )
    sender = SenderProof(kind="signature", jws="a..b")
    return Offered(
        envelope=envelope,
        data=msgspec.Raw(b'{"text":"hello"}'),
        nonce=b64(bytes(32)),
        sender=sender,
        acknowledgement="a.b.c",
    )

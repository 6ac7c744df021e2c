"""A provider of vaults behind its real door, a learner, and a platform that delivers to her."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from wissel.infra.files.disk import DiskFolder
from wissel.infra.http.memory import MemoryHttp
from wissel.infra.http.ports import Http, Request, Response
from wissel.infra.http.proof import HEADER, make_proof
from wissel.infra.telemetry.log import SilentLog
from wissel.learner.build import build, vaults_in
from wissel.learner.owner import Keys, Owner, Place, make_keys, open_vault
from wissel.messages.envelope import SenderProof
from wissel.messages.jose import Sealer, SigningKey
from wissel.messages.records import acknowledge
from wissel.messages.verify import b64, canonical, commit

BASE = "http://provider.test"
NOW = datetime(2026, 4, 15, 9, 0, tzinfo=UTC)
UNTIL = "2027-10-12"


class StillClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class CountedEntropy:
    """Repeatable chance: SHA-256 of a counter."""

    def __init__(self, seed: bytes = b"") -> None:
        self._seed, self._count = seed, 0

    def draw(self, count: int) -> bytes:
        blocks = b""
        while len(blocks) < count:
            self._count += 1
            blocks += hashlib.sha256(self._seed + self._count.to_bytes(8)).digest()
        return blocks[:count]


class Scene:
    """All parties of a test, each with its own keys."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.entropy = StillClock(), CountedEntropy()
        self.platform, self.provider = SigningKey.new(self.entropy), SigningKey.new(self.entropy)
        self.folder = folder
        self.built = build(
            vaults=vaults_in(folder),
            clock=self.clock,
            entropy=self.entropy,
            key=self.provider,
            platform_key=lambda kid: self.platform.public_jwk if kid == self.platform.kid else None,
            base=BASE,
            log=SilentLog(),
        )
        self.http: Http = MemoryHttp({BASE: self.built.app})
        self.keys: Keys
        self.place: Place
        self.owner: Owner

    async def move_in(self) -> None:
        keys = DiskFolder(self.folder / "noor" / "keys", self.folder / "noor" / "keys")
        self.keys = make_keys(keys, self.entropy)
        self.place = await open_vault(self.http, base=BASE, name="noor", keys=self.keys, folder=keys)
        self.owner = Owner(self.http, place=self.place, keys=self.keys, entropy=self.entropy)

    def afschrift(self, enddate: str = "2027-10-12", text: str = "hello") -> tuple[str, bytes]:
        """Return the commitment and the bytes of something with the outline of an afschrift."""
        envelope = {"enddate": enddate}
        commitment = commit(self.entropy.draw(32), envelope, canonical({"text": text}))
        return b64(commitment), canonical({"envelope": envelope, "payload": {"text": text}})

    def seal(self, plain: bytes) -> str:
        return Sealer.new(self.keys.seal.public_jwk, self.entropy).seal(plain, self.entropy)

    def acknowledgement(self, commitment: bytes, key: SigningKey | None = None) -> str:
        return acknowledge(
            key or self.platform,
            commitment=commitment,
            sender=SenderProof(kind="signature", jws="x"),
            received=self.clock.now(),
            decision="accepted",
            ruleset="r1",
            log="log.test",
            keys={},
        )

    async def deliver(
        self,
        what: str,
        body: bytes | object,
        token: str,
        *,
        key: SigningKey | None = None,
        sent: bytes | None = None,
        delay: timedelta = timedelta(),
    ) -> Response:
        """Deliver as the platform. `key`: who signs the proof; `sent`: other bytes than were signed for."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        url = f"{self.place.url}/{what}"
        proof = make_proof(
            key or self.platform, method="POST", url=url, body=data, now=self.clock.now(), entropy=self.entropy
        )
        self.clock.at += delay
        headers = {"authorization": f"Bearer {token}", HEADER: proof, "content-type": "application/json"}
        return await self.http.send(Request("POST", url, headers, data if sent is None else sent))

"""Parties for journeys through a real platform in one process: portal, identity provider, institution, vault."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from wissel.assembly.platform import Platform, open_platform, own_card, published
from wissel.assembly.settings import PlatformSettings
from wissel.client.compose import Draft, draft
from wissel.infra.http.ports import Request, Response
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.infra.telemetry.log import SilentLog
from wissel.messages.envelope import Addressee
from wissel.messages.fields import Payload
from wissel.messages.jose import SealingKey, SigningKey
from wissel.messages.participant import Card, StandingGrant
from wissel.messages.records import receipt
from wissel.messages.verify import b64, canonical, sha256
from wissel.platform.forgetting.filestore import FileKeyStore

START = datetime(2026, 4, 15, 7, 0, tzinfo=UTC)
ORIGIN = "wissel.test/log"


def urn(number: int, system: str) -> str:
    """Return the URN of a fictitious participant."""
    return f"urn:nld:oin:0000000999{number:010d}:systeem:{system}"


PLATFORM, PORTAL, EDUID, SCHOOL, PROVIDER = (
    urn(number, name) for number, name in enumerate(("wissel", "portal", "eduid", "school", "vaults"), 1)
)


class SteppedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment

    async def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self.moment += timedelta(seconds=seconds)


class SeededEntropy:
    """Chance that a seed repeats."""

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self._count = 0

    def draw(self, count: int) -> bytes:
        """Return the next bytes of a hash chain."""
        out = b""
        while len(out) < count:
            self._count += 1
            out += hashlib.sha256(f"{self._seed}/{self._count}".encode()).digest()
        return out[:count]


@dataclass
class World:
    """A platform and the keys of everybody around it."""

    platform: Platform
    clock: SteppedClock
    entropy: SeededEntropy
    database: SqliteDatabase
    keystore: FileKeyStore
    keys: Mapping[str, SigningKey]
    seals: Mapping[str, SealingKey]
    sent: list[Request] = field(default_factory=list)
    answers: dict[str, Response] = field(default_factory=dict)

    def close(self) -> None:
        """Let go of the store and the keys."""
        self.database.close()
        self.keystore.close()

    async def send(self, request: Request) -> Response:
        """Be the network: remember the call, and answer as a vault does, or as the test says."""
        self.sent.append(request)
        for part, answer in self.answers.items():
            if part in request.url:
                return answer
        if "/files?" in request.url:
            return Response(200, {}, msgspec.json.encode({"stored": [b64(sha256(request.body))]}))
        body: dict[str, Any] = msgspec.json.decode(request.body)
        if request.url.endswith("/copies"):
            return Response(200, {}, msgspec.json.encode({"stored": [copy["id"] for copy in body["copies"]]}))
        if request.url == "https://vaults.test/v/1/messages":
            receipts = [self._received(each) for each in body["messages"]]
            return Response(200, {}, msgspec.json.encode({"receipts": receipts}))
        return Response(404, {}, b"")

    def _received(self, message: dict[str, str]) -> dict[str, str]:
        """Return the receipt that the provider of her vault gives."""
        signed = receipt(
            self.keys[PROVIDER], acknowledgement=message["acknowledgement"], outcome="accepted", at=self.clock.now()
        )
        return {"id": message["id"], "receipt": signed}

    def by_learner(self, made: Draft) -> bytes:
        """Return the submission of a learner who authenticates for it, carried by the portal."""
        now = self.clock.now().timestamp()
        claims = {
            "iss": "https://eduid.test",
            "aud": "signer",
            "sub": b64(self.entropy.draw(8)),
            "nonce": made.login_nonce,
            "auth_time": int(now),
            "iat": int(now),
            "exp": int(now) + 300,
            "acr": "https://refeds.org/assurance/IAP/high",
        }
        token = self.keys[EDUID].sign(canonical(claims))
        return msgspec.json.encode(made.authenticated(self.keys[PORTAL], portal=PORTAL, token=token))

    def logged_in(self, who: str = "her-pseudonym", *, key: str = EDUID, typ: str = "JWT", **claims: Any) -> str:
        """Return the id_token of somebody who has just logged in at the portal; `claims` differ from that."""
        now = int(self.clock.now().timestamp())
        said = {"iss": "https://eduid.test", "aud": "login", "sub": who, "iat": now, "exp": now + 600, "acr": "high"}
        return self.keys[key].sign(canonical({**said, **claims}), typ=typ)

    def draft(self, kind: str, payload: Payload, **more: Any) -> Draft:
        """Return a draft at this moment, on this log."""
        return draft(kind, payload, log=ORIGIN, now=self.clock.now(), entropy=self.entropy, **more)

    def addressee(self) -> Addressee:
        """Return where the learner's copies go."""
        key = self.seals["learner"].public_jwk
        return Addressee(vault="https://vaults.test/v/1", key=key, token="t1", capability="c1", provider=PROVIDER)

    def grant(self, kind: str) -> str:
        """Return the hash of the school's grant for a type that learners send."""
        return self.platform.participants.grant_for(SCHOOL, "learner", kind, self.clock.now())


def card_of(who: str, role: str, world_keys: Mapping[str, SigningKey], **more: Any) -> Card:
    """Return a card with one signing key."""
    use = "id_token" if role == "eduid" else "sign"
    key = published(use, world_keys[who].public_jwk, world_keys[who].kid, START)
    return msgspec.convert(
        {"urn": who, "name": role, "roles": [role], "keys": [msgspec.to_builtins(key)], **more}, Card
    )


async def make_world(folder: Path, *, seed: int = 1, kinds: tuple[str, ...] = ()) -> World:
    """Return a platform with a portal, an identity provider, a school and a provider of vaults."""
    clock, entropy = SteppedClock(), SeededEntropy(seed)
    keys = {who: SigningKey.new(entropy) for who in (PORTAL, EDUID, SCHOOL, PROVIDER)}
    seals = {who: SealingKey.new(entropy) for who in (SCHOOL, "learner")}
    settings = PlatformSettings(data=str(folder), urn=PLATFORM, origin=ORIGIN, quorum=0, demo=True)
    database = SqliteDatabase(folder / "wissel.sqlite")
    keystore = FileKeyStore(folder / "keys", entropy, demo=True)
    platform = await open_platform(settings, database, keystore, clock, SilentLog())
    school = card_of(SCHOOL, "institution", keys, endpoints={"copies": "https://school.test"})
    seal = published("seal", seals[SCHOOL].public_jwk, seals[SCHOOL].kid, START)
    grants = tuple(
        keys[SCHOOL].sign(
            msgspec.json.encode(
                StandingGrant(
                    grantor=SCHOOL,
                    role="learner",
                    type=kind,
                    purpose="p",
                    ground="g",
                    since="2026-01-01",
                    until="2027-12-31",
                )
            )
        )
        for kind in kinds
    )
    cards = [
        own_card(settings, platform.identity, START),
        card_of(PORTAL, "portal", keys, settings={"clients": ["signer"], "logins": ["login"]}),
        card_of(EDUID, "eduid", keys, issuer="https://eduid.test"),
        card_of(PROVIDER, "provider", keys),
        msgspec.structs.replace(school, keys=(*school.keys, seal), grants=grants),
    ]
    for card in cards:
        await platform.participants.register(card, START)
    return World(
        platform=platform, clock=clock, entropy=entropy, database=database, keystore=keystore, keys=keys, seals=seals
    )

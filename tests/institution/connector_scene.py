"""A connector behind its real door, with a played platform that signs, offers, acknowledges and delivers copies."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from wissel.client.compose import Draft, commitment_of, draft
from wissel.client.files import Attached, attach
from wissel.core.ids import uuid7
from wissel.core.moments import rfc3339
from wissel.infra.files.disk import DiskFolder
from wissel.infra.http.memory import MemoryHttp
from wissel.infra.http.ports import Request, Response
from wissel.infra.http.proof import make_proof
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.infra.telemetry.log import Plain
from wissel.institution.build import Built, Own, Tools, build, open_sample
from wissel.institution.directory import CardDirectory
from wissel.institution.finance.store import SampleFinance
from wissel.institution.samples import sample_houses
from wissel.institution.setup import HouseKeys, make_card, make_keys
from wissel.institution.sis.store import SampleSis
from wissel.messages.afschrift import compose as compose_afschrift
from wissel.messages.enrolment import EnrolmentReady, EnrolmentRequested, EnrolmentWithdrawn, GateAsked
from wissel.messages.envelope import Offered, Submission
from wissel.messages.fields import Payload
from wissel.messages.files import FileKind, MediaType
from wissel.messages.identity import Address, Diploma, EducationAnswered, IdentityAnswered, Person
from wissel.messages.jose import Sealer, SealingKey, SigningKey
from wissel.messages.participant import Card, Key, StandingGrant
from wissel.messages.payments import PaymentChoice
from wissel.messages.records import Receipt, acknowledge, read_receipt, receipt, undelivered
from wissel.messages.verify import b64, canonical, check_jws, commit, unb64

NOW = datetime(2026, 4, 15, 9, 0, tzinfo=UTC)
PLATFORM = "http://platform.test"
CONNECTOR = "http://connector.test"
LOG = "wissel.test/log"
PHOTO = b"\xff\xd8\xff a fictitious photo"
SUBJECT = "urn:wissel:learner:11111111-2222-4333-8444-555555555555"

PERSON = Person(
    givennames="Noor",
    surname="Voorbeeld",
    birthdate="2007-03-01",
    address=Address(street="Dorpsstraat", number="1", postcode="1234 AB", city="Ergens", country="NL"),
    nationality="NL",
    email="noor@example.org",
)
Refuse = Callable[[Submission], Response | None]
VWO = Diploma(kind="vwo", name="vwo", day="2025-06-20", school="Een school")


def urn(name: str) -> str:
    return f"urn:nld:oin:00000000000000000000:systeem:{name}"


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

    def __init__(self) -> None:
        self._count = 0

    def draw(self, count: int) -> bytes:
        blocks = b""
        while len(blocks) < count:
            self._count += 1
            blocks += hashlib.sha256(self._count.to_bytes(8)).digest()
        return blocks[:count]


class ListedLog:
    """Remembers its lines."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Plain]] = []

    def write(self, event: str, **fields: Plain) -> None:
        self.lines.append({"event": event, **fields})


class PlayedPlatform:
    """The four calls of the public API that a connector makes, and the other parties' keys."""

    def __init__(self, clock: StillClock, entropy: CountedEntropy) -> None:
        self.clock, self.entropy = clock, entropy
        self.keys = {name: SigningKey.new(entropy) for name in ("platform", "portal", "eduid", "duo", "psp", "ind")}
        self.seal = SealingKey.new(entropy)
        self.offers: list[Offered] = []
        self.receipts: list[Receipt] = []
        self.accepted: list[Submission] = []
        self.answers: dict[str, tuple[bytes, str]] = {}
        self.refuse: Refuse = lambda _: None
        self.institution_key: dict[str, str] = {}
        self.away = False
        self.files: dict[str, Response] = {}  # what a download of this hash answers

    def cards(self) -> list[Card]:
        """Return the cards of everybody but the institution; DUO, IND and PSP let institutions speak to them."""
        return [self._card(name) for name in self.keys]

    def _card(self, name: str) -> Card:
        key = self.keys[name]
        published = Key(
            kid=key.kid,
            use="id_token" if name == "eduid" else "sign",
            jwk=key.public_jwk,
            since=rfc3339(NOW - timedelta(days=1)),
            until=rfc3339(NOW + timedelta(days=900)),
        )
        types = {"duo": ["enrolment.reported"], "ind": ["residence.asked"]}.get(name, [])
        grants = tuple(self._grant(name, kind) for kind in types)
        fields = {"urn": urn(name), "name": name, "roles": [name], "issuer": "https://eduid.test", "grants": grants}
        return msgspec.convert({**fields, "keys": [msgspec.to_builtins(published)]}, Card)

    def _grant(self, name: str, kind: str) -> str:
        grant = StandingGrant(
            grantor=urn(name),
            role="institution",
            type=f"nl.wissel.{kind}.v1",
            purpose="p",
            ground="g",
            since="2026-01-01",
            until="2028-01-01",
        )
        return self.keys[name].sign(canonical(msgspec.to_builtins(grant)))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        answer = self._answer(scope["path"], body)
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    def _answer(self, path: str, body: bytes) -> Response:
        if self.away:
            return Response(503, {"retry-after": "1"}, b"")
        if path == "/v1/oauth/token":
            token = {"access_token": "t", "expires_in": 600, "scope": "s", "token_type": "Bearer"}
            return Response(200, {}, msgspec.json.encode(token))
        if path.startswith("/v1/files/"):
            return self.files.get(path.rpartition("/")[2], Response(404, {}, b""))
        if path == "/v1/mailbox":
            return Response(200, {}, msgspec.json.encode({"offered": self.offers}))
        return self._settle(body) if path == "/v1/mailbox/_settle" else self._accept(body)

    def _settle(self, body: bytes) -> Response:
        settled = msgspec.json.decode(body)["receipts"]
        for one in settled:
            read = read_receipt(one["receipt"], self.institution_key)
            self.receipts.append(read)
            if read.outcome != "later":
                self.offers = [offer for offer in self.offers if offer.envelope.id != one["id"]]
        answers = [{"id": one["id"], "source": one["source"]} for one in settled]
        return Response(200, {}, msgspec.json.encode({"settled": answers}))

    def _accept(self, body: bytes) -> Response:
        submission = msgspec.json.decode(body, type=Submission)
        envelope = submission.envelope
        if envelope.id in self.answers:
            assert self.answers[envelope.id][0] == body, "the same id came with other bytes"
            return self._taken(200, envelope.id, self.answers[envelope.id][1])
        refusal = self.refuse(submission)
        if refusal is not None:
            return refusal
        lane = [one for one in self.accepted if one.envelope.process == envelope.process]
        before = [one for one in lane if one.envelope.recipient == envelope.recipient]
        assert int(envelope.sequence) == len(before) + 1, "the numbers of a lane follow each other"
        check_jws(submission.sender.jws, self.institution_key, commitment_of(submission))
        self.accepted.append(submission)
        acknowledgement = self.acknowledge(submission)
        self.answers[envelope.id] = (body, acknowledgement)
        return self._taken(202, envelope.id, acknowledgement)

    @staticmethod
    def _taken(status: int, message: str, acknowledgement: str) -> Response:
        return Response(status, {}, msgspec.json.encode({"id": message, "acknowledgement": acknowledgement}))

    def acknowledge(self, submission: Submission) -> str:
        return acknowledge(
            self.keys["platform"],
            commitment=commitment_of(submission),
            sender=submission.sender,
            received=self.clock.now(),
            decision="accepted",
            ruleset="r1",
            log=submission.envelope.log,
            keys={},
        )

    def said(self, kind: str) -> list[Submission]:
        """Return what was accepted of one type."""
        return [one for one in self.accepted if one.envelope.type == f"nl.wissel.{kind}.v1"]

    def data(self, kind: str) -> dict[str, Any]:
        """Return the payload of the one message of a type."""
        (one,) = self.said(kind)
        found: dict[str, Any] = msgspec.json.decode(one.data)
        return found


class Scene:
    """One sample institution at a connector, a learner at a portal, and the played platform between them."""

    def __init__(self, folder: Path, which: int = 0) -> None:
        self.clock, self.entropy, self.log = StillClock(), CountedEntropy(), ListedLog()
        self.platform = PlayedPlatform(self.clock, self.entropy)
        self.house = sample_houses()[which]
        self.folder = folder / "institutions" / self.house.short
        self.databases: list[SqliteDatabase] = []
        self.built: Built
        self.keys: HouseKeys
        self.sis: SampleSis
        self.finance: SampleFinance
        self.http: MemoryHttp
        self.process = ""
        self._number = 0

    async def open(self) -> None:
        """Open the connector; after `close` this is a restart over the same files."""
        keys = DiskFolder(self.folder / "keys", self.folder / "keys")
        self.keys = make_keys(keys, self.house, self.entropy)
        self.card = make_card(
            self.house, self.keys, base=CONNECTOR, since=NOW - timedelta(days=1), until=NOW + timedelta(days=900)
        )
        directory = CardDirectory([*self.platform.cards(), self.card])
        self.platform.institution_key = self.keys.sign.public_jwk
        book, sis, finance = (
            SqliteDatabase(self.folder / path)
            for path in ("profile/connector.sqlite", "sis/sis.sqlite", "sis/finance.sqlite")
        )
        self.databases = [book, sis, finance]
        apps: dict[str, Any] = {PLATFORM: self.platform}
        self.http = MemoryHttp(apps)
        tools = Tools(self.http, self.clock, self.entropy, self.log, directory, PLATFORM)
        vault = DiskFolder(self.folder / "vault", self.folder / "profile")
        files = DiskFolder(self.folder / "files", self.folder / "profile")
        own = Own(self.house, keys, vault, files, book, sis, finance)
        self.opened, self.tools = [await open_sample(own, tools)], tools
        self.built = build(self.opened, tools=tools, base=CONNECTOR)
        self.http = MemoryHttp({**apps, CONNECTOR: self.built.app})
        self.sis, self.finance = SampleSis(sis), SampleFinance(finance)

    def close(self) -> None:
        for database in self.databases:
            database.close()

    async def work(self) -> None:
        """Let the connector pull, answer and send until nothing moves."""
        for _ in range(20):
            done = [await step(self.clock.now()) for step in self.built.steps.values()]
            if not any(done):
                return
        raise AssertionError("the connector does not come to rest")

    def request(self, **changes: Any) -> Offered:
        """Return the learner's request, as the platform offers it, with its delivery header."""
        asked = EnrolmentRequested(
            studyyear="2026-27",
            programme="34401",
            form="fulltime",
            start="2026-09-01",
            person=PERSON,
            payment=PaymentChoice(way="once", iban="NL00BANK0123456789", holder="N. Voorbeeld"),
            bsn="999990019",
        )
        payload = msgspec.structs.replace(asked, **changes)
        made = self._draft("enrolment.requested", payload, source=SUBJECT, process="")
        self.process = made.envelope.process
        nonce = made.login_nonce
        claims = {"iss": "https://eduid.test", "nonce": nonce, "aud": "signer", "sub": "x", "exp": 2_000_000_000}
        token = self.platform.keys["eduid"].sign(canonical(claims))
        return self.offer(
            made.authenticated(self.platform.keys["portal"], portal=urn("portal"), token=token), "cap.jwe"
        )

    def withdrawal(self) -> Offered:
        """Return the learner's word that she withdraws."""
        made = self._draft("enrolment.withdrawn", EnrolmentWithdrawn(), source=SUBJECT, process=self.process)
        claims = {"iss": "https://eduid.test", "nonce": made.login_nonce}
        token = self.platform.keys["eduid"].sign(canonical(claims))
        return self.offer(made.authenticated(self.platform.keys["portal"], portal=urn("portal"), token=token))

    def answer(self, kind: str, by: str, payload: Payload) -> Offered:
        """Return what a partner or the platform says to the institution in this process."""
        made = self._draft(kind, payload, source=urn(by), process=self.process)
        return self.offer(made.signed(self.platform.keys[by]))

    def _draft(self, kind: str, payload: Payload, *, source: str, process: str) -> Draft:
        self._number += 1
        return draft(
            f"nl.wissel.{kind}.v1",
            payload,
            source=source,
            recipient=self.house.urn,
            subject=SUBJECT,
            grant="g",
            log=LOG,
            now=self.clock.now(),
            entropy=self.entropy,
            process=process,
            sequence=1 if not process else self._number,
            controller=self.house.urn,
        )

    def offer(self, submission: Submission, capability: str = "") -> Offered:
        """Return a submission as the platform offers it."""
        header = self.header(b64(commitment_of(submission)), capability=capability) if capability else ""
        return Offered(
            envelope=submission.envelope,
            data=submission.data,
            nonce=submission.nonce,
            sender=submission.sender,
            acknowledgement=self.platform.acknowledge(submission),
            header=header,
        )

    def header(
        self, commitment: str, *, capability: str = "", pseudonym: str = "", party: str = "", by: str = "platform"
    ) -> str:
        """Return a delivery header, as the platform makes it unless the test says otherwise."""
        facts = {"commitment": commitment, "party": party or self.house.urn, "pseudonym": pseudonym}
        signed = self.platform.keys[by].sign(canonical({**facts, "capability": capability}), typ="wissel-header+jws")
        return Sealer.new(self.keys.seal.public_jwk, self.entropy).seal(signed.encode(), self.entropy)

    def known(self, offered: Offered, pseudonym: str, **more: str) -> Offered:
        """Return what is offered with a delivery header that says who she is here."""
        commitment = commit(unb64(offered.nonce), msgspec.to_builtins(offered.envelope), bytes(offered.data))
        return msgspec.structs.replace(offered, header=self.header(b64(commitment), **{"pseudonym": pseudonym, **more}))

    async def hear(self, *offers: Offered) -> None:
        """Let the platform offer these, and the connector work."""
        self.platform.offers += offers
        await self.work()

    async def enrol_to_ready(self) -> None:
        """Play the fine story until all gates hold."""
        await self.hear(self.request())
        await self.hear(self.answer("identity.answered", "duo", IdentityAnswered(result="verified")))
        await self.hear(self.answer("education.answered", "duo", EducationAnswered(diplomas=(VWO,))))

    def ready(self) -> Offered:
        """Return the platform's word that all gates hold."""
        return self.answer(
            "enrolment.ready",
            "platform",
            EnrolmentReady(studyyear="2026-27", programme="34401", form="fulltime", start="2026-09-01", gates=()),
        )

    def asked(self, gate: str, why: str) -> Offered:
        """Return the platform's question about a gate."""
        return self.answer("gate.asked", "platform", msgspec.convert({"gate": gate, "why": why}, GateAsked))

    def copy_of(self, submission: Submission, *, delivered: bool = True, why: str = "") -> tuple[str, str]:
        """Return (commitment, sealed copy) of something the institution said."""
        acknowledgement = self.platform.answers[submission.envelope.id][1]
        by, at = self.platform.keys["platform"], self.clock.now()
        signed = receipt(by, acknowledgement=acknowledgement, outcome="accepted", at=at)
        lost = undelivered(by, acknowledgement=acknowledgement, attempts=3, at=at, reason=why)
        document = compose_afschrift(
            envelope=submission.envelope,
            payload=bytes(submission.data),
            nonce=submission.nonce,
            sender=submission.sender,
            acknowledgement=acknowledgement,
            receipt=signed if delivered else "",
            undelivered="" if delivered else lost,
            leaves=[],
            keys=[],
        )
        sealed = Sealer.new(self.keys.seal.public_jwk, self.entropy).seal(document, self.entropy)
        return b64(commitment_of(submission)), sealed

    async def deliver(self, *copies: tuple[str, str]) -> Response:
        """Deliver copies to the institution's vault, as the platform."""
        body = {"copies": [{"id": commitment, "jwe": jwe} for commitment, jwe in copies]}
        return await self.post("copies", msgspec.json.encode(body))

    async def post(self, what: str, body: bytes, *, key: SigningKey | None = None) -> Response:
        """Call the connector's door with a proof: the platform's, or somebody else's."""
        url = f"{CONNECTOR}/{self.house.short}/{what}"
        proof = make_proof(
            key or self.platform.keys["platform"],
            method="POST",
            url=url,
            body=body,
            now=self.clock.now(),
            entropy=self.entropy,
        )
        return await self.http.send(Request("POST", url, {"wissel-proof": proof}, body))

    async def staff(self, method: str, what: str, body: object = None, token: str = "") -> Response:
        """Call the desk, with its own token or another one."""
        url = f"{CONNECTOR}/{self.house.short}/desk{what}"
        headers = {"authorization": f"Bearer {token or self.keys.desk}"}
        return await self.http.send(Request(method, url, headers, b"" if body is None else msgspec.json.encode(body)))

    def paper(self, kind: FileKind = "photo", data: bytes = PHOTO, mediatype: MediaType = "image/jpeg") -> Attached:
        """Return a file sealed to the institution, ready to be fetched at the platform."""
        made = attach(
            data,
            kind=kind,
            name="Pasfoto",
            mediatype=mediatype,
            to=self.keys.seal.public_jwk,
            learner=None,
            entropy=self.entropy,
        )
        self.platform.files[made.ref.sealed] = Response(200, {}, made.sealed[0].jwe)
        return made

    def new_id(self) -> str:
        return uuid7(self.clock.now(), self.entropy)

"""Makes afschriften with real keys, a real tree and two witnesses; and any lie that a test asks for.

What a test changes is signed and proven like the truth, so that only the check that it means can find it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, Literal

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from wissel.core.moments import rfc3339
from wissel.core.tree import inclusion_path, leaf_hash, list_reader, root
from wissel.messages import leaves, notes, records
from wissel.messages.afschrift import Proven, compose
from wissel.messages.catalogue import lookup
from wissel.messages.envelope import LEARNER, Envelope, SenderProof
from wissel.messages.jose import SealingKey, SigningKey, hash64
from wissel.messages.verify import Refused, Trust, b64, canonical, commit, parse_json, thumbprint, unb64

ORIGIN: Final = "wissel.example/vectors"
START: Final = datetime(2026, 4, 15, 7, 0, tzinfo=UTC)
SUBJECT: Final = LEARNER + "65a5617d-cb19-4d5c-9ac1-bc852e2f11dd"
NOTICE: Final = "nl.wissel.notice.sent.v1"
WITHDRAWN: Final = "nl.wissel.enrolment.withdrawn.v1"
PAYLOADS: Final[Mapping[str, dict[str, Any]]] = {
    NOTICE: {"concerns": "roster", "text": 'Zoë 😀 "voor" \\ <b>half negen</b>\u001f\n', "title": "Rooster"},
    WITHDRAWN: {"text": "een andere studie \u20ac"},
}
# The two primes of an RSA key of 2048 bits that is nobody's.
P: Final = (
    "f3ce69c587fb7ed67d5667a8b7a693e7c0f96786f98a9a1eeee0c26d9737272e9eb11afc46036e78cac86a45ccf312573e70"
    "030b465db1e4ba6705f2e3e12f4dec02604dcca09a0e50e351c45d4139e2fc12c4fbe1e255cfbe9258a4bd18e239c40c9067"
    "6b1ed2855618c1160ac987ccadbdd06013a1b20c983a1268a7b2545d"
)
Q: Final = (
    "c99f63e26a1b074bb59e07ae11a6c420800b078dcac3ba6b504987e4950a8bb13712d235da470285854f28ac1dd2f27ae454"
    "6f4730e91ad00f6470014fc810bc6eae6bd91a6b6158cd060a5203c0cf765792f377343aa4d26e452de0d3e0b043470bf0d2"
    "e07292edbf8e57fa86a182be32455e9960eaa498c0d5aa2cd4cae1d3"
)

Form = Literal["signature", "id_token", "statement"]


class Chance:
    """Repeatable bytes: SHA-256 of a seed and a counter."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed, 0

    def draw(self, count: int) -> bytes:
        """Return the next bytes."""
        out = b""
        while len(out) < count:
            self._count += 1
            out += hashlib.sha256(f"{self._seed}/{self._count}".encode()).digest()
        return out[:count]


class RsaKey:
    """An identity provider's RS256 key; its two primes are fixed test data."""

    def __init__(self) -> None:
        p, q = int(P, 16), int(Q, 16)
        e, n = 65537, p * q
        d = pow(e, -1, (p - 1) * (q - 1))
        public = rsa.RSAPublicNumbers(e, n)
        crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
        self._key = rsa.RSAPrivateNumbers(p, q, d, *crt, public).private_key()
        self.public_jwk = {"e": b64(e.to_bytes(3)), "kty": "RSA", "n": b64(n.to_bytes(256))}
        self.kid = thumbprint(self.public_jwk)

    def sign(self, payload: bytes, *, detached: bool = False, **header: str) -> str:
        """Return a compact JWS, RS256."""
        first = b64(canonical({**header, "alg": "RS256", "kid": self.kid}))
        signed = f"{first}.{b64(payload)}"
        signature = b64(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))
        return f"{first}..{signature}" if detached else f"{signed}.{signature}"


Signer = SigningKey | RsaKey


def urn(number: int, system: str) -> str:
    """Return the URN of a fictitious participant."""
    return f"urn:nld:oin:0000000999{number:010d}:systeem:{system}"


PLATFORM, PORTAL, EDUID, SCHOOL, VAULTS, DUO = (
    urn(number, name) for number, name in enumerate(("wissel", "portal", "eduid", "school", "vaults", "duo"), 1)
)
HOLDERS: Final = {
    "platform": PLATFORM,
    "portal": PORTAL,
    "eduid": EDUID,
    "school": SCHOOL,
    "vaults": VAULTS,
    "duo": DUO,
}


@cache
def rsa_key() -> RsaKey:
    """Return the one RSA key of the tests."""
    return RsaKey()


@dataclass(frozen=True)
class Keys:
    """Everybody's keys, by role."""

    signing: Mapping[str, SigningKey]
    sealing: Mapping[str, SealingKey]
    log: notes.NoteKey
    witnesses: tuple[notes.WitnessKey, ...]

    @property
    def trust(self) -> Trust:
        """Return what a verifier is given beforehand: the log, two witnesses, both needed."""
        return Trust({self.log.name: self.log.vkey}, tuple(one.vkey for one in self.witnesses), len(self.witnesses))


@cache
def keys(seed: str = "keys", origin: str = ORIGIN) -> Keys:
    """Return the keys that follow from a seed."""
    chance = Chance(seed)
    signing = {name: SigningKey.new(chance) for name in (*HOLDERS, "stranger")}
    sealing = {name: SealingKey.new(chance) for name in ("learner", "school")}
    witnesses = tuple(notes.WitnessKey.new(f"{name}.witness", chance) for name in ("noord", "zee"))
    return Keys(signing, sealing, notes.NoteKey.new(origin, chance), witnesses)


class Tree:
    """An audit log in memory."""

    def __init__(self, mine: Keys, witnesses: int) -> None:
        self.entries: list[bytes] = []
        self._keys, self._witnesses = mine, witnesses

    def add(self, entry: bytes) -> int:
        """Append an entry; return its index."""
        self.entries.append(entry)
        return len(self.entries) - 1

    def checkpoint(self, size: int) -> str:
        """Return the signed, cosigned tree head of the first `size` entries."""
        head = root([leaf_hash(one) for one in self.entries[:size]])
        body = notes.checkpoint_body(self._keys.log.name, size, head)
        cosigned = [one.cosign(body, START + timedelta(minutes=1)) for one in self._keys.witnesses[: self._witnesses]]
        return notes.note(body, [self._keys.log.sign(body), *cosigned])

    def prove(self, index: int, size: int = 0) -> Proven:
        """Return an entry with its proof under the checkpoint of `size` entries (0: all)."""
        size = size or len(self.entries)
        read = list_reader([leaf_hash(one) for one in self.entries])
        path = inclusion_path(index, size, read)
        return Proven(self.entries[index], notes.tlog_proof(index, path, self.checkpoint(size)))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One message and its evidence. The defaults are the truth; each field but the first five tells one lie.

    `by`: who signs which part ("sender", "acknowledgement", "token", "statement", "final") instead of who should, by
    role. `said`: facts to change in a signed part before it is signed. `cards`: facts to change in a published key's
    leaf, by role. `leaves`: facts to change in "accepted" or "ended". `spare`: roles whose keys come along unused.
    """

    form: Form = "signature"
    rsa: bool = False
    delivered: bool = True
    witnesses: int = 2
    seed: str = "message"
    keys_seed: str = "keys"
    origin: str = ORIGIN
    payload: Mapping[str, Any] | None = None
    envelope: Mapping[str, str] = field(default_factory=dict)
    by: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    header: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    leaves: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sender: Mapping[str, str] = field(default_factory=dict)
    spare: Sequence[str] = ()
    missing: Sequence[str] = ()

    @property
    def keys(self) -> Keys:
        """Return everybody's keys."""
        return keys(self.keys_seed, self.origin)

    def key(self, part: str, role: str) -> tuple[str, Signer]:
        """Return who signs a part, and with what."""
        role = self.by.get(part, role)
        return role, self.key_of(role)

    def key_of(self, role: str) -> Signer:
        """Return the key of a role."""
        return rsa_key() if self.rsa and role == "eduid" else self.keys.signing[role]

    def build(self) -> bytes:
        """Return the afschrift."""
        return _Making(self).document()

    @staticmethod
    def write(parts: Mapping[str, Any]) -> bytes:
        """Return parts as a document: canonical where that is possible, else as a forger would write them."""
        try:
            return canonical(dict(parts))
        except Refused:
            return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

    def parts(self) -> dict[str, Any]:
        """Return the afschrift as a dict of its parts."""
        found: dict[str, Any] = parse_json(self.build())
        return found


class _Making:
    """One afschrift in the making."""

    def __init__(self, case: Case) -> None:
        self.case, self.chance = case, Chance(case.seed)
        self.signers: dict[str, None] = {}
        self.tree = Tree(case.keys, case.witnesses)
        self.kind = NOTICE if case.form == "signature" else WITHDRAWN
        self.payload = canonical(dict(case.payload or PAYLOADS[self.kind]))
        self.envelope = self._envelope()
        self.nonce = self.chance.draw(32)
        self.commitment = commit(self.nonce, msgspec.to_builtins(self.envelope), self.payload)

    def _envelope(self) -> Envelope:
        row, from_learner = lookup(self.kind), self.kind == WITHDRAWN
        facts = {
            "id": "019d8ff0-a235-7322-97ab-0f3d5ca77365",
            "type": self.kind,
            "source": SUBJECT if from_learner else SCHOOL,
            "recipient": SCHOOL if from_learner else SUBJECT,
            "subject": SUBJECT,
            "time": rfc3339(START + timedelta(seconds=1)),
            "process": "7cc3f2b3-5aea-8b7f-996b-7383b1d1ed4a",
            "sequence": "3",
            "purpose": row.purpose,
            "legalground": row.ground,
            "controller": SCHOOL,
            "processingactivity": row.activity,
            "grant": hash64("grant"),
            "dataclass": row.dataclass,
            "enddate": "2026-07-14",
            "log": self.case.origin,
        }
        return msgspec.convert({**facts, **self.case.envelope}, Envelope)

    def _sign(self, part: str, role: str, payload: bytes, **header: str) -> str:
        role, key = self.case.key(part, role)
        self.signers[role] = None
        header |= self.case.header.get(part, {})
        return key.sign(payload, detached=False, **header)

    def _record(self, part: str, role: str, compact: str) -> str:
        """Sign a record of `records` again with what the test changed; unchanged it stays as it is."""
        if not (part in self.case.said or part in self.case.by or part in self.case.header):
            self.signers[role] = None
            return compact
        head, body, _ = compact.split(".")
        facts = {**parse_json(unb64(body)), **self.case.said.get(part, {})}
        typ = str(parse_json(unb64(head))["typ"])
        return self._sign(part, role, canonical({k: v for k, v in facts.items() if v is not None}), typ=typ)

    def _sender(self) -> SenderProof:
        case, mine = self.case, self.case.keys.signing
        role, key = case.key("sender", "school" if case.form == "signature" else "portal")
        self.signers[role] = None
        jws = key.sign(self.commitment, detached=True)
        facts: dict[str, str] = {"kind": "signature", "jws": jws}
        if case.form != "signature":
            token = self._token()
            facts = {"kind": "authentication", "jws": jws, "portal": PORTAL, "tokenhash": hash64(token)}
            if case.form == "id_token":
                facts["token"] = token
            else:
                self.signers.pop(case.key("token", "eduid")[0])
                stated = records.state_authentication(
                    mine["platform"],
                    issuer="https://eduid.example",
                    acr="high",
                    auth_time=1776236401,
                    nonce=records.nonce_for(self.commitment),
                )
                facts["statement"] = self._record("statement", "platform", stated)
        facts |= case.sender
        return msgspec.convert({name: value for name, value in facts.items() if value}, SenderProof)

    def _token(self) -> str:
        claims = {
            "iss": "https://eduid.example",
            "aud": "signer",
            "sub": "c29tZWJvZHk",
            "nonce": records.nonce_for(self.commitment),
            "auth_time": 1776236401,
            "iat": 1776236401,
            "exp": 1776236701,
        }
        return self._sign("token", "eduid", canonical({**claims, **self.case.said.get("token", {})}), typ="JWT")

    def _publish(self, role: str) -> int:
        """Append the leaf of a role's key; return its index."""
        key = self.case.key_of(role)
        facts = {
            "holder": HOLDERS.get(role, urn(99, role)),
            "use": "id_token" if role == "eduid" else "sign",
            "kid": key.kid,
            "jwk": canonical(key.public_jwk).decode(),
            "since": rfc3339(START - timedelta(days=1)),
            "until": rfc3339(START + timedelta(days=900)),
            **({"note": "adapter for duo"} if role == "duo" else {}),
        }
        entry = leaves.entry("key.published", START - timedelta(hours=1), self.chance, **facts)
        return self.tree.add(_changed(entry, self.case.cards.get(role, {})))

    def _acknowledge(self, sender: SenderProof) -> str:
        kids = {self.case.key_of(role).kid for role in (*self.signers, "platform")}
        compact = records.acknowledge(
            self.case.keys.signing["platform"],
            commitment=self.commitment,
            sender=sender,
            received=START + timedelta(seconds=2),
            decision="accepted",
            ruleset="2026-27",
            log=self.case.origin,
            keys=dict.fromkeys(sorted(kids), 8),
        )
        return self._record("acknowledgement", "platform", compact)

    def _final(self, acknowledgement: str) -> str:
        at = START + timedelta(seconds=3)
        if not self.case.delivered:
            compact = records.undelivered(
                self.case.keys.signing["platform"], acknowledgement=acknowledgement, attempts=7, at=at, reason="full"
            )
            return self._record("final", "platform", compact)
        role = "vaults" if self.envelope.recipient == SUBJECT else "school"
        if self.envelope.recipient == DUO:
            role = "duo"
        compact = records.receipt(
            self.case.keys.signing[role], acknowledgement=acknowledgement, outcome="accepted", at=at
        )
        return self._record("final", role, compact)

    def _leaf(self, name: str, event: str, at: datetime, **facts: str) -> int:
        same = {
            "process": self.envelope.process,
            "message": self.envelope.id,
            "type": self.envelope.type,
            "commitment": b64(self.commitment),
        }
        entry = leaves.entry(event, at, self.chance, **{**same, **facts})
        return self.tree.add(_changed(entry, self.case.leaves.get(name, {})))

    def _accepted(self, acknowledgement: str) -> int:
        envelope = self.envelope
        return self._leaf(
            "accepted",
            "message.accepted",
            START + timedelta(seconds=2),
            subject=envelope.subject,
            source=envelope.source,
            recipient=envelope.recipient,
            sequence=envelope.sequence,
            activity=envelope.processingactivity,
            grant=envelope.grant,
            ruleset="2026-27",
            acknowledgement=hash64(acknowledgement),
        )

    def _ended(self, final: str) -> int:
        outcome = str(parse_json(unb64(final.split(".")[1])).get("outcome", ""))
        event = "message.receipted" if self.case.delivered else "message.undelivered"
        return self._leaf("ended", event, START + timedelta(seconds=4), receipt=hash64(final), outcome=outcome)

    def document(self) -> bytes:
        """Return the afschrift."""
        case = self.case
        sender = self._sender()
        acknowledgement = self._acknowledge(sender)
        final = self._final(acknowledgement)
        roles = [role for role in (*self.signers, *case.spare) if role not in case.missing]
        published = [self._publish(role) for role in roles]
        told = self._accepted(acknowledgement), self._ended(final)
        self.tree.add(leaves.entry("process.settled", START, self.chance, process=self.envelope.process))
        return compose(
            envelope=self.envelope,
            payload=self.payload,
            nonce=b64(self.nonce),
            sender=sender,
            acknowledgement=acknowledgement,
            receipt=final if case.delivered else "",
            undelivered="" if case.delivered else final,
            leaves=[self.tree.prove(index) for index in told],
            keys=[self.tree.prove(index) for index in published],
        )


def _changed(entry: bytes, facts: Mapping[str, Any]) -> bytes:
    """Return an entry with other facts; None leaves one out."""
    found = {**parse_json(entry), **facts}
    return canonical({name: value for name, value in found.items() if value is not None})


TRUTHS: Final[Mapping[str, Case]] = {
    "signed by a participant": Case(),
    "learner by id_token, ES256": Case(form="id_token"),
    "learner by id_token, RS256": Case(form="id_token", rsa=True),
    "learner by the platform's statement": Case(form="statement"),
    "not delivered": Case(delivered=False),
    "not witnessed": Case(witnesses=0),
    "through an adapter": Case(envelope={"recipient": DUO}),
}


@cache
def truth(name: str) -> bytes:
    """Return one of the true afschriften."""
    return TRUTHS[name].build()

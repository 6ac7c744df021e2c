"""Check an afschrift offline: no network, no database, nothing but public keys and this one file.

It imports the standard library and `cryptography` only, and runs alone:
`python verify.py FILE... --trust trust.json [--key key.json] [--witnessed] [--revocations FILE]`.
The format, the order of the checks and every code stand in docs/afschrift.md.
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LEARNER: Final = "urn:wissel:learner:"
INTEGER_MAX: Final = 2**53 - 1  # RFC 8785 numbers are IEEE 754 doubles; beyond this they are not exact
DEPTH_MAX: Final = 40
BYTES_MAX: Final = 16 * 1024 * 1024
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_VKEY: Final = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", re.ASCII)
_SIGNATURE: Final = re.compile(r"\u2014 ([^\s+]+) (\S+)")
REVOCATIONS: Final = "wissel-revocations/v1"
PROOF: Final = "c2sp.org/tlog-proof@v1"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_PARTS: Final = frozenset({"afschrift", "envelope", "nonce", "sender", "acknowledgement", "leaves", "keys"})
_DELIVERED: Final = _PARTS | {"payload", "receipt"}
_UNDELIVERED: Final = _PARTS | {"payloadhash", "undelivered"}


class Refused(Exception):
    """Something is not what it says it is. `code` is stable, `sentence` says what is wrong."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{sentence} [{code}]")
        self.code = code
        self.sentence = sentence


# --- bytes -------------------------------------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()


def b64(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Read base64url without padding. Refuses anything that `b64` would not have written: one form each."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        data = b""
    if b64(data) != text:
        raise Refused("base64", "A value is not strict base64url without padding.")
    return data


def _unb64_padded(text: str) -> bytes:
    """Read the padded base64 (RFC 4648 section 4) of C2SP formats, as strictly."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:
        raise Refused("base64", "A value is not strict padded base64.")
    return data


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of `value` (RFC 8785), which may hold dict, list, str, int, bool and None."""
    text = json.dumps(_ordered(value, 0), ensure_ascii=False, separators=(",", ":"), check_circular=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Refused("json-surrogate", "A string holds half of a surrogate pair.") from None


def _ordered(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        if abs(value) > INTEGER_MAX:
            raise Refused("json-integer", "A number is too large; write it as a string.")
        return value
    if depth >= DEPTH_MAX:
        raise Refused("json-depth", f"The JSON is nested deeper than {DEPTH_MAX}.")
    if kind is dict:
        if not all(type(name) is str for name in value):
            raise Refused("json-type", "A name in a JSON object is not text.")
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return {name: _ordered(value[name], depth + 1) for name in names}
    if kind is list or kind is tuple:
        return [_ordered(item, depth + 1) for item in value]
    raise Refused("json-type", f"A {kind.__name__} cannot stand in canonical JSON.")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("json-duplicate", "A name stands twice in one JSON object.")
    return found


def _no_float(text: str) -> Any:
    raise Refused("json-float", f"{text[:20]} is not a whole number; write it as a string.")


def _integer(text: str) -> int:
    if len(text) > len(str(-INTEGER_MAX)):
        raise Refused("json-integer", "A number is too large; write it as a string.")
    return int(text)


_STRICT: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_no_float, parse_int=_integer, parse_constant=_no_float
)


def parse_json(data: bytes) -> Any:
    """Read JSON that need not be canonical, but has no floats, large numbers or names that stand twice."""
    try:
        return _STRICT.decode(data.decode())
    except (ValueError, RecursionError):
        raise Refused("json", "This is not JSON in UTF-8, or it is nested too deeply.") from None


def parse(data: bytes) -> Any:
    """Read JSON that is canonical, byte for byte: nothing before, between or after what RFC 8785 writes."""
    value = parse_json(data)
    if canonical(value) != data:
        raise Refused("json-canonical", "This JSON is not in canonical form (RFC 8785).")
    return value


def commit(nonce: bytes, envelope: Mapping[str, Any], payload: bytes) -> bytes:
    """Return SHA-256(nonce || canonical envelope || SHA-256(payload)); `nonce` is 32 bytes."""
    return _commit(nonce, envelope, sha256(payload))


def _commit(nonce: bytes, envelope: Mapping[str, Any], payload_hash: bytes) -> bytes:
    if len(nonce) != 32 or len(payload_hash) != 32:
        raise Refused("nonce", "The nonce and the hash of the payload are 32 bytes each.")
    return sha256(nonce + canonical(dict(envelope)) + payload_hash)


def proof_hash(sender: Mapping[str, Any]) -> str:
    """Return the base64url SHA-256 of the sender's proof. A token counts by its hash, so copies may leave it out."""
    token = sender.get("token", "")
    tokenhash = sender.get("tokenhash", "") or (b64(sha256(token.encode())) if token else "")
    facts = {"kind": sender["kind"], "jws": sender["jws"], "portal": sender.get("portal", "")}
    return b64(sha256(canonical({**facts, "tokenhash": tokenhash})))


# --- keys, signatures, sealing (RFC 7515, 7516, 7638) ------------------------------------------------------


def _text(value: Mapping[str, Any], name: str, code: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise Refused(code, f"{name} is missing or not text.")
    return found


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 thumbprint of an EC or RSA public key: what `kid` is everywhere in Wissel."""
    names = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}.get(str(jwk.get("kty")))
    if names is None:
        raise Refused("key-kind", "A key is neither EC nor RSA.")
    return b64(sha256(canonical({name: _text(jwk, name, "key-kind") for name in names})))


@lru_cache(maxsize=4096)
def _ec_key(crv: str, x: str, y: str) -> ec.EllipticCurvePublicKey:
    point = unb64(x), unb64(y)
    if crv != "P-256" or any(len(part) != 32 for part in point):
        raise Refused("key-kind", "An EC key is not on P-256.")
    try:
        first, second = map(int.from_bytes, point)
        return ec.EllipticCurvePublicNumbers(first, second, ec.SECP256R1()).public_key()
    except ValueError:
        raise Refused("key-kind", "An EC key is not a point of P-256.") from None


def ec_public(jwk: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    """Return the P-256 public key of a JWK."""
    return _ec_key(*(_text(jwk, name, "key-kind") for name in ("crv", "x", "y")))


@lru_cache(maxsize=64)
def _rsa_key(n: str, e: str) -> rsa.RSAPublicKey:
    try:
        key = rsa.RSAPublicNumbers(int.from_bytes(unb64(e)), int.from_bytes(unb64(n))).public_key()
    except ValueError:
        raise Refused("key-kind", "An RSA key is not valid.") from None
    if key.key_size < 2048:
        raise Refused("key-kind", "An RSA key is shorter than 2048 bits.")
    return key


def jws_header(compact: str) -> dict[str, Any]:
    """Return the (not yet trusted) header of a compact JWS; extensions by `crit` or `b64` are refused."""
    header = parse_json(unb64(compact.partition(".")[0]))
    if not isinstance(header, dict) or header.keys() & {"crit", "b64"}:
        raise Refused("jws", "The header of a signature is not one that we read.")
    return header


def check_jws(compact: str, jwk: Mapping[str, Any], detached: bytes | None = None) -> tuple[dict[str, Any], bytes]:
    """Return header and payload of a compact JWS that `jwk` signed: ES256 by an EC key, RS256 by an RSA key.

    With `detached` the middle part must be empty (RFC 7515 appendix F). Raises Refused.
    """
    parts = compact.split(".")
    if len(parts) != 3 or bool(parts[1]) == (detached is not None):
        raise Refused("jws", "A signature is not a compact JWS of the kind that belongs here.")
    header = jws_header(compact)
    payload = unb64(parts[1]) if detached is None else detached
    signed = f"{parts[0]}.{b64(payload)}".encode()
    signature = unb64(parts[2])
    try:
        if jwk.get("kty") == "EC" and header.get("alg") == "ES256" and len(signature) == 64:
            pair = utils.encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
            ec_public(jwk).verify(pair, signed, ec.ECDSA(hashes.SHA256()))
        elif jwk.get("kty") == "RSA" and header.get("alg") == "RS256":
            key = _rsa_key(_text(jwk, "n", "key-kind"), _text(jwk, "e", "key-kind"))
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise Refused("jws", "A signature's algorithm does not fit its key (ES256 or RS256).")
    except InvalidSignature:
        raise Refused("signature", "A signature does not fit what it signs.") from None
    return header, payload


def derive(private: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey) -> bytes:
    """Return the 256-bit key of ECDH-ES for A256GCM, without apu and apv (RFC 7518 section 4.6.2)."""
    secret = private.exchange(ec.ECDH(), public)
    return sha256(b"\0\0\0\1" + secret + b"\0\0\0\7A256GCM" + bytes(8) + b"\0\0\1\0")


def open_jwe(compact: str, private_jwk: Mapping[str, Any]) -> bytes:
    """Open a compact JWE (ECDH-ES, A256GCM, P-256) with the receiver's private JWK. Raises Refused."""
    parts = compact.split(".")
    if len(parts) != 5 or parts[1]:
        raise Refused("jwe", "This is not a compact JWE with direct key agreement.")
    header = parse_json(unb64(parts[0]))
    if not isinstance(header, dict) or header.keys() - {"alg", "enc", "epk", "kid", "cty", "typ"}:
        raise Refused("jwe", "The header of a sealed value is not one that we read.")
    if (header.get("alg"), header.get("enc")) != ("ECDH-ES", "A256GCM"):
        raise Refused("jwe", "A sealed value is not ECDH-ES with A256GCM.")
    if header.get("kid", thumbprint(private_jwk)) != thumbprint(private_jwk):
        raise Refused("jwe-key", "This is sealed to another key.")
    if not isinstance(header.get("epk"), dict):
        raise Refused("jwe", "A sealed value has no ephemeral key.")
    iv, sealed, tag = map(unb64, parts[2:])
    if len(iv) != 12 or len(tag) != 16:
        raise Refused("jwe", "The IV or tag of a sealed value has another length.")
    number = int.from_bytes(unb64(_text(private_jwk, "d", "key-kind")))
    if not 0 < number < _ORDER:
        raise Refused("key-kind", "A private key is not one of P-256.")
    secret = derive(ec.derive_private_key(number, ec.SECP256R1()), ec_public(header["epk"]))
    try:
        return AESGCM(secret).decrypt(iv, sealed + tag, parts[0].encode())
    except InvalidTag:
        raise Refused("jwe-open", "A sealed value does not open: wrong key, or changed.") from None


# --- the log: signed notes, cosignatures, inclusion proofs (C2SP, RFC 9162) --------------------------------


class Checkpoint(NamedTuple):
    """A tree head: `body` is the signed text, three lines."""

    origin: str
    size: int
    root: bytes
    body: str


class _Signer(NamedTuple):
    name: str
    id: bytes
    kind: int  # 1: Ed25519 over the body; 4: cosignature/v1
    key: bytes


@lru_cache(maxsize=1024)
def _signer(vkey: str) -> _Signer:
    match = _VKEY.fullmatch(vkey)
    data = _unb64_padded(match[3]) if match else b""
    if not match or len(data) != 33 or data[0] not in {1, 4}:
        raise Refused("trust", "A verifier key (vkey) is not Ed25519 in C2SP form.")
    name = match[1]
    key_id = sha256(f"{name}\n".encode() + data)[:4]
    if key_id.hex() != match[2]:
        raise Refused("trust", f"The verifier key of {name} contradicts its own hash.")
    return _Signer(name, key_id, data[0], data[1:])


def _split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return the body and the (name, key id + signature) lines of a signed note."""
    body, middle, block = note.rpartition("\n\n")
    matches = [_SIGNATURE.fullmatch(line) for line in block.split("\n")[:-1]]
    if not middle or not block.endswith("\n") or not matches:
        raise Refused("note", "A checkpoint is not a signed note.")
    lines = list[tuple[str, bytes]]()
    for match in matches:
        if match is None:
            raise Refused("note", "A signature line of a checkpoint has another form.")
        lines.append((match[1], _unb64_padded(match[2])))
    return body + "\n", lines


def _check_line(signer: _Signer, body: str, signature: bytes) -> None:
    signed = body.encode()
    if signer.kind == 4:
        if len(signature) != 72:
            raise Refused("note", "A cosignature has another length.")
        time = int.from_bytes(signature[:8])
        signed = f"cosignature/v1\ntime {time}\n".encode() + signed
        signature = signature[8:]
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(signer.key).verify(signature, signed)
    except InvalidSignature:
        raise Refused("note-signature", f"The signature of {signer.name} under a note is wrong.") from None


def check_note(note: str, vkey: str) -> None:
    """Raise Refused unless the note bears a good signature by `vkey` (a log's, or a witness's cosignature)."""
    signer = _signer(vkey)
    body, lines = _split_note(note)
    mine = [line[4:] for name, line in lines if (name, line[:4]) == (signer.name, signer.id)]
    if not mine:
        raise Refused("note-signature", f"A note is not signed by {signer.name}.")
    for signature in mine:
        _check_line(signer, body, signature)


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a signed checkpoint (C2SP tlog-checkpoint, no extension lines). Signatures are not checked here."""
    body, _ = _split_note(note)
    lines = body.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0] or not _DECIMAL.fullmatch(lines[1]):
        raise Refused("checkpoint", "A checkpoint is not three lines: origin, size, root.")
    head = _unb64_padded(lines[2])
    if len(head) != 32:
        raise Refused("checkpoint", "The root in a checkpoint is not 32 bytes.")
    return Checkpoint(lines[0], int(lines[1]), head, body)


def _check_inclusion(entry: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2."""
    node, last = sha256(b"\0" + entry), size - 1
    for sibling in path:
        if last == 0:
            break
        if index & 1 or index == last:
            node = sha256(b"\1" + sibling + node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\1" + node + sibling)
        index, last = index >> 1, last >> 1
    if last or node != root:
        raise Refused("inclusion", "An entry is not in the log: its proof does not lead to the signed root.")


# --- the afschrift -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trust:
    """What a verifier trusts beforehand: log origins with their vkeys, witnesses' vkeys, and the quorum."""

    logs: Mapping[str, str]
    witnesses: Sequence[str] = ()
    quorum: int = 1


@dataclass(frozen=True)
class Verdict:
    """The answer. `reason` and `code` say the first thing that is wrong; `seen` what proved a learner's word."""

    ok: bool
    witnessed: bool = False
    reason: str = ""
    code: str = ""
    seen: str = ""


class _Key(NamedTuple):
    """A published key, as its proven entry says."""

    holder: str
    use: str
    jwk: Mapping[str, Any]
    since: str
    until: str


def read_trust(data: bytes) -> Trust:
    """Read a trust file: {"logs": {origin: vkey}, "witnesses": [vkey], "quorum": number}."""
    value = parse_json(data)
    return Trust(dict(value["logs"]), tuple(value.get("witnesses", ())), int(value.get("quorum", 1)))


def verify(document: bytes, trust: Trust, revoked: Mapping[str, str] | None = None) -> Verdict:
    """Check an opened afschrift whole. `revoked`: kid -> moment from which it counts (see `read_revocations`)."""
    try:
        return _Check(document, trust, revoked or {}).run()
    except Refused as error:
        return Verdict(ok=False, reason=error.sentence, code=error.code)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return Verdict(ok=False, reason="It has not the form of an afschrift.", code="form")


class _Check:
    def __init__(self, document: bytes, trust: Trust, revoked: Mapping[str, str]) -> None:
        self.doc = parse(document)
        if self.doc.keys() not in (_DELIVERED, _UNDELIVERED) or self.doc["afschrift"] != "1":
            raise Refused("form", "It has not the fields of an afschrift of version 1.")
        self.envelope: dict[str, Any] = self.doc["envelope"]
        self.sender: dict[str, Any] = self.doc["sender"]
        self.trust, self.revoked = trust, revoked
        self.witnesses = len(trust.witnesses)
        self.keys: dict[str, _Key] = {}
        self.used: set[str] = set()
        self.log = str(self.envelope["log"])

    def run(self) -> Verdict:
        payload = "payload" in self.doc
        digest = sha256(canonical(self.doc["payload"])) if payload else unb64(self.doc["payloadhash"])
        commitment = _commit(unb64(self.doc["nonce"]), self.envelope, digest)
        for item in self.doc["keys"]:
            self._learn(self._entry(item))
        received = self._acknowledged(commitment)
        seen = self._spoken(commitment, received)
        final = str(self.doc["receipt" if payload else "undelivered"])
        outcome = self._answered(final, delivered=payload)
        accepted, ended = (self._entry(item) for item in self.doc["leaves"])
        _same(accepted, "message.accepted", commitment, acknowledgement=_hash(self.doc["acknowledgement"]))
        kind = "message.receipted" if payload else "message.undelivered"
        _same(ended, kind, commitment, receipt=_hash(final), outcome=outcome)
        if self.used != self.keys.keys():
            raise Refused("keys", "It carries a key that signed nothing in it.")
        return Verdict(ok=True, witnessed=self.witnesses >= self.trust.quorum > 0, seen=seen)

    def _entry(self, item: dict[str, str]) -> dict[str, Any]:
        """Return an entry whose place in the log is proven (C2SP tlog-proof)."""
        if item.keys() != {"entry", "proof"}:
            raise Refused("form", "An entry has other parts than itself and its proof.")
        entry, (head, note) = unb64(item["entry"]), item["proof"].split("\n\n", 1)
        kind, index, *path = head.split("\n")
        number = index.removeprefix("index ")
        if kind != PROOF or not index.startswith("index ") or not _DECIMAL.fullmatch(number):
            raise Refused("proof", "A proof is not a C2SP tlog-proof.")
        point = parse_checkpoint(note)
        if point.origin != self.log or self.log not in self.trust.logs:
            raise Refused("log", "It is of a log that the trust file does not name.")
        self.witnesses = min(self.witnesses, _signed_by(note, self.trust.logs[self.log], self.trust.witnesses))
        _check_inclusion(entry, int(number), point.size, [_unb64_padded(line) for line in path], point.root)
        found: dict[str, Any] = parse(entry)
        return found

    def _learn(self, entry: dict[str, Any]) -> None:
        jwk = parse(entry["jwk"].encode())
        if entry["event"] != "key.published" or thumbprint(jwk) != entry["kid"] or entry["kid"] in self.keys:
            raise Refused("keys", "A key is not published under its own thumbprint, once.")
        self.keys[entry["kid"]] = _Key(entry["holder"], entry["use"], jwk, entry["since"], entry["until"])

    def _signed(self, compact: str, at: str, use: str = "sign", detached: bytes | None = None) -> tuple[str, Any]:
        """Return whose signature this is, and what was signed; the key must have been good `at` that moment."""
        kid = jws_header(compact).get("kid")
        key = self.keys.get(str(kid))
        if key is None or key.use != use or not _MOMENT.fullmatch(at) or not key.since <= at < key.until:
            raise Refused("key", "A key that signed was not published for this use at that time.")
        if str(kid) in self.revoked and self.revoked[str(kid)] <= at:
            raise Refused("revoked", "A key that signed had been revoked.")
        self.used.add(str(kid))
        _, payload = check_jws(compact, key.jwk, detached)
        return key.holder, parse_json(payload) if detached is None else None

    def _acknowledged(self, commitment: bytes) -> str:
        compact = self.doc["acknowledgement"]
        kid = str(jws_header(compact).get("kid"))
        received = str(parse_json(unb64(compact.split(".")[1]))["received"])
        self.platform, facts = self._signed(compact, received)
        proof = proof_hash(self.sender)
        if jws_header(compact).get("typ") != "wissel-acknowledgement" or facts["log"] != self.log:
            raise Refused("acknowledgement", "The acknowledgement is of another kind or another log.")
        if (facts["commitment"], facts["sender"], facts["decision"]) != (b64(commitment), proof, "accepted"):
            raise Refused("commitment", "The acknowledgement is about another message.")
        self.stated = {str(one) for one in facts["keys"]} | {kid}
        return received

    def _spoken(self, commitment: bytes, received: str) -> str:
        """Check the sender's proof; return how a learner was seen to stand for it, or an empty text."""
        signer, _ = self._signed(self.sender["jws"], received, detached=commitment)
        if not self.stated >= self.used:
            raise Refused("keys", "The acknowledgement does not state that the sender's keys were good.")
        if self.sender["kind"] == "signature":
            if signer != self.envelope["source"] or self.sender.keys() != {"kind", "jws"}:
                raise Refused("sender", "It is not signed by its source.")
            return ""
        nonce = b64(sha256(commitment))
        if signer != self.sender["portal"] or self.envelope["source"] != self.envelope["subject"]:
            raise Refused("sender", "It is not signed by the portal that it names.")
        if token := self.sender.get("token"):
            _, claims = self._signed(token, received, "id_token")
            seen, holds = "id_token", b64(sha256(token.encode())) == self.sender["tokenhash"]
        else:
            holder, claims = self._signed(self.sender["statement"], received)
            seen, holds = "statement", holder == self.platform
        if not holds or claims["nonce"] != nonce:
            raise Refused("authentication", "The learner did not authenticate for this message.")
        return seen

    def _answered(self, compact: str, *, delivered: bool) -> str:
        at = str(parse_json(unb64(compact.split(".")[1]))["time"])
        holder, facts = self._signed(compact, at)
        recipient = self.envelope["recipient"]
        typ = "wissel-receipt" if delivered else "wissel-undelivered"
        if jws_header(compact).get("typ") != typ or facts["acknowledgement"] != _hash(self.doc["acknowledgement"]):
            raise Refused("receipt", "The receipt is about another message.")
        if holder != (recipient if delivered else self.platform) and not (delivered and recipient.startswith(LEARNER)):
            raise Refused("receipt", "The receipt is not signed by the receiver.")
        return str(facts["outcome"])


def _signed_by(note: str, log: str, witnesses: Sequence[str]) -> int:
    """Return how many trusted witnesses signed a checkpoint; every line must be good and of somebody trusted."""
    body, lines = _split_note(note)
    signers = {(one.name, one.id): one for one in map(_signer, (log, *witnesses))}
    for name, line in lines:
        signer = signers.pop((name, line[:4]), None)
        if signer is None:
            raise Refused("note-signature", "A checkpoint is signed twice, or by somebody who is not trusted.")
        _check_line(signer, body, line[4:])
    if (_signer(log).name, _signer(log).id) in signers:
        raise Refused("note-signature", "A checkpoint is not signed by its log.")
    return len(lines) - 1


def _same(entry: Mapping[str, Any], event: str, commitment: bytes, **facts: str) -> None:
    for name, value in {"event": event, "commitment": b64(commitment), **facts}.items():
        if entry.get(name) != value:
            raise Refused("leaf", f"The log says something else about this message ({name}).")


def _hash(text: str) -> str:
    return b64(sha256(text.encode()))


def read_revocations(note: str, trust: Trust) -> dict[str, str]:
    """Return kid -> moment of a signed list of revoked keys."""
    body, _ = _split_note(note)
    kind, origin, _, *lines = body.rstrip("\n").split("\n")
    if kind != REVOCATIONS or origin not in trust.logs:
        raise Refused("revocations", "This is no list of revoked keys of a trusted log.")
    check_note(note, trust.logs[origin])
    return dict(line.split(" ") for line in lines)


def open_copy(data: bytes, private_jwk: Mapping[str, Any] | None) -> bytes:
    """Return the afschrift in a file: opened when it is sealed (a compact JWE), else as it is."""
    if data[:1] == b"{":
        return data
    if private_jwk is None:
        raise Refused("no-key", "It is sealed, and there is no key to open it with. Give --key.")
    try:
        return open_jwe(data.decode("ascii"), private_jwk)
    except UnicodeDecodeError:
        raise Refused("jwe", "It is neither an afschrift nor a sealed one.") from None


def verify_file(file: Path, args: argparse.Namespace) -> Verdict:
    """Check one file with the owner's keys beside its vault, or with what was given."""
    keys = file.resolve().parent.parent / "keys"
    key, trusted = args.key or keys / "seal.json", args.trust or keys / "trust.json"
    try:
        trust = read_trust(trusted.read_bytes())
        revoked = read_revocations(args.revocations.read_text(), trust) if args.revocations else {}
        jwk = parse_json(key.read_bytes()) if key.exists() else None
        return verify(open_copy(file.read_bytes(), jwk), trust, revoked)
    except Refused as error:
        return Verdict(ok=False, reason=error.sentence, code=error.code)
    except (OSError, KeyError, TypeError, ValueError) as error:
        return Verdict(ok=False, reason=f"A file cannot be read: {error}", code="file")


def main(argv: Sequence[str]) -> int:
    """Check files; print `yes`, `yes, not witnessed` or the first reason for no. Return 0 when all are yes."""
    parser = argparse.ArgumentParser(prog="verify", description="Check afschriften offline.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    for name in ("--trust", "--key", "--revocations"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--witnessed", action="store_true", help="no unless the quorum of witnesses signed")
    args = parser.parse_args(argv)
    good = True
    for file in args.files:
        verdict = verify_file(file, args)
        good = good and verdict.ok and (verdict.witnessed or not args.witnessed)
        yes = "yes" if verdict.witnessed else "yes, not witnessed"
        print(f"{file}: {yes if verdict.ok else f'no: {verdict.reason} [{verdict.code}]'}")  # noqa: T201 - its answer
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

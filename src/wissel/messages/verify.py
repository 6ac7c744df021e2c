"""Check an afschrift offline: no network, no database, nothing but public keys and this one file.

It imports the standard library and `cryptography` only, and runs alone:
`python verify.py FILE... --trust trust.json [--key key.json] [--witnessed] [--revocations FILE]`.
The format, the order of the checks and every code stand in docs/afschrift.md.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
CLOCKS: Final = timedelta(days=1)  # how far a receiver's clock may be from the platform's
REVOCATIONS: Final = "wissel-revocations/v1"
PROOF: Final = "c2sp.org/tlog-proof@v1"
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_VKEY: Final = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", re.ASCII)
_SIGNATURE: Final = re.compile(r"\u2014 ([^\s+]+) (\S+)")
_REVOKED: Final = re.compile(r"([A-Za-z0-9_-]{43}) (\S+)", re.ASCII)
_COPY: Final = re.compile(r"-[^/]*\.afschrift")  # one in 64 names of copies begins as an option does
_EARLIER: Final = re.compile(r"(.+)/(?:[2-9]|[1-9][0-9]+)", re.ASCII)
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_PARTS: Final = frozenset({"afschrift", "envelope", "nonce", "sender", "acknowledgement", "leaves", "keys"})
_SENDER: Final = frozenset({"kind", "jws"})
_LOGIN: Final = _SENDER | {"portal", "tokenhash"}
_RECORDS: Final[Mapping[str, tuple[frozenset[str], str]]] = {  # typ: the fields it must have, and one that it may have
    "wissel-acknowledgement": (
        frozenset(("commitment", "decision", "keys", "log", "received", "ruleset", "sender")),
        "",
    ),
    "wissel-receipt": (frozenset(("acknowledgement", "outcome", "time")), "reason"),
    "wissel-undelivered": (frozenset(("acknowledgement", "attempts", "outcome", "reason", "time")), ""),
    "wissel-statement": (frozenset(("acr", "auth_time", "issuer", "nonce")), ""),
}


class Refused(Exception):
    """Something is not what it says it is. `code` is stable, `sentence` says what is wrong."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{sentence} [{code}]")
        self.code = code
        self.sentence = sentence


def _need(holds: object, otherwise: Refused) -> None:
    if not holds:
        raise otherwise


# --- bytes -------------------------------------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()


def b64(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Read base64url without padding. Refuses anything that `b64` would not have written: one form each."""
    return _one_form(text, lambda given: base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)), b64)


def _unb64_padded(text: str) -> bytes:
    """Read the padded base64 (RFC 4648 section 4) of C2SP formats, as strictly."""
    return _one_form(text, base64.b64decode, lambda data: base64.b64encode(data).decode())


def _one_form(text: str, decode: Callable[[str], bytes], encode: Callable[[bytes], str]) -> bytes:
    try:
        data = decode(text)
    except ValueError:
        data = b""
    if encode(data) != text:
        raise Refused("base64", "A value is not strict base64, in the one form that belongs there.")
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
    if len(text) > 17:  # as long as -INTEGER_MAX; the rest is for `canonical`
        raise Refused("json-integer", "A number is too large; write it as a string.")
    return int(text)


_STRICT: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_no_float, parse_int=_integer, parse_constant=_no_float
)


def parse_json(data: bytes) -> Any:
    """Read JSON that need not be canonical, but has no floats, large numbers or names that stand twice."""
    _need(len(data) <= BYTES_MAX, Refused("json-size", f"This is larger than {BYTES_MAX} bytes."))
    try:
        return _STRICT.decode(data.decode())
    except (ValueError, RecursionError):
        raise Refused("json", "This is not JSON in UTF-8, or it is nested too deeply.") from None


def parse(data: bytes) -> Any:
    """Read JSON that is canonical, byte for byte: nothing before, between or after what RFC 8785 writes."""
    value = parse_json(data)
    _need(canonical(value) == data, Refused("json-canonical", "This JSON is not in canonical form (RFC 8785)."))
    return value


def commit(nonce: bytes, envelope: Mapping[str, Any], payload: bytes) -> bytes:
    """Return SHA-256(nonce || canonical envelope || SHA-256(payload)); `nonce` is 32 bytes."""
    return _commit(nonce, envelope, sha256(payload))


def _commit(nonce: bytes, envelope: Mapping[str, Any], digest: bytes) -> bytes:
    _need(len(nonce) == len(digest) == 32, Refused("nonce", "The nonce and the payload's hash are 32 bytes each."))
    return sha256(nonce + canonical(dict(envelope)) + digest)


def proof_hash(sender: Mapping[str, Any]) -> str:
    """Return the base64url SHA-256 of the sender's proof. A token counts by its hash, so copies may leave it out."""
    token = sender.get("token", "")
    tokenhash = sender.get("tokenhash", "") or (_hash(token) if token else "")
    facts = {"kind": sender["kind"], "jws": sender["jws"], "portal": sender.get("portal", "")}
    return b64(sha256(canonical({**facts, "tokenhash": tokenhash})))


def _hash(text: str) -> str:
    return b64(sha256(text.encode()))


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
    _need(crv == "P-256" and all(len(part) == 32 for part in point), Refused("key-kind", "An EC key is not on P-256."))
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
    _need(key.key_size >= 2048, Refused("key-kind", "An RSA key is shorter than 2048 bits."))
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
    _need(len(parts) == 5 and not parts[1], Refused("jwe", "This is not a compact JWE with direct key agreement."))
    header = parse_json(unb64(parts[0]))
    if not isinstance(header, dict) or header.keys() - {"alg", "enc", "epk", "kid", "cty", "typ"}:
        raise Refused("jwe", "The header of a sealed value is not one that we read.")
    fits = (header.get("alg"), header.get("enc")) == ("ECDH-ES", "A256GCM") and isinstance(header.get("epk"), dict)
    _need(fits, Refused("jwe", "A sealed value is not ECDH-ES with A256GCM."))
    kid = thumbprint(private_jwk)
    _need(header.get("kid", kid) == kid, Refused("jwe-key", "This is sealed to another key."))
    iv, sealed, tag = map(unb64, parts[2:])
    _need((len(iv), len(tag)) == (12, 16), Refused("jwe", "The IV or tag of a sealed value has another length."))
    number = int.from_bytes(unb64(_text(private_jwk, "d", "key-kind")))
    _need(0 < number < _ORDER, Refused("key-kind", "A private key is not one of P-256."))
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
    key_id = sha256(f"{match[1]}\n".encode() + data)[:4]
    _need(key_id.hex() == match[2], Refused("trust", f"The verifier key of {match[1]} contradicts its own hash."))
    return _Signer(match[1], key_id, data[0], data[1:])


def _split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return the body and the (name, key id + signature) lines of a signed note."""
    body, middle, block = note.rpartition("\n\n")
    _need(middle and block.endswith("\n"), Refused("note", "A checkpoint is not a signed note."))
    lines = list[tuple[str, bytes]]()
    for line in block.split("\n")[:-1]:
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise Refused("note", "A signature line of a checkpoint has another form.")
        lines.append((match[1], _unb64_padded(match[2])))
    return body + "\n", lines


def _check_line(signer: _Signer, body: str, signature: bytes) -> None:
    signed = body.encode()
    if signer.kind == 4:
        _need(len(signature) == 72, Refused("note", "A cosignature has another length."))
        signed = f"cosignature/v1\ntime {int.from_bytes(signature[:8])}\n".encode() + signed
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
    _need(mine, Refused("note-signature", f"A note is not signed by {signer.name}."))
    for signature in mine:
        _check_line(signer, body, signature)


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a signed checkpoint (C2SP tlog-checkpoint, no extension lines). Signatures are not checked here."""
    body, _ = _split_note(note)
    lines = body.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0] or not _DECIMAL.fullmatch(lines[1]):
        raise Refused("checkpoint", "A checkpoint is not three lines: origin, size, root.")
    head = _unb64_padded(lines[2])
    _need(len(head) == 32, Refused("checkpoint", "The root in a checkpoint is not 32 bytes."))
    return Checkpoint(lines[0], int(lines[1]), head, body)


def _witnesses(note: str, log: str, witnesses: Sequence[str]) -> int:
    """Return how many trusted witnesses signed a checkpoint; every line must be good and of somebody trusted."""
    body, lines = _split_note(note)
    signers = {(one.name, one.id): one for one in map(_signer, (log, *witnesses))}
    for name, line in lines:
        signer = signers.pop((name, line[:4]), None)
        if signer is None:
            raise Refused("note-signature", "A checkpoint is signed twice, or by somebody who is not trusted.")
        _check_line(signer, body, line[4:])
    missing = (_signer(log).name, _signer(log).id) in signers
    _need(not missing, Refused("note-signature", "A checkpoint is not signed by its log."))
    return len(lines) - 1


def _included(entry: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root to which a path leads (RFC 9162 section 2.1.3.2); empty when the path has another length."""
    node, last = sha256(b"\0" + entry), size - 1
    for sibling in path:
        if last <= 0:
            return b""
        if index & 1 or index == last:
            node = sha256(b"\1" + sibling + node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\1" + node + sibling)
        index, last = index >> 1, last >> 1
    return b"" if last else node


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
    notes: tuple[str, ...] = ()
    """What the leaves of the signing keys say about them, such as "adapter for duo"."""


class PublishedKey(NamedTuple):
    """A published key, as its proven entry says."""

    kid: str
    holder: str
    use: str
    jwk: Mapping[str, Any]
    since: str
    until: str
    note: str


def read_trust(data: bytes) -> Trust:
    """Read a trust file: {"logs": {origin: vkey}, "witnesses": [vkey], "quorum": number}. Raises Refused."""
    value = parse_json(data)
    try:
        trust = Trust(dict(value["logs"]), tuple(value.get("witnesses", ())), value.get("quorum", 1))
        logs, others = [_signer(key) for key in trust.logs.values()], [_signer(key) for key in trust.witnesses]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused("trust", "This is not a trust file: logs, witnesses and quorum.") from None
    roles = [one.kind for one in logs] == [1] * len(logs) and [one.kind for one in others] == [4] * len(others)
    apart = len({one.key for one in (*logs, *others)}) == len(logs) + len(others)
    _need(roles and apart, Refused("trust", "A log or witness has a key of the other kind, or one that stands twice."))
    named = [one.name for one in logs] == list(trust.logs)
    _need(named, Refused("trust", "A log's key has another name than the log."))
    _need(type(trust.quorum) is int and trust.quorum >= 0, Refused("trust", "The quorum is not a number of witnesses."))
    return trust


def verify(document: bytes, trust: Trust, revoked: Mapping[str, str] | None = None) -> Verdict:
    """Check an opened afschrift whole. `revoked`: kid -> moment from which it counts (see `read_revocations`)."""
    try:
        return _Check(document, trust, revoked or {}).run()
    except Refused as error:
        return Verdict(ok=False, reason=error.sentence, code=error.code)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return Verdict(ok=False, reason="It has not the form of an afschrift.", code="form")


class Proofs:
    """Reads entries whose place in a trusted log is proven. `log` is its origin; its predecessors count."""

    def __init__(self, trust: Trust, log: str) -> None:
        self._trust, self._log = trust, log
        self._points: dict[str, tuple[str, Checkpoint, int]] = {}  # by origin: the note, what it says, its witnesses

    @property
    def witnesses(self) -> int:
        """How many trusted witnesses signed the checkpoint that the fewest signed."""
        return min(point[2] for point in self._points.values())

    def entry(self, item: Mapping[str, str]) -> dict[str, Any]:
        """Return an entry whose place in the log is proven (C2SP tlog-proof)."""
        _need(item.keys() == {"entry", "proof"}, Refused("form", "An entry has not just itself and its proof."))
        entry, (head, note) = unb64(item["entry"]), item["proof"].split("\n\n", 1)
        kind, place, *lines = head.split("\n")
        fits = kind == PROOF and place.startswith("index ") and _DECIMAL.fullmatch(place[6:])
        _need(fits, Refused("proof", "A proof is not a C2SP tlog-proof."))
        point, index, path = self._point(note), int(place[6:]), [_unb64_padded(line) for line in lines]
        led = index < point.size and all(len(node) == 32 for node in path) and _included(entry, index, point.size, path)
        _need(led == point.root, Refused("inclusion", "An entry is not in the log: its proof leads to another root."))
        found: dict[str, Any] = parse(entry)
        _need(_MOMENT.fullmatch(found["time"]), Refused("leaf", "An entry of the log has no time."))
        return found

    def _point(self, note: str) -> Checkpoint:
        """Return a checkpoint that a trusted log signed; all proofs in one log lead to the same one."""
        point = parse_checkpoint(note)
        ours = _base(point.origin) == _base(self._log) and {point.origin, self._log} <= self._trust.logs.keys()
        _need(ours, Refused("log", "It is of a log that the trust file does not name."))
        if point.origin not in self._points:
            seen = _witnesses(note, self._trust.logs[point.origin], self._trust.witnesses)
            self._points[point.origin] = (note, point, seen)
        _need(self._points[point.origin][0] == note, Refused("checkpoint", "Its proofs lead to different checkpoints."))
        return point


def published_key(entry: Mapping[str, Any]) -> PublishedKey:
    """Read the proven entry that published a key. Raises Refused, and KeyError where it lacks a field."""
    jwk, kid = parse(entry["jwk"].encode()), entry["kid"]
    known = entry["event"] == "key.published" and thumbprint(jwk) == kid
    _need(known, Refused("keys", "A key is not published under its own thumbprint, once."))
    times = entry["since"], entry["until"], entry["time"]
    _need(all(map(_MOMENT.fullmatch, times)), Refused("keys", "A key is published without its times."))
    since = max(entry["since"], entry["time"])  # nobody could use it before others could know it
    note = "".join(sign for sign in entry.get("note", "") if sign.isprintable())  # it is shown in terminals
    return PublishedKey(kid, entry["holder"], entry["use"], jwk, since, entry["until"], note)


class _Check:
    def __init__(self, document: bytes, trust: Trust, revoked: Mapping[str, str]) -> None:
        self.doc: dict[str, Any] = parse(document)
        self.delivered = "payload" in self.doc
        parts = _PARTS | ({"payload", "receipt"} if self.delivered else {"payloadhash", "undelivered"})
        whole = self.doc.keys() == parts and self.doc["afschrift"] == "1"
        _need(whole, Refused("form", "It has not the fields of an afschrift of version 1."))
        self.envelope: dict[str, Any] = self.doc["envelope"]
        self.sender: dict[str, Any] = self.doc["sender"]
        self.trust, self.revoked = trust, revoked
        self.log: str = self.envelope["log"]
        self.proofs = Proofs(trust, self.log)
        self.keys: dict[str, PublishedKey] = {}
        self.used: set[str] = set()

    def run(self) -> Verdict:
        digest = sha256(canonical(self.doc["payload"])) if self.delivered else unb64(self.doc["payloadhash"])
        commitment = _commit(unb64(self.doc["nonce"]), self.envelope, digest)
        for item in self.doc["keys"]:
            key = published_key(self.proofs.entry(item))
            _need(key.kid not in self.keys, Refused("keys", "A key is not published under its own thumbprint, once."))
            self.keys[key.kid] = key
        accepted, ended = (self.proofs.entry(item) for item in self.doc["leaves"])
        acknowledged = self._acknowledged(b64(commitment), accepted)
        seen = self._spoken(commitment, acknowledged)
        self._answered(b64(commitment), ended, acknowledged["received"])
        _need(self.used == self.keys.keys(), Refused("keys", "It carries a key that signed nothing in it."))
        notes = dict.fromkeys(key.note for key in self.keys.values() if key.note)
        return Verdict(ok=True, witnessed=self.proofs.witnesses >= self.trust.quorum > 0, seen=seen, notes=tuple(notes))

    def _signed(
        self, compact: str, at: str, typ: str = "", *, use: str = "sign", detached: bytes | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Return whose signature this is, and what was signed; the key must have been good `at` that moment."""
        header = jws_header(compact)
        kid = str(header.get("kid"))
        key = self.keys.get(kid)
        if key is None or key.use != use or not key.since <= at < key.until:
            raise Refused("key", "A key that signed was not published for this use at that time.")
        good = kid not in self.revoked or at < self.revoked[kid]
        _need(good, Refused("revoked", "A key that signed had been revoked."))
        _need(use != "sign" or header.get("alg") == "ES256", Refused("jws", "A participant signs with ES256."))
        self.used.add(kid)
        payload = check_jws(compact, key.jwk, detached)[1]
        if not typ:
            return key.holder, parse_json(payload) if detached is None else {}
        facts, (must, may) = parse(payload), _RECORDS[typ]
        fits = header.get("typ") == typ and must <= facts.keys() <= must | {may}
        _need(fits, Refused("record", f"What stands for a {typ} is something else."))
        return key.holder, facts

    def _acknowledged(self, commitment: str, leaf: dict[str, Any]) -> dict[str, Any]:
        """Check the platform's counter-signature, and that the log holds it and says the same as the envelope."""
        compact, envelope = self.doc["acknowledgement"], self.envelope
        self.platform, facts = self._signed(compact, leaf["time"], "wissel-acknowledgement")
        about = (facts["commitment"], facts["sender"], facts["decision"], facts["log"])
        fits = about == (commitment, proof_hash(self.sender), "accepted", self.log)
        _need(fits, Refused("commitment", "The acknowledgement is about another message."))
        names = ("process", "subject", "type", "source", "recipient", "sequence", "grant")
        says = {"acknowledgement": _hash(compact), "time": facts["received"], "ruleset": facts["ruleset"]}
        says |= {"activity": envelope["processingactivity"], **{name: envelope[name] for name in names}}
        self._same(leaf, "message.accepted", commitment, says)
        return facts

    def _spoken(self, commitment: bytes, acknowledged: dict[str, Any]) -> str:
        """Check the sender's proof; return how a learner was seen to stand for it, or an empty text."""
        self.used.clear()
        signer, _ = self._signed(self.sender["jws"], acknowledged["received"], detached=commitment)
        kind, seen = self.sender["kind"], ""
        if kind == "signature":
            fits = self.sender.keys() == _SENDER and signer == self.envelope["source"]
        else:
            seen = "id_token" if "token" in self.sender else "statement"
            fits = self.sender.keys() == _LOGIN | {"token" if seen == "id_token" else seen}
            fits = fits and kind == "authentication" and self.envelope["source"] == self.envelope["subject"]
            fits = fits and signer == self.sender["portal"] and signer != self.platform
        _need(fits, Refused("sender", "It is not signed by its source, or by the portal that it names."))
        if seen:
            nonce = self._token(acknowledged) if seen == "id_token" else self._statement(acknowledged)
            fresh = nonce == b64(sha256(commitment))
            _need(fresh, Refused("authentication", "The learner authenticated for another message."))
        own, stated = str(jws_header(self.doc["acknowledgement"]).get("kid")), acknowledged["keys"]
        good = all(kid == own or type(stated.get(kid)) is int for kid in self.used)
        _need(good, Refused("keys", "The acknowledgement does not state that the sender's keys were good."))
        self.used.add(own)
        return seen

    def _token(self, acknowledged: dict[str, Any]) -> object:
        """Return the nonce of the id_token, which neither the portal nor the platform may have made."""
        token, others = self.sender["token"], {self.sender["portal"], self.platform}
        provider, claims = self._signed(token, acknowledged["received"], use="id_token")
        fits = provider not in others and _hash(token) == self.sender["tokenhash"]
        _need(fits, Refused("authentication", "The id_token is another one, or made by the portal or the platform."))
        return claims["nonce"]

    def _statement(self, acknowledged: dict[str, Any]) -> object:
        """Return the nonce that the platform saw. No hash covers this signature, so its s must be the lower one."""
        compact = self.sender["statement"]
        holder, facts = self._signed(compact, acknowledged["received"], "wissel-statement")
        fits = holder == self.platform and int.from_bytes(unb64(compact.split(".")[2])[32:]) <= _ORDER // 2
        _need(fits, Refused("authentication", "The statement of what was seen is not the platform's."))
        return facts["nonce"]

    def _answered(self, commitment: str, leaf: dict[str, Any], received: str) -> None:
        """Check the receipt, or the platform's word that none came, as of the moment at which the log took it in."""
        name, outcomes = ("receipt", ("accepted", "rejected")) if self.delivered else ("undelivered", ("undelivered",))
        compact, recipient = self.doc[name], self.envelope["recipient"]
        holder, facts = self._signed(compact, leaf["time"], f"wissel-{name}")
        fits = holder == (recipient if self.delivered else self.platform)
        if self.delivered and recipient.startswith(LEARNER):  # her vault's provider or her portal signs for her
            fits = holder not in {self.platform, self.envelope["source"]}
        _need(fits, Refused("receipt", "The receipt is not signed by the receiver."))
        fits = facts["acknowledgement"] == _hash(self.doc["acknowledgement"]) and facts["outcome"] in outcomes
        _need(fits, Refused("receipt", "The receipt is about another message, or its outcome is not final."))
        sent, signed, taken = map(_moment, (received, facts["time"], leaf["time"]))
        fits = sent <= taken and sent - CLOCKS <= signed <= taken + CLOCKS
        _need(fits, Refused("receipt-time", "The receipt was signed before the message came, or after it was taken."))
        event = "message.receipted" if self.delivered else "message.undelivered"
        says = {"process": self.envelope["process"], "type": self.envelope["type"], "outcome": facts["outcome"]}
        self._same(leaf, event, commitment, {**says, "receipt": _hash(compact)})

    def _same(self, leaf: Mapping[str, Any], event: str, commitment: str, says: Mapping[str, Any]) -> None:
        also = {"event": event, "commitment": commitment, "message": self.envelope["id"]}
        for name, value in {**also, **says}.items():
            _need(leaf.get(name) == value, Refused("leaf", f"The log says something else about this message ({name})."))


def _base(origin: str) -> str:
    """Return the name that a log shares with its successors: `x/2` goes on where `x` was closed."""
    match = _EARLIER.fullmatch(origin)
    return match[1] if match else origin


def _moment(text: str) -> datetime:
    _need(_MOMENT.fullmatch(text), Refused("form", "A moment is not RFC 3339 in UTC with milliseconds."))
    return datetime.fromisoformat(text)


def read_revocations(note: str, trust: Trust) -> dict[str, str]:
    """Return kid -> moment of a signed list of revoked keys. Raises Refused."""
    kind, origin, _, *lines = [*_split_note(note)[0].removesuffix("\n").split("\n"), "", ""]
    ours = kind == REVOCATIONS and origin in trust.logs
    _need(ours, Refused("revocations", "This is no list of revoked keys of a trusted log."))
    check_note(note, trust.logs[origin])
    found = [match for match in map(_REVOKED.fullmatch, lines) if match and _MOMENT.fullmatch(match[2])]
    whole = len(found) + 2 == len(lines) and len({match[1] for match in found}) == len(found)
    _need(whole, Refused("revocations", "A line of the list of revoked keys is not a key and a moment."))
    return {match[1]: match[2] for match in found}


# --- files -------------------------------------------------------------------------------------------------


def open_copy(data: bytes, private_jwk: Mapping[str, Any] | None) -> bytes:
    """Return the afschrift in a file: opened when it is sealed (a compact JWE), else as it is."""
    if data[:1] == b"{":
        return data
    sealed = data.isascii() and data.count(b".") == 4
    _need(sealed, Refused("jwe", "It is neither an afschrift nor a sealed one."))
    if private_jwk is None:
        raise Refused("no-key", "It is sealed, and there is no key to open it with. Give --key.")
    return open_jwe(data.decode(), private_jwk)


def verify_file(file: Path, args: argparse.Namespace) -> Verdict:
    """Check one file with the owner's keys beside its vault, or with what was given."""
    keys = file.resolve().parent.parent / "keys"
    key, trusted = args.key or keys / "seal.json", args.trust or keys / "trust.json"
    try:
        _need(file.is_file(), Refused("file", "There is no such file."))
        _need(trusted.is_file(), Refused("trust", f"There is no trust file {trusted}. Give --trust."))
        trust = read_trust(trusted.read_bytes())
        revoked = read_revocations(args.revocations.read_bytes().decode(), trust) if args.revocations else {}
        jwk = parse_json(key.read_bytes()) if args.key or key.exists() else None
        document = open_copy(file.read_bytes(), jwk)
        verdict = verify(document, trust, revoked)
        if verdict.ok and args.file:
            data = args.file.read_bytes()
            plain = open_copy(data, jwk) if data[:2] == b"ey" else data  # as a sealed one begins: base64url of {"
            _need(
                names(parse(document).get("payload"), plain),
                Refused("file-unnamed", "It names no file of these bytes."),
            )
    except Refused as error:
        return Verdict(ok=False, reason=error.sentence, code=error.code)
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        return Verdict(ok=False, reason=f"A file cannot be read: {error}", code="file")
    return verdict


def names(payload: Any, data: bytes) -> bool:
    """Tell whether a payload names a file of these very bytes, by their SHA-256 and size."""
    if isinstance(payload, dict) and (payload.get("sha256"), payload.get("size")) == (b64(sha256(data)), len(data)):
        return True
    inner = payload.values() if isinstance(payload, dict) else payload if isinstance(payload, list) else ()
    return any(names(each, data) for each in inner)


def main(argv: Sequence[str]) -> int:
    """Check files; print `yes`, `yes, not witnessed` or the first reason for no. Return 0 when all are yes."""
    parser = argparse.ArgumentParser(prog="wissel verify", description="Check afschriften offline.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    for name in ("--trust", "--key", "--revocations", "--file"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--witnessed", action="store_true", help="no unless the quorum of witnesses signed")
    args = parser.parse_args([f"./{word}" if _COPY.fullmatch(word) else word for word in argv])
    good = True
    for file in args.files:
        verdict = verify_file(file, args)
        good = good and verdict.ok and (verdict.witnessed or not args.witnessed)
        print(f"{file}: {_said(verdict)}")  # noqa: T201 - its answer
    return 0 if good else 1


def _said(verdict: Verdict) -> str:
    """Return the answer as a line: yes and what was seen, or the first reason for no."""
    if not verdict.ok:
        return f"no: {verdict.reason} [{verdict.code}]"
    more = {"id_token": ["she authenticated"], "statement": ["the platform states that she authenticated"]}
    seen = [*more.get(verdict.seen, []), *(f"signed by an {note}" for note in verdict.notes)]
    return ("yes" if verdict.witnessed else "yes, not witnessed") + (f" ({'; '.join(seen)})" if seen else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION: Final = "nl.wissel.afschrift.v1"
LEARNER: Final = "urn:wissel:learner:"
INTEGER_MAX: Final = 2**53 - 1  # RFC 8785 numbers are IEEE 754 doubles; beyond this they are not exact
DEPTH_MAX: Final = 40
BYTES_MAX: Final = 16 * 1024 * 1024
LEEWAY_S: Final = 300  # between the identity provider's clock and the platform's
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_VKEY: Final = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", re.ASCII)
_SIGNATURE: Final = re.compile(r"\u2014 ([^\s+]+) (\S+)")
REVOCATIONS: Final = "wissel-revocations/v1"
_ENVELOPE: Final = frozenset(
    "id type source recipient subject time process sequence purpose legalground controller processingactivity "
    "grant dataclass enddate log specversion sequencetype datacontenttype".split()
)
_FIXED: Final = {"specversion": "1.0", "sequencetype": "Integer", "datacontenttype": "application/json"}
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


class Refused(Exception):  # noqa: N818 - it is an answer as much as an error
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
        numbers = ec.EllipticCurvePublicNumbers(*map(int.from_bytes, point), ec.SECP256R1())
        return numbers.public_key()
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


def check_jws(
    compact: str, jwk: Mapping[str, Any], detached: bytes | None = None
) -> tuple[dict[str, Any], bytes]:
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


@dataclass(frozen=True)
class Trust:
    """What a verifier trusts beforehand: log origins with their vkeys, witnesses' vkeys, and the quorum."""

    logs: Mapping[str, str]
    witnesses: Sequence[str] = ()
    quorum: int = 1

"""Pure: how a text may be written down, and what looks like something that a person or program can read."""

import base64
import json
from typing import Final
from urllib.parse import quote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from wissel.platform.forgetting.words import NONCE_BYTES, TAG_BYTES

TEXT_BYTES_MIN: Final = 8
_FIRST_BLOCK: Final = (2).to_bytes(4)  # AES-GCM with a 96-bit nonce enciphers from counter 2 (SP 800-38D section 7.1)


def forms(marker: str) -> dict[str, bytes]:
    """Return the byte strings under which `marker` could lie in a file, by the name of the form."""
    raw = marker.encode()
    found = {
        "plain": raw,
        "utf-16": marker.encode("utf-16-le"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "percent": quote(marker, safe="").encode(),
        "json": json.dumps(marker)[1:-1].encode(),
        "json-utf8": json.dumps(marker, ensure_ascii=False)[1:-1].encode(),
    }
    for offset in range(3):
        # What stands before and after it decides the outer characters; the inner ones are always the same.
        start, end = (0, 2, 3)[offset], (len(raw) + offset) * 8 // 6
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            found[f"{name}+{offset}"] = encode(bytes(offset) + raw)[start:end]
    return found


def decipher(secret: bytes, sealed: bytes) -> bytes:
    """Return what AES-256-GCM would give, whatever the associated data and the tag: counter mode alone."""
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        return b""
    stream = Cipher(AES(secret), CTR(sealed[:NONCE_BYTES] + _FIRST_BLOCK)).decryptor()
    return stream.update(sealed[NONCE_BYTES:-TAG_BYTES])


def authentic(secret: bytes, sealed: bytes, places: list[str]) -> bytes | None:
    """Return what opens with its tag at one of `places`, None when nothing does."""
    aead = AESGCM(secret)
    for place in places:
        try:
            return aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            continue  # not this one
    return None


def legible(plain: bytes) -> bool:
    """Return whether bytes are text: UTF-8 with hardly anything unprintable. Chance makes 8 such bytes 1 in 2,000."""
    try:
        text = plain.decode()
    except UnicodeDecodeError:
        return False
    printable = sum(character.isprintable() or character in "\r\n\t" for character in text)
    return len(plain) >= TEXT_BYTES_MIN and printable >= 0.95 * len(text)

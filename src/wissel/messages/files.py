"""Files that travel beside a message, sealed by its sender: how a payload names one, and what a receiver holds it to.

A file is sealed once to the receiver and once to the learner (a compact JWE each, ECDH-ES with A256GCM) and uploaded
before the message (architecture section 4). The platform carries the JWE and cannot open it.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

from wissel.messages.fields import Digest, Line, Payload
from wissel.messages.verify import b64, sha256

FILE_BYTES_MAX: Final = 10_485_760  # 10 MiB of the file itself
JWE_BYTES_MAX: Final = 14_000_000  # its JWE: base64url makes four bytes of three, and there is a header
SCAN_KEPT: Final = timedelta(hours=24)  # after she was verified: keep the result and the kind of document only
SCAN_KEPT_MAX: Final = timedelta(weeks=4)  # after it was sent (domain/enrolment-rules.md section 7, end dates)

FileKind = Literal["photo", "identityscan", "diploma", "transcript", "other"]
MediaType = Literal["application/pdf", "image/jpeg", "image/png"]

_BEGINS: Final[Mapping[str, bytes]] = {
    "application/pdf": b"%PDF-",  # ISO 32000-1 section 7.5.2
    "image/jpeg": b"\xff\xd8\xff",  # ITU-T T.81 annex B
    "image/png": b"\x89PNG\r\n\x1a\n",  # W3C PNG section 5.2
}


class FileRef(Payload, frozen=True, kw_only=True):
    """A file that travels beside the message.

    `sha256` and `size` are of the file itself, `name` is what people see. `sealed` is the SHA-256 of the JWE to the
    receiver, by which it is fetched; `copy` that of the JWE to the learner: empty when she is the receiver. A scan of
    an identity document ends 24 hours after the learner was verified, everywhere but with herself.
    """

    kind: FileKind
    name: Line
    mediatype: MediaType
    size: Annotated[int, msgspec.Meta(ge=1, le=FILE_BYTES_MAX)]
    sha256: Digest
    sealed: Digest
    copy: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]{43})?$(?!\n)")] = ""

    @property
    def special(self) -> bool:
        """Tell whether it has a key and an end of its own: a scan shows a face and a national number."""
        return self.kind == "identityscan"


class Named(NamedTuple):
    """A file that a payload names, and the JSON pointer of where it does."""

    pointer: str
    ref: FileRef


def named_in(payload: Any, pointer: str = "/data") -> Iterator[Named]:
    """Yield every file that a decoded payload names, in order."""
    if isinstance(payload, FileRef):
        yield Named(pointer, payload)
    elif isinstance(payload, msgspec.Struct):
        for field in payload.__struct_fields__:
            yield from named_in(getattr(payload, field), f"{pointer}/{field}")
    elif isinstance(payload, tuple):
        for number, item in enumerate(payload):
            yield from named_in(item, f"{pointer}/{number}")


def misfit(ref: FileRef, plain: bytes) -> str:
    """Return why these bytes are not the file that `ref` names, a stable word; an empty text when they are.

    What it begins with must fit its media type: no receiver opens a program that calls itself a photo.
    """
    if len(plain) != ref.size:
        return "file-size"
    if b64(sha256(plain)) != ref.sha256:
        return "file-hash"
    return "" if plain.startswith(_BEGINS[ref.mediatype]) else "file-type"

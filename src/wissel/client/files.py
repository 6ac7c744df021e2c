"""Seal a file to the receiver and to the learner, and name it in a payload.

attached = attach(photo, kind="photo", name="Pasfoto", mediatype="image/jpeg", to=college_jwk, learner=her_jwk, …)
payload = EnrolmentRequested(…, files=(attached.ref,))
await outbox.keep(submission, now, attached.sealed)      # uploads them before the message, and again when it must
"""

from collections.abc import Mapping
from typing import NamedTuple

from wissel.client.errors import NotComposed
from wissel.core.entropy import Entropy
from wissel.messages.envelope import Envelope
from wissel.messages.files import FILE_BYTES_MAX, FileKind, FileRef, MediaType, misfit
from wissel.messages.jose import Sealer
from wissel.messages.verify import b64, sha256


class SealedFile(NamedTuple):
    """One sealed form of a file, as it is uploaded. `hers`: it is sealed to the learner, else to the receiver."""

    hash: str
    jwe: bytes
    hers: bool
    special: bool

    def recipient(self, envelope: Envelope) -> str:
        """Return whom it is for, when this message names it."""
        return envelope.subject if self.hers else envelope.recipient


class Attached(NamedTuple):
    """A file as the payload names it, and its sealed forms."""

    ref: FileRef
    sealed: tuple[SealedFile, ...]


def attach(
    data: bytes,
    *,
    kind: FileKind,
    name: str,
    mediatype: MediaType,
    to: Mapping[str, str],
    learner: Mapping[str, str] | None,
    entropy: Entropy,
) -> Attached:
    """Seal a file. `to` is the receiver's public sealing JWK, `learner` hers: None if she receives it.

    Raises NotComposed for bytes that no receiver would take: empty, over 10 MiB, or of another media type.
    """
    digest = b64(sha256(data))
    first = Sealer.new(to, entropy).seal(data, entropy).encode()
    second = Sealer.new(learner, entropy).seal(data, entropy).encode() if learner else b""
    ref = FileRef(
        kind=kind,
        name=name,
        mediatype=mediatype,
        size=len(data),
        sha256=digest,
        sealed=b64(sha256(first)),
        copy=b64(sha256(second)) if second else "",
    )
    if not 0 < len(data) <= FILE_BYTES_MAX or misfit(ref, data):
        raise NotComposed("A file has 1 byte to 10 MiB, and is the PDF, JPEG or PNG that it says it is.", field="data")
    forms = [SealedFile(ref.sealed, first, hers=False, special=ref.special)]
    if second:
        forms.append(SealedFile(ref.copy, second, hers=True, special=ref.special))
    return Attached(ref, tuple(forms))

"""What a fictitious learner shows: small real files that say of themselves that they are invented.

A photo always; a scan of an identity document where the register cannot tell who she is; a foreign diploma as it is.
"""

import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from wissel.client.files import Attached, SealedFile, attach
from wissel.core.entropy import Entropy
from wissel.messages.enrolment import EnrolmentRequested
from wissel.messages.files import FileKind, MediaType

_SIZE: Final = 32  # pixels, both ways
_BLACK, _WHITE = b"\x00", b"\xe0"


class Readers(NamedTuple):
    """To whom papers are sealed: public JWKs of the institution and of the learner."""

    institution: Mapping[str, str]
    learner: Mapping[str, str]


def with_papers(
    request: EnrolmentRequested, readers: Readers, entropy: Entropy, *, scan: bool
) -> tuple[EnrolmentRequested, tuple[SealedFile, ...]]:
    """Return the request with the papers that she adds, and these sealed."""
    person = request.person
    name = " ".join(part for part in (person.givennames, person.prefix, person.surname) if part)

    def paper(kind: FileKind, title: str, mediatype: MediaType, data: bytes) -> Attached:
        to, learner = readers
        return attach(data, kind=kind, name=title, mediatype=mediatype, to=to, learner=learner, entropy=entropy)

    files = [paper("photo", "Pasfoto", "image/png", png(f"Verzonnen pasfoto van {name}"))]
    if scan:
        data = pdf(f"Verzonnen identiteitsbewijs van {name}")
        files.append(paper("identityscan", "Identiteitsbewijs", "application/pdf", data))
    shown = [
        paper("diploma", each.name, "application/pdf", pdf(f"Verzonnen diploma {each.name} van {name}"))
        for each in request.foreigndiplomas
    ]
    diplomas = tuple(
        msgspec.structs.replace(each, file=paper.ref)
        for each, paper in zip(request.foreigndiplomas, shown, strict=True)
    )
    named = msgspec.structs.replace(request, files=tuple(each.ref for each in files), foreigndiplomas=diplomas)
    return named, tuple(form for each in (*files, *shown) for form in each.sealed)


def png(text: str) -> bytes:
    """Return a picture of nobody, with `text` as its comment (W3C PNG, section 11)."""
    head = _SIZE.to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])  # 8 bits of grey
    lines = b"".join(b"\x00" + b"".join(_dot(x, y) for x in range(_SIZE)) for y in range(_SIZE))
    comment = b"Comment\x00" + text.encode("latin-1", "replace")
    chunks = ((b"IHDR", head), (b"tEXt", comment), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _dot(x: int, y: int) -> bytes:
    """Draw a head and shoulders."""
    middle = _SIZE // 2
    head = (x - middle) ** 2 + (y - 11) ** 2 < 49  # noqa: PLR2004 - seven pixels from its middle
    shoulders = (x - middle) ** 2 + (y - _SIZE) ** 2 < 144  # noqa: PLR2004 - twelve
    return _BLACK if head or shoulders else _WHITE


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def pdf(text: str) -> bytes:
    """Return one page with one line of text (ISO 32000-1 section 7.5)."""
    said = text.encode("latin-1", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    stream = b"BT /F1 14 Tf 40 780 Td (" + said + b") Tj ET"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    )
    made, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    count, begin = len(objects) + 1, len(made)
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, rows)
    return made + table + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, begin)

"""How a payload names files, and what makes bytes the file that it names."""

from typing import Any

import msgspec
import pytest

from wissel.messages.catalogue import Malformed, decode
from wissel.messages.enrolment import EnrolmentConfirmed, EnrolmentRequested, ForeignDiploma
from wissel.messages.files import FILE_BYTES_MAX, FileRef, MediaType, misfit, named_in
from wissel.messages.identity import Address, Person
from wissel.messages.payments import PaymentChoice
from wissel.messages.verify import b64, sha256

BEGINS: dict[MediaType, bytes] = {
    "application/pdf": b"%PDF-1.7 x",
    "image/png": b"\x89PNG\r\n\x1a\n x",
    "image/jpeg": b"\xff\xd8\xff\xe0 x",
}


def named(data: bytes = BEGINS["image/png"], **more: Any) -> FileRef:
    fields = {
        "kind": "photo",
        "name": "Pasfoto",
        "mediatype": "image/png",
        "size": len(data),
        "sha256": b64(sha256(data)),
        "sealed": "S" * 43,
        "copy": "C" * 43,
        **more,
    }
    return msgspec.convert(fields, FileRef)


def request(*files: FileRef, diploma: FileRef | None = None) -> EnrolmentRequested:
    return EnrolmentRequested(
        studyyear="2026-27",
        programme="34401",
        form="fulltime",
        start="2026-09-01",
        person=Person(
            givennames="Noor",
            surname="Voorbeeld",
            birthdate="2007-03-01",
            address=Address(street="Dorpsstraat", number="1", postcode="1234 AB", city="Ergens", country="NL"),
            nationality="NL",
            email="noor@example.org",
        ),
        payment=PaymentChoice(way="once", iban="NL00BANK0123456789", holder="N. Voorbeeld"),
        files=files,
        foreigndiplomas=(
            ForeignDiploma(name="Test", country="BR", language="por", year=2025, school="School", file=diploma),
        ),
    )


def test_every_file_of_a_payload_is_found_with_its_pointer() -> None:
    photo, paper = named(), named(kind="diploma")
    assert [each.pointer for each in named_in(request(photo, photo, diploma=paper))] == [
        "/data/foreigndiplomas/0/file",
        "/data/files/0",
        "/data/files/1",
    ]
    assert [each.ref.kind for each in named_in(request(photo, diploma=paper))] == ["diploma", "photo"]
    assert list(named_in(request())) == []
    assert "file" in {field.name for field in msgspec.structs.fields(EnrolmentConfirmed)}


@pytest.mark.parametrize("mediatype", list(BEGINS))
def test_a_file_is_what_it_begins_with(mediatype: MediaType) -> None:
    for kind, data in BEGINS.items():
        assert misfit(named(data, mediatype=mediatype), data) == ("" if kind == mediatype else "file-type")


def test_other_bytes_are_another_file() -> None:
    data = BEGINS["image/png"]
    assert misfit(named(), data + b"!") == "file-size"
    assert misfit(named(), data[:-1] + b"!") == "file-hash"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", 0),
        ("size", FILE_BYTES_MAX + 1),
        ("kind", "virus"),
        ("mediatype", "text/html"),
        ("mediatype", "image/svg+xml"),
        ("sha256", "short"),
        ("sealed", ""),
        ("copy", "short"),
        ("name", ""),
        ("path", "../x"),
    ],
)
def test_a_file_is_named_whole_and_within_limits(field: str, value: object) -> None:
    payload = msgspec.to_builtins(request(named()))
    payload["files"][0][field] = value
    with pytest.raises(Malformed) as caught:
        decode("nl.wissel.enrolment.requested.v1", msgspec.json.encode(payload))
    assert caught.value.field.startswith("/data/files/0")


def test_six_files_are_one_too_many() -> None:
    payload = msgspec.to_builtins(request(*(named() for _ in range(6))))
    with pytest.raises(Malformed) as caught:
        decode("nl.wissel.enrolment.requested.v1", msgspec.json.encode(payload))
    assert caught.value.field == "/data/files"

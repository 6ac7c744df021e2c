import re
from datetime import date
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from scripts.docs_enrolment import DOCS, pages

from wissel.messages.catalogue import CATALOGUE, Malformed, MessageType, Unknown, decode, longest, lookup
from wissel.messages.envelope import Envelope
from wissel.messages.participant import Role

ROWS = sorted(CATALOGUE.values(), key=lambda row: row.type)
TYPE = re.compile(r"^nl\.wissel\.[a-z]+(\.[a-z]+)+\.v[0-9]+$")


@pytest.fixture(params=ROWS, ids=lambda row: row.type)
def row(request: pytest.FixtureRequest) -> MessageType:
    found = request.param
    assert isinstance(found, MessageType)
    return found


def test_a_row_is_whole(row: MessageType) -> None:
    assert TYPE.match(row.type)
    assert set(row.senders) | {row.recipient} <= {*get_args(Role), "learner"}
    assert row.recipient not in row.senders
    assert row.ground
    assert row.activity.startswith("urn:wissel:activity:")
    assert row.term.days > 0
    assert set(row.apart) <= set(row.payload.__struct_fields__)
    assert row.payload.__doc__


def test_what_a_row_says_fits_the_envelope(row: MessageType) -> None:
    fields = {"purpose": row.purpose, "legalground": row.ground, "processingactivity": row.activity}
    for each in msgspec.structs.fields(Envelope):
        if each.name in fields:
            msgspec.convert(fields[each.name], each.type)


def test_special_data_has_the_shortest_life_of_its_kind() -> None:
    longest_special = max(row.term.days for row in ROWS if row.dataclass == "special")
    assert longest_special <= 365
    assert all(row.term.after == "sent" for row in ROWS if row.dataclass == "special")


def test_national_numbers_always_travel_apart_and_only_where_the_law_lets_them() -> None:
    for row in ROWS:
        has = "bsn" in row.payload.__struct_fields__
        assert has == ("bsn" in row.apart)
        if has:
            assert {*row.senders, row.recipient} <= {"learner", "institution", "platform", "duo"}


def _open_ends(schema: Any, path: str) -> list[str]:
    """Return every string, array and integer of a schema that has no limit."""
    found: list[str] = []
    if isinstance(schema, dict):
        kind = schema.get("type")
        limited = {"enum", "const"} & schema.keys()
        if kind == "string" and not limited and not {"pattern", "maxLength"} & schema.keys():
            found.append(path)
        if kind == "array" and "maxItems" not in schema and "prefixItems" not in schema:
            found.append(path)
        if kind == "integer" and not limited and not {"minimum", "maximum"} <= schema.keys():
            found.append(path)
        if kind == "object" and "properties" in schema and schema.get("additionalProperties") is not False:
            found.append(path)
        for name, each in schema.items():
            found += _open_ends(each, f"{path}/{name}")
    elif isinstance(schema, list):
        for number, each in enumerate(schema):
            found += _open_ends(each, f"{path}/{number}")
    return found


def test_every_string_list_and_number_has_a_limit_and_no_unknown_field_passes(row: MessageType) -> None:
    assert _open_ends(msgspec.json.schema(row.payload), "") == []


def test_no_pattern_is_open_ended(row: MessageType) -> None:
    text = msgspec.json.encode(msgspec.json.schema(row.payload)).decode()
    for pattern in re.findall(r'"pattern":"((?:[^"\\]|\\.)*)"', text):
        assert pattern.startswith("^")
        assert pattern.endswith(r"$(?!\\n)"), "`$` alone lets a line end through"


def test_the_type_of_nothing_is_refused() -> None:
    with pytest.raises(Unknown, match=r"docs/messages\.md"):
        lookup("nl.wissel.tea.served.v1")
    with pytest.raises(Unknown):
        decode("nl.wissel.tea.served.v1", b"{}")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b'{"bsn":"99999001","birthdate":"2000-01-01"}', "/data/bsn"),
        (b'{"bsn":"999990019","birthdate":"2000-01-01","name":"Marker"}', "/data"),
        (b'{"bsn":"999990019"}', "/data"),
        (b'["999990019"]', "/data"),
        (b"{", "/data"),
        (b'{"bsn":"\xff","birthdate":"2000-01-01"}', "/data"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_with_its_field_and_without_its_value(data: bytes, field: str) -> None:
    with pytest.raises(Malformed) as refused:
        decode("nl.wissel.education.asked.v1", data)
    assert refused.value.field == field
    assert "999990" not in refused.value.sentence
    assert "Marker" not in refused.value.sentence


def test_a_nested_field_is_named_by_its_pointer() -> None:
    data = b'{"diplomas":[{"kind":"havo","name":"Havo","day":"2025","school":"X"}]}'
    with pytest.raises(Malformed) as refused:
        decode("nl.wissel.education.answered.v1", data)
    assert refused.value.field == "/data/diplomas/0/day"


@pytest.mark.parametrize(
    "data",
    [
        b'{"decision":"refused","role":"board"}',
        b'{"decision":"refused","role":"board","ground":"education","text":"No."}',
        b'{"decision":"conditional","role":"board"}',
        b'{"decision":"refused","role":"board","ground":"Marker","text":"No."}',
        b'{"decision":"admitted","role":"board","Marker":"education"}',
    ],
)
def test_an_admission_decision_that_the_law_calls_incomplete_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        decode("nl.wissel.admission.decided.v1", data)
    assert "Marker" not in refused.value.sentence + refused.value.field


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "2026-00-10", "9999-12-31", "0001-01-01"])
def test_a_day_that_does_not_exist_is_refused(day: str) -> None:
    with pytest.raises(Malformed):
        decode("nl.wissel.education.asked.v1", b'{"bsn":"999990019","birthdate":"%s"}' % day.encode())


def test_the_longest_end_date_of_a_request_is_six_weeks_after_its_study_year() -> None:
    requested = lookup("nl.wissel.enrolment.requested.v1")
    assert longest(requested, date(2026, 4, 15)) == date(2027, 10, 12)
    assert longest(requested, date(2026, 10, 1)) == date(2028, 10, 12)
    assert longest(requested, date(2026, 10, 1), "2026-27") == date(2027, 10, 12)
    assert longest(requested, date(2026, 4, 15), "2099-00") == date(2027, 10, 12), "a far year lengthens nothing"


def test_the_longest_end_date_of_a_question_is_thirty_days_after_it_was_sent() -> None:
    assert longest(lookup("nl.wissel.identity.asked.v1"), date(2026, 4, 15)) == date(2026, 5, 15)


def test_no_type_lives_for_ever(row: MessageType) -> None:
    assert longest(row, date(2026, 4, 15)) <= date(2029, 8, 31)


def test_the_pages_made_from_the_catalogue_are_current() -> None:
    made = pages()
    stale = [str(path.relative_to(DOCS)) for path, text in made.items() if _read(path) != text]
    assert stale == [], "run `make docs`"
    assert set((DOCS / "schemas").glob("nl.wissel.*.json")) <= set(made), "run `make docs`"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""

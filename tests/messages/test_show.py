"""What a person reads of an afschrift: all of it, in her language, and nothing that could fool her or her terminal."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.messages.evidence import TRUTHS, Case, truth

from wissel.messages.catalogue import CATALOGUE
from wissel.messages.show import as_html, as_text
from wissel.messages.verify import Refused, canonical
from wissel.messages.wording import CODED, LABELS, MONEY, MONTHS, PURPOSES, TEXTS, TITLES, WORDS

EVERY: Final = sorted(TRUTHS)
FORMS: Final = [(as_text, "nl"), (as_text, "en"), (as_html, "nl"), (as_html, "en")]
MISCHIEF: Final = {
    "text": "<script>alert(1)</script>\u001b[2Jgone\u202eesrever\u0000",
    '"><img src=x onerror=y>': "</dd><h1>No</h1>",
    "title": "{{ 7 * 7 }}{% raw %}",
}


class Page(HTMLParser):
    """Collects the tags, the addresses and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in {"src", "href", "action", "srcset"}]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] != "style":
            self.said.append(data)


def types_in(kind: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every (field name, type) inside a msgspec type."""
    yield name, kind
    if isinstance(kind, msgspec.inspect.StructType):
        for inner in kind.fields:
            yield from types_in(inner.type, inner.encode_name)
    for part in ("types", "item_types"):
        for inner in getattr(kind, part, ()):
            yield from types_in(inner, name)
    item = getattr(kind, "item_type", None)
    if item is not None:
        yield from types_in(item, name)


FIELDS: Final = [pair for row in CATALOGUE.values() for pair in types_in(msgspec.inspect.type_info(row.payload))]


def test_every_message_type_has_a_title_and_no_other_has() -> None:
    assert TITLES.keys() == CATALOGUE.keys()


def test_every_purpose_is_said_in_dutch_and_no_other() -> None:
    assert PURPOSES.keys() == {row.purpose for row in CATALOGUE.values()}
    assert "de student iets over de inschrijving laten weten" in as_text(truth(EVERY[-1]))
    assert "to tell the learner" in as_text(truth(EVERY[-1]), "en")


def test_content_is_told_in_the_order_of_its_type() -> None:
    said = as_text(Case(payload={"zzz": "last", "concerns": "third", "text": "second", "title": "first"}).build())
    assert sorted(("first", "second", "third", "last"), key=said.index) == ["first", "second", "third", "last"]


def test_long_items_of_a_list_stand_on_their_own_lines() -> None:
    rights = ["deelname aan het onderwijs (WHW 7.34)", "gebruik van voorzieningen voor studenten"]
    said = [line.strip() for line in as_text(Case(payload={"rights": rights}).build()).split("\n")]
    assert rights[1] in said


def test_every_field_of_every_payload_has_a_label_and_no_other_has() -> None:
    assert {name for name, _ in FIELDS if name} == LABELS.keys()


def test_every_coded_value_has_words_or_speaks_dutch_itself() -> None:
    """eduID's own words for how an identity was verified are names."""
    own = {"Decentraal", "Geverifieerd", "Ongeverifieerd", "Verifai"}
    coded = {
        (name, value)
        for name, kind in FIELDS
        if isinstance(kind, msgspec.inspect.LiteralType)
        for value in kind.values
        if value not in own
    }
    assert {name for name, _ in coded} <= CODED
    assert not [pair for pair in coded if f"{pair[0]}={pair[1]}" not in WORDS and pair[1] not in WORDS]


def test_both_languages_say_the_same_things() -> None:
    for table in (TEXTS, TITLES, LABELS, WORDS):
        for name, (dutch, english) in table.items():
            assert dutch.strip(), name
            assert english.strip(), name
            assert dutch.count("{") == english.count("{"), name
    assert [len(MONTHS[language].split()) for language in ("nl", "en")] == [12, 12]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(("render", "language"), FORMS)
def test_every_form_of_an_afschrift_can_be_read(name: str, render: Any, language: str) -> None:
    said = render(truth(name), language)
    index = ("nl", "en").index(language)
    for text in ("content", "signatures", "proof", "unchecked"):
        assert TEXTS[text][index] in said
    assert TEXTS["undelivered" if name == "not delivered" else "accepted"][index] in said


def test_dutch_readers_get_dutch_time_and_words() -> None:
    said = as_text(truth("learner by id_token, ES256"))
    assert "Verzoek ingetrokken" in said
    assert "15 april 2026 om 9.00 uur" in said  # 07:00 UTC
    assert "14 juli 2026" in said
    assert "de student, door in te loggen, via portal" in said
    assert "een andere studie €" in said


def test_amounts_days_yes_and_coded_words_are_said_in_the_readers_language() -> None:
    payload = {
        "amount": 260_112,
        "fictitious": True,
        "form": "fulltime",
        "text": "fulltime",
        "gates": [{"gate": "language", "state": "waived", "until": "2026-08-31"}],
        "conditions": ["identity", "payment"],
        "mediatype": "",
        "start": "2026-13-45",
    }
    dutch, english = (as_text(Case(payload=payload).build(), language) for language in ("nl", "en"))
    for words in ("€ 2.601,12", "ja", "voltijd", "taal", "vrijstelling", "31 augustus 2026", "identiteit, betaling"):
        assert words in dutch
    for words in ("€2,601.12", "yes", "full-time", "language", "waived", "31 August 2026", "identity, payment"):
        assert words in english
    assert "fulltime" in dutch  # her own words stay hers
    assert "2026-13-45" in dutch  # no day: shown as it is
    assert "Soort bestand" not in dutch  # empty: not said
    assert "amount" in MONEY


def test_what_was_not_delivered_is_told_by_its_hash_with_reason_and_attempts() -> None:
    found = Case(delivered=False).parts()
    said = as_text(Case(delivered=False).build(), "en")
    assert found["payloadhash"] in said
    assert "full" in said
    assert "Attempts" in said
    assert "roster" not in said


def test_an_adapter_is_named_as_one() -> None:
    assert "adapter for duo" in as_text(truth("through an adapter"))


def test_parties_are_called_as_the_proven_leaves_of_their_keys_call_them() -> None:
    text = as_text(Case(cards={"school": {"organisation": "Hogeschool Noorderlicht\u001b[2J"}}).build())
    assert "Hogeschool Noorderlicht\ufffd[2J (OIN " in text
    assert "\u001b" not in text


def test_witnesses_are_named_or_said_to_be_none() -> None:
    assert "noord.witness, zee.witness" in as_text(truth(EVERY[0]))
    line = next(line for line in as_text(truth("not witnessed")).split("\n") if "Getuigen" in line)
    assert line.split() == ["Getuigen", "geen"]


def test_the_files_of_a_message_are_named_with_their_kind_and_size() -> None:
    ref = {"kind": "identityscan", "name": "Paspoort", "mediatype": "image/jpeg", "size": 2_000, "sha256": "A" * 43}
    dutch, english = (as_text(Case(payload={"files": [ref]}).build(), language) for language in ("nl", "en"))
    for words in ("Bestanden 1", "kopie van een identiteitsbewijs", "Paspoort", "foto (JPEG)", "2000", "A" * 43):
        assert words in dutch
    assert "scan of an identity document" in english


def test_a_long_value_stands_as_its_hash() -> None:
    said = as_text(Case(payload={"document": {"base64": "QUFB" * 90_000}, "name": "x" * 400}).build(), "en")
    assert "file of 270000 bytes, SHA-256 " in said
    assert "400 characters, SHA-256 " in said
    assert "QUFBQUFB" not in said


def test_a_payload_writes_no_page_and_loads_nothing() -> None:
    page = Page(as_html(Case(payload=MISCHIEF).build()))
    assert page.links == []
    assert not {"script", "img", "iframe", "link", "form", "object", "svg"} & set(page.tags)
    assert page.tags.count("h1") == 1
    assert "{{ 7 * 7 }}{% raw %}" in page.said


def test_a_payload_steers_no_terminal_and_turns_no_text_around() -> None:
    for render, language in FORMS:
        said = render(Case(payload=MISCHIEF).build(), language)
        assert not {"\u001b", "\u202e", "\u0000"} & set(said)
        assert "gone" in said


payloads = st.dictionaries(
    st.text(max_size=8) | st.sampled_from([*LABELS]),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=100, deadline=None)
@given(payloads)
def test_whatever_a_payload_holds_is_shown_and_never_an_exception(payload: dict[str, Any]) -> None:
    document = Case(payload=payload, witnesses=0).build()
    for render, language in FORMS:
        assert render(document, language)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"1", b"{ }", canonical({"envelope": {}}), b"\xff"])
@pytest.mark.parametrize("render", [as_html, as_text])
def test_what_is_no_afschrift_is_refused(data: bytes, render: Any) -> None:
    with pytest.raises(Refused):
        render(data)

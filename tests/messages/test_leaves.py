"""Audit entries: canonical, salted, and with the fields of their event only."""

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wissel.messages.leaves import EVENTS, FIELD_CHARS_MAX, SALT_BYTES, EntryUnknown, entry
from wissel.messages.verify import parse, unb64

NOW: Final = datetime(2026, 4, 15, 9, 0, 0, 123_456, tzinfo=UTC)
ALWAYS: Final = {"event", "salt", "span", "time"}
# Words for what a person is called, lives at or is known by elsewhere; no field of any event may be one.
PERSONAL: Final = (
    "name naam birth email mail phone address street postcode bsn pgn eckid eduid pseudonym iban vault url"
)


class Chance:
    """Repeatable bytes."""

    def __init__(self) -> None:
        self._count = 0

    def draw(self, count: int) -> bytes:
        """Return the next bytes; 32 at most."""
        self._count += 1
        return hashlib.sha256(f"leaves/{self._count}".encode()).digest()[:count]


def made(event: str, chance: Chance, **fields: Any) -> dict[str, Any]:
    """Return an entry as it is read back; `parse` holds it to the canonical form."""
    found: dict[str, Any] = parse(entry(event, NOW, chance, **fields))
    return found


@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_every_entry_is_canonical_whatever_stands_in_it(event: str, data: st.DataObject) -> None:
    values = st.text(max_size=30) | st.integers(-(2**53) + 1, 2**53 - 1)
    fields = {name: data.draw(values, label=name) for name in sorted(EVENTS[event].fields)}
    found = made(event, Chance(), **fields)
    said = {name: value for name, value in fields.items() if value != ""}
    assert {name: found[name] for name in said} == said
    assert found.keys() - said.keys() - {"trace", "week"} == ALWAYS
    assert found["event"] == event


def test_the_moment_is_that_of_the_wire() -> None:
    assert made("canary.dead", Chance(), day="2026-04-15")["time"] == "2026-04-15T09:00:00.123Z"


def test_equal_facts_make_different_entries() -> None:
    """16 random bytes of its own, so that nobody guesses an entry from its hash in the public tree."""
    chance = Chance()
    salts = {made("process.settled", chance, process="p")["salt"] for _ in range(50)}
    assert len(salts) == 50
    assert {len(unb64(salt)) for salt in salts} == {SALT_BYTES} == {16}


def test_all_entries_of_a_process_share_its_trace_and_no_other_does() -> None:
    first, again, other = (made("process.settled", Chance(), process=name)["trace"] for name in ("p", "p", "q"))
    assert first == again != other
    assert len(bytes.fromhex(first)) == 16
    assert "trace" not in made("canary.dead", Chance(), day="2026-04-15")


def test_a_field_of_another_event_is_refused_by_name() -> None:
    with pytest.raises(EntryUnknown, match=r"canary\.dead has no field process"):
        made("canary.dead", Chance(), process="p")


def test_an_event_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(EntryUnknown, match=r"learner\.seen is no audit event"):
        made("learner.seen", Chance())


@pytest.mark.parametrize("value", [1.5, True, b"x", ["x"], [], {"a": "b"}, {}, object()])
def test_only_texts_and_whole_numbers_stand_in_an_entry(value: object) -> None:
    with pytest.raises(EntryUnknown, match="a text or a whole number"):
        made("canary.dead", Chance(), day=value)


def test_empty_fields_are_left_out_and_zero_is_not_empty() -> None:
    found = made("key.destroyed", Chance(), process="", reason=None, count=0)
    assert found.keys() == ALWAYS | {"count"}


def test_a_change_of_status_names_its_week_so_that_reports_need_no_person() -> None:
    """Architecture section 7; the Dutch day decides: this Sunday evening in UTC is Monday in Amsterdam."""
    late = datetime(2026, 4, 19, 22, 30, tzinfo=UTC)
    found = parse(entry("status.changed", late, Chance(), old="received", new="admitted"))
    assert found["week"] == "2026-W17"


def test_a_text_is_cut_at_its_limit() -> None:
    assert len(made("process.setaside", Chance(), process="p", reason="x" * 9000)["reason"]) == FIELD_CHARS_MAX


def test_no_event_has_a_field_for_who_a_person_is_elsewhere() -> None:
    fields = set().union(*(event.fields for event in EVENTS.values()))
    assert not [field for field in fields for word in PERSONAL.split() if word in field]


def test_every_event_says_one_sentence() -> None:
    for event in EVENTS.values():
        assert event.sentence[0].isupper()
        assert event.sentence.endswith(".")
        assert event.sentence.count(".") == 1

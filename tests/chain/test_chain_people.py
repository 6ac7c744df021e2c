"""People and steering: the same facts for everybody, and nobody real."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wissel.chain.errors import NotKnown
from wissel.chain.people import NUMBER_MAX, People, eleven_test, read_people
from wissel.chain.steering import FINE, STORIES, conduct

STORY = st.sampled_from(sorted(STORIES))
NUMBER = st.integers(1, NUMBER_MAX)


@given(STORY, NUMBER)
def test_every_partner_finds_the_same_person_by_what_it_knows(story: str, number: int) -> None:
    people = People()
    person = people.get(f"{story.lower()}-{number}")
    assert people.by_bsn(person.bsn) == person
    assert people.by_email(person.email) == person
    assert people.by_name(person.surname, person.birthdate) == person


@given(STORY, NUMBER, STORY, NUMBER)
def test_two_learners_share_no_number(story: str, number: int, other: str, another: int) -> None:
    one, two = People().get(f"{story.lower()}-{number}"), People().get(f"{other.lower()}-{another}")
    if (story, number) != (other, another):
        assert one.bsn != two.bsn
        assert one.iban != two.iban
        assert one.email != two.email


@given(STORY, NUMBER)
def test_a_bsn_is_a_test_number_that_passes_the_eleven_test(story: str, number: int) -> None:
    bsn = People().get(f"{story.lower()}-{number}").bsn
    assert bsn.startswith("9999")
    assert eleven_test(bsn)
    assert not eleven_test(bsn[:-1] + str((int(bsn[-1]) + 1) % 10))


def test_the_eleven_test_knows_a_published_example() -> None:
    assert eleven_test("123456782")
    assert not eleven_test("123456789")
    assert not eleven_test("12345678")
    assert not eleven_test("12345678x")


def test_an_iban_has_right_check_digits() -> None:
    iban = People().get("everything-fine-3").iban
    assert int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


@pytest.mark.parametrize("ref", ["nobody", "everything-fine-0", f"everything-fine-{NUMBER_MAX + 1}", ""])
def test_a_name_that_nobody_has_is_refused_with_the_names_that_exist(ref: str) -> None:
    with pytest.raises(NotKnown, match="everything-fine"):
        People().get(ref)


def test_a_test_may_bring_people_of_its_own_in_a_file(tmp_path: Path) -> None:
    own = msgspec.structs.replace(People().get("everything-fine"), ref="marker", surname="Marker", bsn="999900006")
    file = tmp_path / "people.json"
    assert len(read_people(file).listed()) == len(STORIES)
    file.write_bytes(msgspec.json.encode([own]))
    people = read_people(file)
    assert people.get("marker") == people.by_bsn("999900006") == people.listed()[0] == own


def test_the_surname_steers_and_anybody_else_is_fine() -> None:
    assert conduct("Fails-Identity").identity == "differs"
    assert conduct("Test 12 Duo-Down").duo_down_s == 600
    assert conduct("Somebody Else") is FINE
    assert conduct("") is FINE

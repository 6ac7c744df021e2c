from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wissel.core.academic import StudyYear, months_left, next_month, study_year, study_year_of

DAYS = st.dates(date(2001, 1, 1), date(2098, 12, 31))


def test_a_study_year_runs_from_1_september_to_31_august() -> None:
    year = study_year("2026-27")
    assert (year.first, year.last) == (date(2026, 9, 1), date(2027, 8, 31))
    assert (year.key, year.following.key) == ("2026-27", "2027-28")


@pytest.mark.parametrize("key", ["2026-28", "2026", "26-27", "2026-2027", "", "2026-27 "])
def test_what_is_no_study_year_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="study year"):
        study_year(key)


@given(DAYS)
def test_each_day_lies_in_its_own_study_year(day: date) -> None:
    year = study_year_of(day)
    assert year.first <= day <= year.last
    assert study_year(year.key) == year


def test_a_century_is_crossed_whole() -> None:
    assert StudyYear(2099).key == "2099-00"


@pytest.mark.parametrize(("month", "left"), [(9, 12), (10, 11), (1, 8), (2, 7), (6, 3), (8, 1)])
def test_months_left_count_to_31_august(month: int, left: int) -> None:
    assert months_left(date(2026, month, 1)) == left


@given(DAYS)
def test_an_ending_takes_effect_on_the_first_of_the_next_month(day: date) -> None:
    then = next_month(day)
    assert then.day == 1
    assert 0 < (then - day).days <= 31

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wissel.core.money import divide, instalments, months_of, refund

FEE_2025 = 260_100


@pytest.mark.parametrize(
    ("ended", "back"),
    [
        (date(2025, 10, 1), 238_425),
        (date(2026, 2, 1), 151_725),
        (date(2026, 6, 1), 65_025),
        (date(2026, 7, 1), 0),
        (date(2026, 8, 1), 0),
    ],
)
def test_the_refund_is_one_twelfth_per_month_left_and_nothing_from_july(ended: date, back: int) -> None:
    assert refund(FEE_2025, ended) == back


def test_an_enrolment_ends_on_the_first_of_a_month() -> None:
    with pytest.raises(ValueError, match="first day"):
        refund(FEE_2025, date(2026, 2, 2))


@given(st.integers(0, 10_000_000), st.integers(1, 12))
def test_instalments_add_up_and_differ_by_a_cent_at_most(amount: int, parts: int) -> None:
    split = instalments(amount, parts)
    assert sum(split) == amount
    assert len(split) == parts
    assert max(split) - min(split) <= 1


@given(st.integers(0, 10_000_000), st.integers(0, 12))
def test_a_share_never_exceeds_the_whole_and_grows_with_the_months(annual: int, months: int) -> None:
    share = months_of(annual, months)
    assert 0 <= share <= annual
    assert months_of(annual, 12) == annual
    assert share <= months_of(annual, min(months + 1, 12))


def test_rounding_is_named() -> None:
    assert [divide(5, 2, how) for how in ("down", "up", "half up")] == [2, 3, 3]
    assert [divide(4, 3, how) for how in ("down", "up", "half up")] == [1, 2, 1]


@pytest.mark.parametrize(("amount", "by"), [(-1, 2), (1, 0)])
def test_nonsense_is_refused(amount: int, by: int) -> None:
    with pytest.raises(ValueError, match="divided"):
        divide(amount, by)
    with pytest.raises(ValueError, match="split"):
        instalments(amount, by)
    with pytest.raises(ValueError, match="months"):
        months_of(1, 13)

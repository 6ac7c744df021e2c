from datetime import date
from typing import Any

import pytest

from wissel.core.fees import STATUTORY, Claim, Degree, Facts, Field, Level, basis, doubt, second_enrolment

BEFORE = Degree("bachelor", date(2020, 7, 1))


def claim(**changes: Any) -> Claim:
    whole = Claim(
        year="2024-25",
        kind="statutory",
        form="fulltime",
        article="WHW 7.45a",
        annual=253_000,
        amount=253_000,
        reductions=(),
        start=date(2024, 9, 1),
    )
    return whole._replace(**changes)


# WHW 7.45a-7.46, UB 2.2-2.3b


def test_who_is_entitled_and_has_no_degree_pays_the_statutory_fee() -> None:
    assert basis(Facts("bachelor", entitled=True)).kind == "statutory"


def test_who_is_in_no_group_of_the_law_pays_the_institutional_fee() -> None:
    assert basis(Facts("bachelor", entitled=False)).kind == "institutional"


@pytest.mark.parametrize(
    ("level", "earlier", "kind"),
    [
        ("associate", "associate", "institutional"),
        ("associate", "bachelor", "institutional"),
        ("associate", "master", "institutional"),
        ("bachelor", "associate", "statutory"),
        ("bachelor", "bachelor", "institutional"),
        ("master", "bachelor", "statutory"),
        ("master", "master", "institutional"),
    ],
)
def test_a_degree_of_the_same_level_ends_the_statutory_fee(level: Level, earlier: Level, kind: str) -> None:
    facts = Facts(level, entitled=True, degrees=[Degree(earlier, date(2020, 7, 1))])
    assert basis(facts).kind == kind


def test_degrees_before_1_september_1991_do_not_count() -> None:
    old = Degree("bachelor", date(1991, 8, 31))
    assert basis(Facts("bachelor", entitled=True, degrees=[old])).kind == "statutory"
    assert basis(Facts("bachelor", entitled=True, degrees=[old._replace(day=date(1991, 9, 1))])).kind == "institutional"


@pytest.mark.parametrize("field", ["education", "healthcare"])
def test_a_first_programme_in_education_or_health_care_is_statutory_once_and_gives_no_free_second(field: Field) -> None:
    facts = Facts("bachelor", entitled=True, degrees=[BEFORE], field=field, firstinfield=True)
    assert basis(facts) == ("statutory", "UB 2.3", False)
    assert basis(facts._replace(firstinfield=False)).kind == "institutional"
    assert basis(facts._replace(field="other")).kind == "institutional"


def test_parallel_study_begun_before_the_first_degree_stays_statutory() -> None:
    assert basis(Facts("bachelor", entitled=True, degrees=[BEFORE], parallel=True)).article == "UB 2.3a"


def test_a_board_year_is_exempt() -> None:
    assert basis(Facts("bachelor", entitled=True, boardyear=True)).kind == "exempt"


def test_a_second_enrolment_pays_the_difference_and_never_less_than_nothing() -> None:
    assert second_enrolment(253_000, 150_600) == 102_400
    assert second_enrolment(150_600, 253_000) == 0


# What an institution states


def test_what_follows_from_the_law_raises_no_doubt() -> None:
    assert doubt(claim()) is None


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"amount": 200_000}, "WHW 7.48(5)"),
        ({"annual": 252_999, "amount": 252_999}, "WHW 7.45a(3)"),
        ({"form": "parttime", "annual": 150_599, "amount": 150_599}, "WHW 7.45a(4)"),
        ({"form": "dual", "annual": 253_001, "amount": 253_001}, "WHW 7.45a(4)"),
        ({"kind": "institutional", "annual": 252_999, "amount": 252_999}, "WHW 7.46"),
        ({"kind": "exempt", "amount": 1}, "WHW 7.47a"),
        ({"kind": "exempt", "amount": 0, "article": "kindness"}, "WHW 7.48(5)"),
        ({"start": date(2025, 2, 1)}, "WHW 7.48(3)"),
        ({"start": date(2025, 2, 1), "amount": 100_000, "reductions": (("joinedlater", 153_000),)}, "WHW 7.48(3)"),
    ],
)
def test_what_does_not_follow_from_the_law_is_doubted_by_its_article(changes: dict[str, object], rule: str) -> None:
    found = doubt(claim(**changes))
    assert found is not None
    assert found.rule.startswith(rule)


def test_who_joins_on_1_february_pays_seven_twelfths() -> None:
    later = 253_000 * 5 // 12
    stated = claim(start=date(2025, 2, 1), amount=253_000 - later, reductions=(("joinedlater", later),))
    assert doubt(stated) is None


def test_a_year_without_a_sourced_amount_leaves_the_amount_to_the_institution() -> None:
    assert "2026-27" not in STATUTORY
    assert doubt(claim(year="2026-27", annual=999_900, amount=999_900, start=date(2026, 9, 1))) is None


def test_every_amount_has_a_source() -> None:
    assert all(fee.source for fee in STATUTORY.values())

from datetime import UTC, date, datetime

import pytest

from wissel.core.academic import StudyYear, study_year
from wissel.messages.grounds import GROUNDS, GroundCode, fits
from wissel.platform.processes.enrolment import rules

YEAR = StudyYear(2026)


def test_every_rule_says_where_it_stands() -> None:
    for rule in rules.RULES:
        assert rule.source.startswith(("WHW", "RATHO", "UB", "practice", "design"))
        assert (rule.confidence == "design") == rule.source.startswith("design")


def test_bachelor_and_associate_apply_by_1_may_and_a_master_has_no_national_date() -> None:
    assert rules.apply_by(YEAR, "bachelor") == date(2026, 5, 1)
    assert rules.apply_by(study_year("2027-28"), "associate") == date(2027, 5, 1)
    assert rules.apply_by(YEAR, "master") is None
    assert not rules.is_late(YEAR, "master", datetime(2026, 8, 31, tzinfo=UTC))


def test_six_weeks_to_object() -> None:
    assert rules.objection_until(YEAR, date(2026, 4, 29)) == date(2026, 6, 10)


def test_a_due_day_that_has_passed_becomes_a_later_one() -> None:
    assert rules.gate_due(YEAR, YEAR.first, date(2026, 9, 3)) == date(2026, 9, 17)


def test_a_year_before_the_oldest_row_has_the_oldest_row() -> None:
    assert rules.rule("objection", StudyYear(2010)).value == 6


@pytest.mark.parametrize("code", ["lateapplication", "checknegative"])
def test_a_ground_for_late_applicants_exists_for_nobody_else(code: GroundCode) -> None:
    assert fits(code, "bachelor", late=True)
    assert not fits(code, "bachelor", late=False)
    assert not fits(code, "master", late=True)


def test_every_ground_names_its_article_and_a_sentence() -> None:
    for ground in GROUNDS.values():
        assert ground.article.startswith(("WHW", "RATHO"))
        assert ground.text.endswith(".")

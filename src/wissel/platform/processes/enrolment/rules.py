"""Dated rules of enrolment: what changes by year, level or practice is a row here, not code.

A row counts from a study year on until a newer row of the same name; a running instance keeps the rules of its own
year. Amounts of the fee stand in `core.fees`, grounds for refusal in `messages.grounds`.
"""

from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple

from wissel.core.academic import StudyYear
from wissel.core.moments import end_of
from wissel.messages.fields import Level

Assurance = frozenset[str]

# A number counts as proven when the log-in had at least this assurance; Studielink's "Geverifieerd" gives IAP/high.
PROVEN: Final[Assurance] = frozenset(
    f"https://refeds.org/assurance/IAP/{level}{extra}" for level in ("medium", "high") for extra in ("", "/mfa")
)


class Rule(NamedTuple):
    """One dated number. `since` is the calendar year in which the first study year of this rule begins.

    `source` is a law article, or "practice", or "design": then no law says it. `confidence` as in our law notes.
    """

    name: str
    value: int
    unit: Literal["day of year", "days", "weeks", "number", "cents"]
    since: int
    source: str
    confidence: Literal["high", "medium", "design"]


RULES: Final = (
    Rule("apply by", 501, "day of year", 2026, "WHW 7.31a: first year of a bachelor or Ad, 1 May before it", "high"),
    Rule("payment due", 831, "day of year", 2026, "practice: payment is arranged before 31 August", "medium"),
    Rule("objection", 6, "weeks", 2026, "WHW 7.59a: six weeks, the facility's receipt date decides", "high"),
    Rule("instalments", 5, "number", 2026, "WHW 7.47(1): five instalments on request", "high"),
    Rule("instalment costs", 2400, "cents", 2026, "UB 2.4: at most 24 euro", "high"),
    Rule("traject cap", 4, "number", 2026, "RATHO 4.1(2): at most four trajecten or varianten a year", "high"),
    Rule("programme cap", 3, "number", 2026, "RATHO 4.1(2): within at most three opleidingen", "high"),
    Rule("partner answers within", 2, "days", 2026, "design: then the institution is asked", "design"),
    Rule("ask again after", 14, "days", 2026, "design: an open deadline is put to the institution again", "design"),
    Rule("remind after", 7, "days", 2026, "design: the learner is reminded of an open payment", "design"),
)

_DATED_LEVELS: Final = ("associate", "bachelor")  # a master has no national dates (WHW 7.30b)


def rule(name: str, year: StudyYear) -> Rule:
    """Return the row that counts in `year`: the newest that began by then, else the oldest of that name."""
    rows = sorted((each for each in RULES if each.name == name), key=lambda each: each.since)
    counting = [each for each in rows if each.since <= year.begins]
    return (counting or rows[:1])[-1]


def _day(name: str, year: StudyYear) -> date:
    month, day = divmod(rule(name, year).value, 100)
    return date(year.begins, month, day)


def apply_by(year: StudyYear, level: Level | None) -> date | None:
    """Return the last day to apply in time, or None where the law sets none."""
    return _day("apply by", year) if level in _DATED_LEVELS else None


def is_late(year: StudyYear, level: Level | None, at: datetime) -> bool:
    """Say whether a request came after the day to apply. Late never refuses: it opens a ground (WHW 7.31d)."""
    last = apply_by(year, level)
    return last is not None and at >= end_of(last)


def gate_due(year: StudyYear, start: date, today: date) -> date:
    """Return the day by which gates without a day of their own should hold: the day before she starts.

    For a start on 1 September that is 31 August (practice). A day that has passed becomes a later one.
    """
    due = _day("payment due", year) if start == year.first else start - timedelta(days=1)
    return due if due > today else again(year, today)


def again(year: StudyYear, today: date) -> date:
    """Return when an open deadline is asked about again."""
    return today + timedelta(days=rule("ask again after", year).value)


def answer_due(year: StudyYear, today: date) -> date:
    """Return by when a chain partner should have answered."""
    return today + timedelta(days=rule("partner answers within", year).value)


def remind_due(year: StudyYear, today: date) -> date:
    """Return when the learner is reminded next."""
    return today + timedelta(days=rule("remind after", year).value)


def objection_until(year: StudyYear, decided: date) -> date:
    """Return the last day for an objection against a decision of the day `decided` (WHW 7.59a)."""
    return decided + timedelta(weeks=rule("objection", year).value)

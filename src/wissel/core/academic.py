"""The academic calendar of higher education: study years from 1 September to 31 August (WHW 1.1)."""

import re
from datetime import date
from typing import Final, NamedTuple

SEPTEMBER: Final = 9
_KEY: Final = re.compile(r"(20[0-9]{2})-([0-9]{2})")


class StudyYear(NamedTuple):
    """A study year (studiejaar), by the calendar year in which it begins: 2026 is 2026-27."""

    begins: int

    @property
    def key(self) -> str:
        """The wire form: "2026-27"."""
        return f"{self.begins}-{(self.begins + 1) % 100:02d}"

    @property
    def first(self) -> date:
        """1 September."""
        return date(self.begins, SEPTEMBER, 1)

    @property
    def last(self) -> date:
        """31 August."""
        return date(self.begins + 1, 8, 31)

    @property
    def following(self) -> "StudyYear":
        """The next one."""
        return StudyYear(self.begins + 1)


def study_year(key: str) -> StudyYear:
    """Read the wire form. Raises ValueError when it is not two years that follow each other."""
    found = _KEY.fullmatch(key)
    if found is None or (int(found[1]) + 1) % 100 != int(found[2]):
        raise ValueError(f"{key!r} is not a study year such as '2026-27'")
    return StudyYear(int(found[1]))


def study_year_of(day: date) -> StudyYear:
    """Return the study year in which a day lies."""
    return StudyYear(day.year if day.month >= SEPTEMBER else day.year - 1)


def months_left(ended: date) -> int:
    """Return the whole months from `ended` (the first of a month) to 31 August: September 12, August 1.

    Raises ValueError for another day of the month: enrolments begin and end per the first (WHW 7.32(4), 7.42(1)).
    """
    if ended.day != 1:
        raise ValueError(f"{ended} is not the first day of a month")
    return 12 - (ended.month - SEPTEMBER) % 12


def age_on(birthdate: date, day: date) -> int:
    """Return somebody's age in whole years on a day."""
    return day.year - birthdate.year - ((day.month, day.day) < (birthdate.month, birthdate.day))


def next_month(day: date) -> date:
    """Return the first day of the month after `day`: when an ending asked on `day` takes effect (WHW 7.42(1))."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)

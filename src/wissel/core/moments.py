"""Moments and days. Moments are UTC with milliseconds; days are Dutch days and end at midnight in Amsterdam."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")


def to_ms(moment: datetime) -> int:
    """Return milliseconds since 1970 (UTC), the form in which stores keep moments."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """Return the moment of a stored number of milliseconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def rfc3339(moment: datetime) -> str:
    """Return the wire form: RFC 3339, UTC, exactly three decimals, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """Read a wire moment. Raises ValueError when it has no offset or is not RFC 3339."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"{text!r} has no offset from UTC"
        raise ValueError(message)
    return moment.astimezone(UTC)


def dutch_day(moment: datetime) -> date:
    """Return the day it is in Amsterdam at `moment`."""
    return moment.astimezone(AMSTERDAM).date()


def end_of(day: date) -> datetime:
    """Return the moment at which `day` has passed: the midnight after it, in Amsterdam, as UTC.

    The last day of the calendar, 31 December 9999, passes at the last moment there is.
    """
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(day + timedelta(days=1), time(), AMSTERDAM).astimezone(UTC)

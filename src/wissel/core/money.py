"""Money in whole cents of euro: shares of a year, instalments, refunds. No floats, and rounding is always named."""

from datetime import date
from typing import Final, Literal

from wissel.core.academic import months_left

Rounding = Literal["down", "up", "half up"]

MONTHS: Final = 12
_FREE_MONTHS: Final = (7, 8)  # ended per July or August: nothing is paid back (WHW 7.48(4))


def divide(amount: int, by: int, rounding: Rounding = "half up") -> int:
    """Return `amount` / `by` in whole cents. `amount` is not negative, `by` is positive."""
    if amount < 0 or by <= 0:
        raise ValueError("only a non-negative amount can be divided, by a positive number")
    whole, rest = divmod(amount, by)
    if rounding == "up":
        return whole + (rest > 0)
    return whole + (rounding == "half up" and 2 * rest >= by)


def months_of(annual: int, months: int, rounding: Rounding = "half up") -> int:
    """Return the share of a year's fee for `months` (0 to 12): who joins later pays that (WHW 7.48(3))."""
    if not 0 <= months <= MONTHS:
        raise ValueError(f"a study year has 0 to 12 months, not {months}")
    return divide(annual * months, MONTHS, rounding)


def instalments(amount: int, parts: int) -> tuple[int, ...]:
    """Split an amount in `parts` that differ by at most one cent, the larger first, and add up to it."""
    if amount < 0 or parts <= 0:
        raise ValueError("an amount is split in one part or more")
    share, rest = divmod(amount, parts)
    return tuple(share + (number < rest) for number in range(parts))


def refund(annual: int, ended: date, rounding: Rounding = "half up") -> int:
    """Return what is paid back of a statutory fee paid at once, when the enrolment ends per `ended`.

    1/12 for each month left to 31 August, nothing when it ends per 1 July or 1 August (WHW 7.48(4)). The law
    does not name the rounding. `ended` is the first day of a month (WHW 7.42(1)). Instalments just stop.
    """
    left = months_left(ended)
    return 0 if ended.month in _FREE_MONTHS else months_of(annual, left, rounding)

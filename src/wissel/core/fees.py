"""Which tuition fee the law gives, as pure functions (WHW 7.45a-7.48; UB 2.2-2.4a), and the amounts that have a source.

No role can lower it: the only reductions are the closed list of WHW 7.47a and 7.48 (7.48(5)).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from wissel.core.academic import months_left
from wissel.core.money import months_of

Level = Literal["associate", "bachelor", "master"]
Form = Literal["fulltime", "parttime", "dual"]
Field = Literal["education", "healthcare", "other"]
Kind = Literal["statutory", "institutional", "exempt"]

COUNTED_SINCE: Final = date(1991, 9, 1)  # earlier degrees do not count (WHW 7.45a)


class Annual(NamedTuple):
    """The statutory fee of one study year, in cents; `least` is the lowest partial fee, None without a source."""

    full: int
    least: int | None
    source: str
    confidence: Literal["high", "medium"]


# An amount without a source is absent: then the institution must state it, with its source.
STATUTORY: Final[Mapping[str, Annual]] = {
    "2023-24": Annual(231_400, 137_700, "rijksoverheid.nl", "high"),
    "2024-25": Annual(253_000, 150_600, "rijksoverheid.nl", "high"),
    "2025-26": Annual(260_100, None, "punt.avans.nl 2024/04, computed from 2.8 % CPI", "medium"),
}


class Degree(NamedTuple):
    """An earlier degree from a funded institution, as the register gives it."""

    level: Level
    day: date


class Facts(NamedTuple):
    """What decides the basis of the fee.

    `entitled`: in a group of Wsf 2000 art. 2.2, Surinamese, or a case of UB 2.3b (the institution says which).
    `firstinfield`: this is her first programme in education or health care (UB 2.3). `parallel`: begun before her
    first degree was reported and followed in consecutive years since (UB 2.3a). `boardyear`: a year on the board of an
    association, without education, once (WHW 7.47a).
    """

    level: Level
    entitled: bool
    degrees: Sequence[Degree] = ()
    field: Field = "other"
    firstinfield: bool = False
    parallel: bool = False
    boardyear: bool = False


class Basis(NamedTuple):
    """The basis of a fee, the article it follows from, and whether a second enrolment may be free (WHW 7.48(1))."""

    kind: Kind
    article: str
    secondfree: bool


_BARS: Final[Mapping[Level, frozenset[Level]]] = {
    "associate": frozenset({"associate", "bachelor", "master"}),
    "bachelor": frozenset({"bachelor"}),
    "master": frozenset({"master"}),
}


def basis(facts: Facts) -> Basis:
    """Decide between statutory, institutional and exempt, in the order of the law. There is no residence condition."""
    if facts.boardyear:
        return Basis("exempt", "WHW 7.47a", secondfree=False)
    if not facts.entitled:
        return Basis("institutional", "WHW 7.46; UB 2.3b", secondfree=False)
    if not any(each.level in _BARS[facts.level] and each.day >= COUNTED_SINCE for each in facts.degrees):
        return Basis("statutory", "WHW 7.45a", secondfree=True)
    if facts.parallel:
        return Basis("statutory", "UB 2.3a", secondfree=True)
    if facts.field != "other" and facts.firstinfield:
        return Basis("statutory", "UB 2.3", secondfree=False)
    return Basis("institutional", "WHW 7.46", secondfree=False)


def second_enrolment(fee: int, first: int) -> int:
    """Return what a second enrolment costs when the first is statutory: the difference, if any (WHW 7.48(1))."""
    return max(0, fee - first)


class Claim(NamedTuple):
    """A fee as an institution states it, in cents. `reductions` are pairs (ground, amount); `costs`: of instalments."""

    year: str
    kind: Kind
    form: Form
    article: str
    annual: int
    amount: int
    reductions: Sequence[tuple[str, int]]
    start: date
    costs: int = 0


class Doubt(NamedTuple):
    """Why a stated fee does not follow from the law: the rule, and a sentence."""

    rule: str
    sentence: str


def doubt(claim: Claim) -> Doubt | None:
    """Return why the stated fee cannot stand, or None. It checks; it never sets a fee."""
    if claim.kind == "exempt":
        return _doubt_exempt(claim)
    wrong = _doubt_annual(claim)
    if wrong is not None:
        return wrong
    if claim.amount != claim.annual - sum(amount for _, amount in claim.reductions):
        return Doubt("WHW 7.48(5)", "The amount is not the fee of a year minus the reductions that are named.")
    return _doubt_later(claim) if claim.kind == "statutory" else None


def _doubt_later(claim: Claim) -> Doubt | None:
    later = sum(amount for ground, amount in claim.reductions if ground == "joinedlater")
    left = months_left(claim.start)
    if later in (
        claim.annual - months_of(claim.annual, left, "down"),
        claim.annual - months_of(claim.annual, left, "up"),
    ):
        return None
    return Doubt("WHW 7.48(3)", "Joining later lowers the fee by one twelfth for each month that has passed.")


def _doubt_exempt(claim: Claim) -> Doubt | None:
    if claim.costs:
        return Doubt("UB 2.4", "Costs are for paying in instalments, and who is exempt has nothing to pay.")
    if claim.amount:
        return Doubt("WHW 7.47a, 7.48(1)", "Who is exempt pays nothing, but an amount was stated.")
    if not claim.article.startswith(("WHW 7.47a", "WHW 7.48")):
        return Doubt("WHW 7.48(5)", "An exemption exists only under WHW 7.47a or 7.48.")
    return None


def _doubt_annual(claim: Claim) -> Doubt | None:
    known = STATUTORY.get(claim.year)
    if known is None:
        return None
    if claim.kind == "institutional":
        low = claim.annual < known.full
        return Doubt("WHW 7.46", "The institutional fee is lower than the full statutory fee.") if low else None
    if claim.form == "fulltime":
        other = claim.annual != known.full
        return Doubt("WHW 7.45a(3); UB 2.2", "The year's fee is not the full statutory fee.") if other else None
    if not (known.least or 0) <= claim.annual <= known.full:
        return Doubt("WHW 7.45a(4); UB 2.4a", "The partial fee is not between its minimum and the full fee.")
    return None

"""A hold: an organisation keeps messages past their end date, by a named role, on a ground, until a day of its own.

Roles and grounds are closed tables: both stand in a leaf of the log, where no name may ever be. docs/rules
shows them.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Final, Literal

import msgspec

from wissel.messages.fields import Day, Digest, Payload

HoldRole = Literal["archivist", "board", "controller", "lawyer", "objections", "privacyofficer"]
HoldGround = Literal["archive", "audit", "claim", "objection", "sponsor"]
Confidence = Literal["high", "medium", "low", "design"]

PLACED: Final = "nl.wissel.hold.placed.v1"
ENDED: Final = "nl.wissel.hold.ended.v1"
KINDS: Final = (PLACED, ENDED)
HELD_MAX: Final = 200  # messages in one hold; one process has some twenty

NOBODY: Final = "none"
"""The grant of a message about a hold whose learner left no delivery capability: nobody gets any data by it."""


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Why messages may be held: the article, what it says in plain words, and the most days since the hold was placed.

    `source` says where the number of days stands, `confidence` how sure that is.
    """

    article: str
    text: str
    days: int
    source: str
    confidence: Confidence


HOLD_GROUNDS: Final[Mapping[HoldGround, Ground]] = {
    "objection": Ground(
        article="WHW 7.59a",
        text="An objection or an appeal is under way.",
        days=365,
        source="design: an objection and the appeal that follows, at most a year",
        confidence="design",
    ),
    "claim": Ground(
        article="GDPR 17(3)(e)",
        text="The messages are needed for a legal claim, such as a payment that is claimed back.",
        days=426,
        source="SEPA: an unauthorised collection is claimed back within 13 months; one month to handle it",
        confidence="medium",
    ),
    "audit": Ground(
        article="AWR 52(4)",
        text="The messages belong to the books, which an auditor must be able to check.",
        days=2556,
        source="AWR 52(4): seven years",
        confidence="low",
    ),
    "sponsor": Ground(
        article="Vb 4.53",
        text="The institution is sponsor of a residence permit and keeps a file of it.",
        days=1826,
        source="Vb 4.53: five years after the sponsorship (an old text was read)",
        confidence="medium",
    ),
    "archive": Ground(
        article="Archiefwet 1995 3, 5",
        text="The selection list of the institution says that these are kept.",
        days=7305,
        source="Archiefwet 1995 12(1): after twenty years they go to an archive, or were destroyed",
        confidence="high",
    ),
}

Held = Annotated[tuple[Digest, ...], msgspec.Meta(min_length=1, max_length=HELD_MAX)]


def latest(ground: HoldGround, since: date) -> date:
    """Return the last day that a hold on this ground may have as its end date, when it was placed on `since`."""
    return since + timedelta(days=HOLD_GROUNDS[ground].days)


class HoldPlaced(Payload, frozen=True, kw_only=True):
    """Institution to learner: we keep these messages longer than their end date: who says so, why, and until when.

    `held` are their commitments, by which her own copies are named. `since` is the day on which this hold was placed;
    when it is sent again with the same `since`, the hold was given another end date.
    """

    ground: HoldGround
    role: HoldRole
    since: Day
    until: Day
    held: Held

    def __post_init__(self) -> None:
        """Hold the end date to the ground."""
        super().__post_init__()
        since, until = date.fromisoformat(self.since), date.fromisoformat(self.until)
        if not since < until <= latest(self.ground, since):
            raise ValueError(f"`until` lies between the day after `since` and {latest(self.ground, since)}")


class HoldEnded(Payload, frozen=True, kw_only=True):
    """Institution to learner: a hold ended before its end date. What is past its own end date is destroyed."""

    ground: HoldGround
    role: HoldRole
    since: Day
    held: Held

"""Why an institution may refuse: a closed table. A refusal names one ground; a rule never picks one.

Source of each row: the article named (WHW, or RATHO: Regeling aanmelding en toelating hoger onderwijs).
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from wissel.messages.fields import GateName, Level

GroundCode = Literal[
    "identity",
    "education",
    "foreigndiploma",
    "agetest",
    "masterlevel",
    "requirements",
    "lateapplication",
    "checkmissed",
    "checknegative",
    "noplace",
    "residence",
    "payment",
    "foundation",
    "conduct",
]


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """One ground: the article, what it says in plain words, for which levels, and the gate it belongs to.

    `lateonly`: it exists only for who applied after 1 May.
    """

    article: str
    text: str
    gate: GateName
    levels: tuple[Level, ...] = ("associate", "bachelor", "master")
    lateonly: bool = False


_FIRST: Final[tuple[Level, ...]] = ("associate", "bachelor")

GROUNDS: Final[Mapping[GroundCode, Ground]] = {
    "identity": Ground(
        article="RATHO 4.1(3)-(5)",
        text="The institution could not verify who you are.",
        gate="identity",
    ),
    "education": Ground(
        article="WHW 7.24, 7.25",
        text="Your prior education does not meet the requirements of this programme.",
        gate="education",
        levels=_FIRST,
    ),
    "foreigndiploma": Ground(
        article="WHW 7.28",
        text="Your foreign diploma does not give access to this programme.",
        gate="education",
        levels=_FIRST,
    ),
    "agetest": Ground(
        article="WHW 7.29",
        text="You did not pass the admission test for those without the required diploma.",
        gate="education",
        levels=_FIRST,
    ),
    "masterlevel": Ground(
        article="WHW 7.30b",
        text="You do not meet the level or the quality demands that this master's programme published.",
        gate="education",
        levels=("master",),
    ),
    "requirements": Ground(
        article="RATHO 4.3",
        text="You do not meet the additional requirements of this programme.",
        gate="requirements",
        levels=_FIRST,
    ),
    "lateapplication": Ground(
        article="WHW 7.31d",
        text="You applied for the first time after 1 May.",
        gate="studychoice",
        levels=_FIRST,
        lateonly=True,
    ),
    "checkmissed": Ground(
        article="WHW 7.31b-d",
        text="You were absent from the mandatory study-choice check without a valid reason.",
        gate="studychoice",
        levels=_FIRST,
    ),
    "checknegative": Ground(
        article="WHW 7.31d",
        text="You applied after 1 May and the advice of your study-choice check was negative.",
        gate="studychoice",
        levels=_FIRST,
        lateonly=True,
    ),
    "noplace": Ground(
        article="WHW 7.53(4), 7.30b",
        text="There is no place left in this programme.",
        gate="decision",
    ),
    "residence": Ground(
        article="WHW 7.32(5)",
        text="You do not belong to one of the groups that may be enrolled.",
        gate="residence",
    ),
    "payment": Ground(
        article="WHW 7.37(1)-(3)",
        text="There is no proof that the tuition fee is or will be paid.",
        gate="payment",
    ),
    "foundation": Ground(
        article="WHW 7.37(4)(5)",
        text="The board refused with the reasons that its decision gives.",
        gate="decision",
    ),
    "conduct": Ground(
        article="WHW 7.42a",
        text="The board refused with the reasons that its decision gives.",
        gate="decision",
    ),
}


def fits(code: GroundCode, level: Level | None, *, late: bool) -> bool:
    """Say whether a refusal of this request may stand on this ground (`level` None: not known)."""
    ground = GROUNDS[code]
    return (level is None or level in ground.levels) and (late or not ground.lateonly)

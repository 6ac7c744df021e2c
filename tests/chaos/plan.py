"""The plan of a kill test: who dies when, and who enrols where. The same seed gives the same plan."""

import random
from typing import Final, NamedTuple

from wissel.assembly.demo.play import Wish
from wissel.institution.samples import urn

# The platform dies at every second kill; the others take turns.
TURNS: Final = (
    "platform",
    "noord",
    "platform",
    "chain",
    "platform",
    "portal",
    "platform",
    "land",
    "platform",
    "vaults",
)
POINTS: Final = ("commit.before", "slots.written", "commit.after", "slots.zeroed", "slots.synced", "slots.zeroing")
COMMITS: Final = ("commit.after", "commit.before")
PASSINGS_MAX: Final = {"platform": 150, "noord": 25, "land": 25, "chain": 12, "portal": 8}
SLOTS_PASSINGS_MAX: Final = {"slots.written": 1, "slots.synced": 1, "slots.zeroing": 3, "slots.zeroed": 3}
RANDOM_S_MAX: Final = 5.0
SHARE_MAX: Final = 0.8  # nobody dies on purpose after so much of the work has begun
PROGRAMMES: Final = (Wish("99XA", "80059"), Wish("99XC", "56551"))


class Kill(NamedTuple):
    """One death, once `share` of the work has begun: at the `passing`-th passing of a named `point`, or, without a
    point, `after_s` later.
    """

    owner: str
    share: float
    point: str
    passing: int
    after_s: float

    @property
    def crash(self) -> str:
        """The setting that makes a process die so; empty for a random moment."""
        return f"{self.point}:{self.passing}" if self.point else ""


class Errand(NamedTuple):
    """One enrolment: who, and where."""

    ref: str
    wish: Wish

    @property
    def institution(self) -> str:
        """The institution's URN."""
        return urn(self.wish.brin)


def kills(count: int, seed: int) -> dict[str, list[Kill]]:
    """Return each owner's deaths in order: named crash points and random moments by turns."""
    chance = random.Random(seed)  # noqa: S311 - a plan that can be had again, no secret
    plan: dict[str, list[Kill]] = {}
    for number in range(count):
        owner = TURNS[number % len(TURNS)]
        before = plan.setdefault(owner, [])
        # Vaults lie in files and have no named points; of the others, half begin with one.
        named = owner != "vaults" and (len(before) + TURNS.index(owner) // 2) % 2 == 0
        points = POINTS if owner == "platform" else COMMITS
        point = points[sum(bool(kill.point) for kill in before) % len(points)] if named else ""
        most = SLOTS_PASSINGS_MAX.get(point, PASSINGS_MAX.get(owner, 1))
        share = (number + 0.5) / count * SHARE_MAX
        before.append(Kill(owner, share, point, chance.randint(1, most), chance.uniform(0.0, RANDOM_S_MAX)))
    return plan


def errands(count: int) -> list[Errand]:
    """Return who enrols where: two of three learners at one institution, every third at both."""
    learners = max(2, count * 2 // 3 // 2 * 2)  # even, so that who comes twice comes to the other institution
    return [
        Errand(f"everything-fine-{number % learners + 2}", PROGRAMMES[(number + number // learners) % 2])
        for number in range(count)
    ]

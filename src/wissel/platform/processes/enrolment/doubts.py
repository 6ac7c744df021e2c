"""What the platform asks the institution about its own statements. A doubt changes no decision."""

from datetime import date, timedelta
from typing import Final

from wissel.core.academic import study_year
from wissel.core.fees import Claim, Doubt, doubt
from wissel.core.moments import dutch_day
from wissel.messages.enrolment import AdmissionDecided
from wissel.messages.grounds import GROUNDS, fits
from wissel.messages.payments import FeeStated
from wissel.messages.process import Event
from wissel.platform.processes.enrolment import rules
from wissel.platform.processes.enrolment.words import State, said

AHEAD: Final = Doubt("WHW 7.37(1)", "Not all requirements hold yet: decide on those that are open.")

_NIGHT: Final = timedelta(days=1)  # a decision sent just before midnight is read on the next day


def fee_doubt(state: State, stated: FeeStated) -> Doubt | None:
    """Return why a stated fee does not follow from the law, or None (WHW 7.45a-7.48)."""
    if stated.studyyear != state.studyyear:
        return Doubt("WHW 7.43", "The fee is for another study year than the request.")
    return doubt(
        Claim(
            year=state.studyyear,
            kind=stated.basis,
            form=state.form,
            article=stated.article,
            annual=stated.annual,
            amount=stated.amount,
            reductions=[(each.ground, each.amount) for each in stated.reductions],
            start=date.fromisoformat(state.start),
            costs=stated.costs,
        )
    )


def refusal_doubt(state: State, event: Event) -> Doubt | None:
    """Return why a refusal does not fit its request, or None: its ground, or the time it leaves to object."""
    decided = said(event, AdmissionDecided)
    if decided.ground is None or decided.objection is None:
        return Doubt("WHW 7.59a", "A refusal names a ground, and how and until when one may object.")
    if not fits(decided.ground, state.level, late=state.late):
        return Doubt(GROUNDS[decided.ground].article, "This ground does not exist for this request.")
    least = rules.objection_until(study_year(state.studyyear), dutch_day(event.at)) - _NIGHT
    if date.fromisoformat(decided.objection.until) < least:
        return Doubt("WHW 7.59a", "The learner has six weeks to object.")
    return None

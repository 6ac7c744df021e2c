"""What an institution says of its own accord, as pure functions of what it laid down and what it knows.

A rule may set a gate, meet one, state a fee or admit. No function here can refuse anybody.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from wissel.core.academic import age_on, months_left, study_year
from wissel.core.fees import STATUTORY, Facts, basis
from wissel.core.fees import Degree as FeeDegree
from wissel.core.money import months_of
from wissel.institution.connector.words import Case, GateView, Say
from wissel.institution.words import Fees, House, as_dutch, entitled
from wissel.messages.enrolment import (
    AdmissionDecided,
    EnrolmentReported,
    EnrolmentRequested,
    GateDecided,
    GatesStated,
    StatedGate,
)
from wissel.messages.fields import Objection, OpenGate
from wissel.messages.identity import DiplomaAsked, ResidenceAsked
from wissel.messages.payments import Basis, FeeStated, Reduction
from wissel.messages.programmes import Programme

ADULT: Final = 18
OBJECTION: Final = timedelta(weeks=6)  # WHW 7.59a
HELD: Final = frozenset({"met", "waived", "notneeded"})
STATED: Final[tuple[OpenGate, ...]] = ("requirements", "studychoice", "language", "residence")

GROUNDS: Final[Mapping[OpenGate, str]] = {
    "requirements": "RATHO 4.3",
    "studychoice": "WHW 7.31b-d",
    "language": "WHW 7.28",
    "residence": "WHW 7.32(5)",
}


def is_late(request: EnrolmentRequested, programme: Programme | None, sent: date) -> bool:
    """Say whether a request for a first year came after 1 May (WHW 7.31a). A master has no national date."""
    first_year = programme is None or programme.level != "master"
    return first_year and sent > date(study_year(request.studyyear).begins, 5, 1)


def gates_for(house: House, request: EnrolmentRequested, *, late: bool) -> dict[OpenGate, GateView]:
    """Return how each gate that the institution sets stands for this learner."""
    programme = house.settings.programme(request.programme, request.form)
    return {gate: "needed" if _needed(programme, gate, request, late=late) else "notneeded" for gate in STATED}


def _needed(programme: Programme | None, gate: OpenGate, request: EnrolmentRequested, *, late: bool) -> bool:
    setting = programme.gates.get(gate, "asked") if programme else "asked"
    if setting != "asked":
        return setting == "always"
    if gate == "residence":
        day, born = date.fromisoformat(request.start), date.fromisoformat(request.person.birthdate)
        return not as_dutch(request.person.nationality) and age_on(born, day) >= ADULT
    if gate == "language":
        return bool(request.foreigndiplomas)
    return gate == "studychoice" and late


def state_gates(gates: Mapping[OpenGate, GateView], due: str) -> GatesStated:
    """Return the statement of the gates that are needed; the rest is thereby not needed."""
    needed = [gate for gate in STATED if gates.get(gate) not in {None, "notneeded"}]
    stated = [StatedGate(gate=gate, state="needed", ground=GROUNDS[gate], until=due) for gate in needed]
    return GatesStated(gates=tuple(stated))


def questions(case: Case) -> tuple[Say, ...]:
    """Return what must be asked of others at once: IND about residence, Nuffic about foreign diplomas."""
    request, person = case.request, case.request.person
    asked: list[Say] = []
    if case.gates.get("residence") == "needed":
        residence = ResidenceAsked(
            givennames=person.givennames,
            surname=person.surname,
            birthdate=person.birthdate,
            nationality=person.nationality,
            day=request.start,
        )
        asked.append(Say("nl.wissel.residence.asked.v1", "ind", residence))
    for diploma in request.foreigndiplomas:
        data = DiplomaAsked(
            diploma=diploma.name,
            country=diploma.country,
            language=diploma.language,
            year=diploma.year,
            school=diploma.school,
        )
        asked.append(Say("nl.wissel.diploma.asked.v1", "nuffic", data))
    return tuple(asked)


def met_by_rule(house: House, case: Case) -> tuple[GateDecided, ...]:
    """Return the gates that the institution's own systems have confirmed beforehand."""
    return tuple(
        GateDecided(gate=gate, decision="met", ground=ground, role=house.rule.role)
        for gate, ground in house.rule.meets.items()
        if case.gates.get(gate) == "needed"
    )


def fee_for(house: House, case: Case) -> FeeStated | None:
    """Return the fee of this learner, or None when a person must state it (WHW 7.45a-7.48; UB 2.2-2.3b)."""
    request = case.request
    programme = house.settings.programme(request.programme, request.form)
    fees = house.fees_of(request.studyyear)
    if programme is None or fees is None:
        return None
    degrees = [FeeDegree(degree.level, date.fromisoformat(degree.day)) for degree in case.degrees]
    law = basis(Facts(programme.level, entitled(request.person.nationality), degrees))
    if law.kind == "institutional" and entitled(request.person.nationality):
        return None  # an earlier degree counts, unless UB 2.3 or 2.3a applies: what a rule does not know, a person does
    annual, source, fictitious = _annual(fees, law.kind, fulltime=request.form == "fulltime")
    later = _joined_later(annual, request.start) if law.kind == "statutory" else ()
    return FeeStated(
        studyyear=request.studyyear,
        basis=law.kind,
        article=law.article,
        annual=annual,
        amount=annual - sum(each.amount for each in later),
        reductions=later,
        source=source,
        explanation="Fictitious amount of a sample institution." if fictitious else "",
        fictitious=fictitious,
    )


def _annual(fees: Fees, kind: Basis, *, fulltime: bool) -> tuple[int, str, bool]:
    """Return a year's fee, where it stands, and whether it is invented. A sourced statutory amount goes first."""
    known = STATUTORY.get(fees.studyyear)
    if kind == "statutory" and fulltime and known is not None:
        return known.full, known.source, False
    amount = {"statutory": fees.statutory if fulltime else fees.partial, "institutional": fees.institutional}
    return amount.get(kind, 0), fees.source, fees.fictitious


def _joined_later(annual: int, start: str) -> tuple[Reduction, ...]:
    """Lower the statutory fee by a twelfth for each month that has passed (WHW 7.48(3))."""
    less = annual - months_of(annual, months_left(date.fromisoformat(start)), "down")
    return (Reduction(ground="joinedlater", amount=less, evidence=f"begins {start}"),) if less else ()


def may_admit(house: House, case: Case) -> bool:
    """Say whether the rule may admit her: the house lets it, this programme does not select, and all is in."""
    programme = house.settings.programme(case.request.programme, case.request.form)
    return house.rule.admits and programme is not None and not programme.selection and decidable(house, case)


def decidable(house: House, case: Case) -> bool:
    """Say whether only the decision is left: verified, with a diploma that gives access, and nothing open here."""
    programme = house.settings.programme(case.request.programme, case.request.form)
    if programme is None or case.admission or case.ended:
        return False
    educated = bool(set(case.diplomas) & set(programme.admits)) or case.gates.get("education") in HELD
    known = case.identity == "verified" or case.gates.get("identity") in HELD
    return known and educated and all(state in HELD for state in case.gates.values())


def admit(house: House) -> AdmissionDecided:
    """Return the admission that the rule gives."""
    return AdmissionDecided(decision="admitted", role=house.rule.role)


def objection(house: House, today: date) -> Objection:
    """Return how and until when one may object to a decision of today."""
    until = (today + OBJECTION).isoformat()
    return Objection(until=until, where=house.objections.where, how=house.objections.how)


def report(house: House, case: Case, student: str) -> EnrolmentReported | None:
    """Return the register delivery, or None when no national number is known yet (WHW 7.39)."""
    programme = house.settings.programme(case.request.programme, case.request.form)
    if programme is None or not case.number:
        return None
    return EnrolmentReported(
        bsn=case.number,
        studentnumber=student,
        brin=house.settings.brin,
        programme=programme.code,
        form=programme.form,
        level=programme.level,
        studyyear=case.request.studyyear,
        start=case.request.start,
    )

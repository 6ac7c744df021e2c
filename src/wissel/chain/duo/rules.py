"""What DUO answers, from what its registers hold: pure."""

from typing import Final

from wissel.chain.duo.words import EducationAnswer, EducationQuestion, Expected, IdentityAnswer, IdentityQuestion
from wissel.chain.errors import Invalid
from wissel.chain.people import Person, eleven_test
from wissel.chain.steering import conduct

EDUCATION_NUMBERS: Final = "10"  # what an onderwijsnummer of the played DUO begins with
NUMBER_DIGITS: Final = 9
RESULTS_DAY: Final = "2026-07-03"  # when the played schools hand out this year's diplomas


def identity(question: IdentityQuestion, person: Person | None) -> IdentityAnswer:
    """Compare what she says with the BRP. A number that fails the 11-test is refused, not looked up."""
    if not eleven_test(question.bsn):
        raise Invalid("This is no possible BSN: it fails the 11-test.", field="/bsn")
    if person is None:
        return IdentityAnswer(result="unknown")
    registered = person.registered_birthdate or person.birthdate
    differing = tuple(
        name
        for name, said, held in (
            ("givennames", question.givennames, person.givennames),
            ("prefix", question.prefix, person.prefix),
            ("surname", question.surname, person.surname),
            ("birthdate", question.birthdate, registered),
        )
        if said.strip().casefold() != held.strip().casefold()
    )
    return IdentityAnswer(result="differs" if differing else "verified", fields=differing)


def check_number(number: str) -> None:
    """Raise Invalid unless this is a possible BSN, or has the form of an onderwijsnummer that the played DUO gives."""
    if not eleven_test(number) and not (len(number) == NUMBER_DIGITS and number.startswith(EDUCATION_NUMBERS)):
        raise Invalid("This is neither a possible BSN nor an onderwijsnummer of ours.", field="/bsn")


def education(question: EducationQuestion, person: Person | None) -> EducationAnswer:
    """Return diplomas, degrees since the asked day, and exams under way. Nobody, or another birth date: nothing."""
    check_number(question.bsn)
    if person is None or question.birthdate not in {person.birthdate, person.registered_birthdate}:
        return EducationAnswer()
    sitting = conduct(person.surname).education == "sitting"
    return EducationAnswer(
        diplomas=person.diplomas,
        degrees=tuple(degree for degree in person.degrees if degree.day >= question.degreessince),
        expected=(Expected(kind="vwo", school="Voorbeeldcollege", day=RESULTS_DAY),) if sitting else (),
    )

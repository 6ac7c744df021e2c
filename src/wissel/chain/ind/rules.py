"""What IND answers: pure."""

from typing import Final

from wissel.chain.errors import Invalid
from wissel.chain.ind.words import ResidenceAnswer, ResidenceQuestion
from wissel.chain.people import Person
from wissel.chain.steering import conduct

# The European Economic Area and Switzerland: who has one of these nationalities needs no permit.
FREE: Final = "AT BE BG CH CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
PERMIT_YEARS: Final = 5


def residence(question: ResidenceQuestion, person: Person | None) -> ResidenceAnswer:
    """Judge the stay on the asked day. Nobody found: unknown, and the institution judges."""
    if question.nationality in FREE.split():
        return ResidenceAnswer(result="lawful", ground="free movement (Directive 2004/38/EC)")
    if person is None:
        return ResidenceAnswer(result="unknown")
    if question.birthdate != person.birthdate:
        raise Invalid("The V-number is of somebody with another birth date.", field="/birthdate")
    if conduct(person.surname).residence != "lawful":
        return ResidenceAnswer(result=conduct(person.surname).residence)
    until = f"{int(question.day[:4]) + PERMIT_YEARS}-08-31"
    return ResidenceAnswer(result="lawful", until=until, ground="residence permit (Vw 2000 art. 8)")

"""The learners of the played world: obviously fictional, and known alike to every partner.

`everything-fine` is one learner, `everything-fine-17` the seventeenth of her kind: the same story, another
person. Numbers are test numbers: each BSN begins with 9999 and passes the 11-test; the bank TEST is no bank.
A test may hand in people of its own (`extra`), for instance with marker strings for names.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from wissel.chain.errors import NotKnown
from wissel.chain.steering import STORIES, conduct
from wissel.messages.enrolment import ForeignDiploma
from wissel.messages.identity import Address, Degree, Diploma
from wissel.messages.identity import Person as StatedPerson

NUMBER_MAX: Final = 600  # of one story; the test range then has numbers left for people of a test's own
_BORN: Final = date(2006, 1, 1)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One learner and the facts that partners hold about her.

    `diplomas` and `degrees` are what DUO's register holds; `foreign` what she brings herself; `vnumber` is
    IND's; `registered_birthdate` what the BRP says where that differs from what she says.
    """

    ref: str
    givennames: str
    surname: str
    birthdate: str
    address: Address
    email: str
    iban: str
    bsn: str = ""
    prefix: str = ""
    nationality: str = "NL"
    phone: str = ""
    vnumber: str = ""
    motivation: str = ""
    registered_birthdate: str = ""
    diplomas: tuple[Diploma, ...] = ()
    degrees: tuple[Degree, ...] = ()
    foreign: tuple[ForeignDiploma, ...] = ()

    @property
    def name(self) -> str:
        """Given names and surname, as on a bank card."""
        return " ".join(part for part in (self.givennames, self.prefix, self.surname) if part)

    def stated(self) -> StatedPerson:
        """Who she says she is, as her request states it and her profile holds it."""
        return StatedPerson(
            givennames=self.givennames,
            surname=self.surname,
            prefix=self.prefix,
            birthdate=self.birthdate,
            address=self.address,
            nationality=self.nationality,
            email=self.email,
            phone=self.phone,
        )

    def profile(self) -> dict[str, Any]:
        """Return what her vault's profile drawer holds before the story begins: JSON, without her BSN."""
        return {
            "person": msgspec.to_builtins(self.stated()),
            "iban": self.iban,
            "holder": self.name,
            "motivation": self.motivation,
            "foreigndiplomas": msgspec.to_builtins(self.foreign),
        }


class People:
    """Everybody there is."""

    def __init__(self, extra: Sequence[Person] = ()) -> None:
        self._extra = tuple(extra)

    def get(self, ref: str) -> Person:
        """Return the learner called `ref`. Raises NotKnown."""
        for person in self._extra:
            if person.ref == ref:
                return person
        story, number = _parse(ref)
        return _invent(story, number)

    def by_bsn(self, bsn: str) -> Person | None:
        """Return who has this BSN, or None."""
        for person in self._extra:
            if person.bsn == bsn:
                return person
        index = _index_of_bsn().get(bsn)
        return None if index is None or index >= len(STORIES) * NUMBER_MAX else _at(index)

    def by_email(self, email: str) -> Person | None:
        """Return whose address this is, or None."""
        email = email.lower()
        for person in self._extra:
            if person.email.lower() == email:
                return person
        try:
            found = self.get(email.partition("@")[0])
        except NotKnown:
            return None
        return found if found.email == email else None

    def by_name(self, surname: str, birthdate: str) -> Person | None:
        """Return who has this surname and birth date, or None. This is how IND looks without a V-number."""
        for person in self._extra:
            if (person.surname, person.birthdate) == (surname, birthdate):
                return person
        if surname not in STORIES:
            return None
        number = (date.fromisoformat(birthdate) - _BORN).days + 1
        return _invent(surname, number) if 1 <= number <= NUMBER_MAX else None

    def listed(self) -> list[Person]:
        """Return one learner per story, and all that were handed in: for a list to choose from."""
        return [*self._extra, *(_invent(story, 1) for story in STORIES)]


def read_people(path: Path) -> People:
    """Read a file of people (a JSON list of Person) beside the invented ones. No file: only those."""
    if not path.exists():
        return People()
    return People(msgspec.json.decode(path.read_bytes(), type=tuple[Person, ...]))


def eleven_test(bsn: str) -> bool:
    """Say whether a number is a possible BSN: weights 9..2 and -1, a sum that eleven divides, nine digits."""
    if len(bsn) != 9 or not bsn.isdecimal():  # noqa: PLR2004 (a BSN has nine digits)
        return False
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(w * int(d) for w, d in zip(weights, bsn, strict=True)) % 11 == 0


def _parse(ref: str) -> tuple[str, int]:
    head, _, tail = ref.rpartition("-")
    slug, number = (head, int(tail)) if tail.isascii() and tail.isdecimal() and len(tail) < 5 else (ref, 1)  # noqa: PLR2004 (more digits are no number of ours)
    for story in STORIES:
        if story.lower() == slug and 1 <= number <= NUMBER_MAX:
            return story, number
    raise NotKnown(
        f"There is no learner of that name. Known stories: {', '.join(s.lower() for s in STORIES)}; "
        f"add -2 to -{NUMBER_MAX} for another learner of the same story."
    )


def _at(index: int) -> Person:
    story = tuple(STORIES)[index % len(STORIES)]
    return _invent(story, index // len(STORIES) + 1)


@cache
def _numbers() -> tuple[str, ...]:
    """All test numbers 9999xxxxx that pass the 11-test, in order."""
    return tuple(text for text in (f"9999{n:05}" for n in range(100_000)) if eleven_test(text))


@cache
def _index_of_bsn() -> Mapping[str, int]:
    return {bsn: index for index, bsn in enumerate(_numbers())}


def _invent(story: str, number: int) -> Person:
    index = (number - 1) * len(STORIES) + tuple(STORIES).index(story)
    slug = story.lower() if number == 1 else f"{story.lower()}-{number}"
    met = conduct(story)
    abroad = met.residence != "lawful" or met.residence_after_s > 0
    born = _BORN + timedelta(days=number - 1)
    return Person(
        ref=slug,
        givennames="Test" if number == 1 else f"Test {number}",
        surname=story,
        birthdate=born.isoformat(),
        registered_birthdate=(born + timedelta(days=1)).isoformat() if met.identity == "differs" else "",
        address=Address(
            street="Voorbeeldstraat", number=str(number), postcode="0000 AA", city="Voorbeeldstad", country="NL"
        ),
        email=f"{slug}@example.org",
        iban=_iban(index),
        bsn=_numbers()[index],
        nationality="BR" if abroad else "NL",
        vnumber=f"{2_900_000_000 + index}" if abroad else "",
        motivation="I want to learn what a switch does.",
        diplomas=_diplomas(met.education),
        foreign=_foreign(met.education),
    )


def _diplomas(kind: str) -> tuple[Diploma, ...]:
    if kind != "held":
        return ()
    return (
        Diploma(
            kind="vwo",
            name="Voorbereidend wetenschappelijk onderwijs",
            profile="Natuur en Techniek",
            day="2025-07-04",
            school="Voorbeeldcollege",
        ),
    )


def _foreign(kind: str) -> tuple[ForeignDiploma, ...]:
    if kind != "foreign":
        return ()
    return (
        ForeignDiploma(name="Test Certificate", country="BR", language="por", year=2025, school="Test School Fine"),
    )


def _iban(index: int) -> str:
    """Return an IBAN of the bank TEST, which is none, with right check digits (ISO 13616, mod 97)."""
    account = f"TEST{index:010}"
    digits = "".join(str(int(character, 36)) for character in f"{account}NL00")
    return f"NL{98 - int(digits) % 97:02}{account}"

"""What is asked and answered about a learner: who she is, what she finished, whether she may stay, her eduID."""

from typing import Annotated, Literal

import msgspec

from wissel.messages.fields import (
    Bsn,
    Code,
    Country,
    Day,
    Email,
    Language,
    Level,
    Line,
    MaybeDay,
    Name,
    Nationality,
    Payload,
    Text,
)


class Address(Payload, frozen=True, kw_only=True):
    """Where a person lives."""

    street: Line
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    postcode: Annotated[str, msgspec.Meta(max_length=12)] = ""
    city: Name
    country: Country


class Person(Payload, frozen=True, kw_only=True):
    """Who a learner says she is. RATHO 4.1(4): name, birth date, address, nationality.

    `prefix` is the infix of a Dutch surname ("van der"); `called` the name she goes by.
    """

    givennames: Name
    surname: Name
    prefix: Annotated[str, msgspec.Meta(max_length=30)] = ""
    called: Annotated[str, msgspec.Meta(max_length=100)] = ""
    birthdate: Day
    address: Address
    nationality: Nationality
    email: Email
    phone: Annotated[str, msgspec.Meta(max_length=20)] = ""


class IdentityAsked(Payload, frozen=True, kw_only=True):
    """Platform to DUO: is this person in the BRP as she says (RATHO 4.1(3))? `bsn` travels apart."""

    bsn: Bsn
    givennames: Name
    surname: Name
    prefix: Annotated[str, msgspec.Meta(max_length=30)] = ""
    birthdate: Day


class IdentityAnswered(Payload, frozen=True, kw_only=True):
    """DUO to the institution: `verified`, `differs` (in `fields`) or `unknown`.

    `educationnumber` is DUO's onderwijsnummer for who has no BSN (WHW 7.31e(3)); it travels apart.
    """

    result: Literal["verified", "differs", "unknown"]
    fields: Annotated[tuple[Name, ...], msgspec.Meta(max_length=10)] = ()
    educationnumber: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{9})?$(?!\n)")] = ""


class EducationAsked(Payload, frozen=True, kw_only=True):
    """Platform to DUO: which diplomas does the register hold (WRO 5(2)(g), 20(3))? `bsn` travels apart."""

    bsn: Bsn
    birthdate: Day


class Diploma(Payload, frozen=True, kw_only=True):
    """One diploma in DUO's register. `kind` is what a programme's `admits` names: "havo", "vwo", "mbo4", and so on."""

    kind: Code
    name: Line
    profile: Annotated[str, msgspec.Meta(max_length=100)] = ""
    day: Day
    school: Line


class Degree(Payload, frozen=True, kw_only=True):
    """An earlier degree of a funded institution since 1 September 1991: it matters for the fee (WHW 7.45a)."""

    level: Level
    day: Day
    field: Literal["education", "healthcare", "other"]
    institution: Line


class EducationAnswered(Payload, frozen=True, kw_only=True):
    """DUO to the institution: what the register holds. Empty lists mean: nothing in the register."""

    diplomas: Annotated[tuple[Diploma, ...], msgspec.Meta(max_length=50)] = ()
    degrees: Annotated[tuple[Degree, ...], msgspec.Meta(max_length=50)] = ()


class ResidenceAsked(Payload, frozen=True, kw_only=True):
    """Institution to IND: is this person's stay lawful on the first day (WHW 7.32(5))?"""

    vnumber: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{10})?$(?!\n)")] = ""
    givennames: Name
    surname: Name
    birthdate: Day
    nationality: Nationality
    day: Day


class ResidenceAnswered(Payload, frozen=True, kw_only=True):
    """IND to the institution. `lawful` says yes; `no` and `unknown` leave it to the institution."""

    result: Literal["lawful", "no", "unknown"]
    until: MaybeDay = ""


class DiplomaAsked(Payload, frozen=True, kw_only=True):
    """Institution to Nuffic: what is this foreign diploma worth?"""

    diploma: Line
    country: Country
    language: Language
    year: Annotated[int, msgspec.Meta(ge=1930, le=2100)]
    school: Line


class DiplomaAnswered(Payload, frozen=True, kw_only=True):
    """Nuffic to the institution: an advice, never a decision. `equivalent` is a diploma kind, or empty."""

    result: Literal["equivalent", "lower", "unknown"]
    equivalent: Annotated[str, msgspec.Meta(max_length=40)] = ""
    advice: Text


class EduidAsked(Payload, frozen=True, kw_only=True):
    """Platform to eduID: create or link her eduID (the remote-creation calls), for this institution.

    `verification` in eduID's own words; `brin` is the institution whose pseudonym is wanted.
    """

    email: Email
    chosenname: Name
    firstname: Name
    prefix: Annotated[str, msgspec.Meta(max_length=30)] = ""
    lastname: Name
    birthdate: Day
    verification: Literal["Geverifieerd", "Verifai", "Decentraal", "Ongeverifieerd"]
    brin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}[A-Z]{2}$(?!\n)")]


class EduidLinked(Payload, frozen=True, kw_only=True):
    """eduID to the institution: her pseudonym at this institution, and at no other."""

    result: Literal["created", "linked"]
    pseudonym: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

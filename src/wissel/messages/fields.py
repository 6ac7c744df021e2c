"""The small words that payloads are made of, each with its limit. Names on the wire are lower case."""

from datetime import date
from functools import cache
from typing import Annotated, Final, Literal

import msgspec

from wissel.messages.envelope import Day, Id, Line, Urn

Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}$(?!\n)")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Text = Annotated[str, msgspec.Meta(max_length=4000)]
Email = Annotated[str, msgspec.Meta(pattern=r"^[^@\s]+@[^@\s]+$(?!\n)", max_length=254)]
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)")]  # ISO 3166-1 alpha-2
Nationality = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2,3}$(?!\n)")]  # ISO 3166-1; XXX: stateless or unknown
Bsn = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{9}$(?!\n)")]
Iban = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$(?!\n)")]
Year = Annotated[str, msgspec.Meta(pattern=r"^20[0-9]{2}-[0-9]{2}$(?!\n)")]  # a study year, "2026-27"
MonthStart = Annotated[str, msgspec.Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-01$(?!\n)")]  # WHW 7.32(4)
MaybeDay = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)")]  # empty: there is none
Cents = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]  # SHA-256, base64url
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{3}$(?!\n)")]  # ISO 639-2

Form = Literal["fulltime", "parttime", "dual"]
Level = Literal["associate", "bachelor", "master"]
Sector = Literal["hbo", "wo"]
GateName = Literal[
    "identity", "education", "requirements", "studychoice", "language", "residence", "payment", "decision"
]
OpenGate = Literal["identity", "education", "requirements", "studychoice", "language", "residence", "payment"]

__all__ = [
    "Bsn",
    "Cents",
    "Code",
    "Country",
    "Day",
    "Digest",
    "Email",
    "Form",
    "GateName",
    "Iban",
    "Id",
    "Language",
    "Level",
    "Line",
    "MaybeDay",
    "MonthStart",
    "Name",
    "Nationality",
    "Objection",
    "OpenGate",
    "Payload",
    "Sector",
    "Text",
    "Urn",
    "Year",
]


YEARS: Final = range(1900, 2200)  # days on the wire lie in these years, so that no later sum can overflow


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every payload is: frozen, whole, without fields that nobody knows, and with days that exist."""

    def __post_init__(self) -> None:
        """Raise ValueError for a day that is on no calendar: its pattern alone would let it through."""
        for name in _days(type(self)):
            day = getattr(self, name)
            if day and not _exists(day):
                raise ValueError(f"`{name}` is not a day between {YEARS[0]} and {YEARS[-1]}")


@cache
def _days(kind: type[Payload]) -> tuple[str, ...]:
    """Return the fields of a payload that hold a day."""
    return tuple(each.name for each in msgspec.structs.fields(kind) if each.type in (Day, MaybeDay))


def _exists(day: str) -> bool:
    try:
        return date.fromisoformat(day).year in YEARS
    except ValueError:
        return False


class Objection(Payload, frozen=True, kw_only=True):
    """How, where and until when one may object: six weeks, one facility per institution (WHW 7.59a).

    `until` is the last Dutch day on which the facility may receive it; `where` is its address.
    """

    until: Day
    where: Line
    how: Text

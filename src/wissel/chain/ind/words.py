"""Questions to IND and its answers, on the wire."""

from typing import Annotated, Literal

import msgspec

from wissel.messages.fields import Day, Name, Nationality

RequestId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)")]


class ResidenceQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Is this person's stay lawful on `day`? Without a V-number IND looks by surname and birth date."""

    vnumber: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{10})?$(?!\n)")] = ""
    givennames: Name
    surname: Name
    birthdate: Day
    nationality: Nationality
    day: Day


class ResidenceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`pending`: IND looks into it, ask again. `until`: the last day of the permit, empty when it needs none."""

    result: Literal["lawful", "no", "unknown", "pending"]
    until: str = ""
    ground: str = ""

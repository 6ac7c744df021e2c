"""Questions to Nuffic and its advice, on the wire."""

from typing import Annotated, Literal

import msgspec

from wissel.messages.fields import Country, Language, Line


class DiplomaQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is this diploma worth in the Netherlands?"""

    diploma: Line
    country: Country
    language: Language
    year: Annotated[int, msgspec.Meta(ge=1930, le=2100)]
    school: Line


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a case stands. `result`, `equivalent` (a diploma kind) and `advice` are there once it is given."""

    case: str
    state: Literal["received", "given"]
    result: Literal["", "equivalent", "lower", "unknown"] = ""
    equivalent: str = ""
    advice: str = ""

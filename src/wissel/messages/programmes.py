"""What an institution says about itself and its programmes on its card: settings without persons."""

from typing import Annotated, Any, Literal

import msgspec

from wissel.messages.fields import Code, Form, Language, Level, Line, OpenGate, Sector

GateSetting = Literal["always", "asked", "never"]


class Programme(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One programme (opleiding) in one form.

    `admits`: the kinds of Dutch diploma that meet the prior-education gate by themselves. `gates`: per gate
    "always" set, never ("never"), or the institution says so per learner ("asked", also when absent).
    `starts`: months-and-days on which one may begin, "09-01" first.
    """

    code: Code
    name: Line
    form: Form
    level: Level
    sector: Sector
    language: Language = "nld"
    gates: dict[OpenGate, GateSetting] = {}
    admits: Annotated[tuple[Code, ...], msgspec.Meta(max_length=50)] = ()
    starts: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}-01$(?!\n)")], ...], msgspec.Meta(max_length=12)
    ] = ("09-01",)
    selection: bool = False


class InstitutionSettings(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the process reads of `card.settings`; other keys on the card are left alone."""

    brin: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{2}[A-Z]{2})?$(?!\n)")] = ""
    programmes: Annotated[tuple[Programme, ...], msgspec.Meta(max_length=2000)] = ()

    def programme(self, code: str, form: str) -> Programme | None:
        """Return the programme that the card names, or None."""
        return next((each for each in self.programmes if each.code == code and each.form == form), None)


def read_settings(settings: dict[str, Any]) -> InstitutionSettings:
    """Read a card's settings. Raises msgspec.ValidationError that says where."""
    return msgspec.convert(settings, InstitutionSettings)

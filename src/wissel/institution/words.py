"""What an institution lays down about itself for its connector: who it is, its fees, its rule, and who serves it."""

from typing import Annotated, Final, Literal

import msgspec

from wissel.messages.envelope import Line, Urn
from wissel.messages.fields import Cents, OpenGate, Text
from wissel.messages.programmes import InstitutionSettings

# "Dutch, or treated as" (WHW 7.32(5)(a)), and the groups of Wsf 2000 art. 2.2 for the fee: EU, EEA and Swiss.
EUROPE: Final = frozenset({
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR",
    "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL",
    "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
SURINAME: Final = "SR"  # WHW 7.45a: Surinamese pay the statutory fee too


class Fees(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fees of one study year, in cents, as the institution states them, and where they stand.

    `partial`: the statutory fee of who studies part-time or dual. `fictitious`: amounts of a sample institution.
    """

    studyyear: str
    statutory: Cents
    partial: Cents
    institutional: Cents
    source: Line
    fictitious: bool


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may go without a person. It can only say yes: there is no field by which it could refuse.

    `admits`: admit who is verified, has a diploma that gives access, and has nothing open at the institution.
    `meets`: gates that the institution's own systems have confirmed beforehand, with the ground to name.
    """

    admits: bool = False
    meets: dict[OpenGate, Line] = {}
    role: Line = "admission rule"


class Objections(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The one facility for complaints, objections and appeals, and how to reach it (WHW 7.59a)."""

    where: Line
    how: Text


class House(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One institution that a connector serves.

    `supplier` runs the connector under `mandate`; both are empty when the institution runs it itself. `short` is the
    name of its folder and its place in the connector's addresses.
    """

    urn: Urn
    short: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$(?!\n)")]
    name: Line
    settings: InstitutionSettings
    fees: Annotated[tuple[Fees, ...], msgspec.Meta(max_length=20)]
    objections: Objections
    rule: Rule = Rule()
    supplier: str = ""
    mandate: str = ""

    def fees_of(self, studyyear: str) -> Fees | None:
        """Return what is laid down for a study year, or None: then a person states the fee."""
        return next((fees for fees in self.fees if fees.studyyear == studyyear), None)


Decision = Literal["admitted", "conditional", "refused"]
GateDecision = Literal["met", "notmet", "waived"]


def as_dutch(nationality: str) -> bool:
    """Say whether no residence status is asked of somebody with this nationality (WHW 7.32(5)(a))."""
    return nationality in EUROPE


def entitled(nationality: str) -> bool:
    """Say whether the nationality alone gives the statutory fee (WHW 7.45a; Wsf 2000 art. 2.2)."""
    return nationality in EUROPE or nationality == SURINAME

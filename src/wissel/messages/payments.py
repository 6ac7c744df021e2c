"""The tuition fee and the mandate by which it will be paid. Amounts are integer cents of euro."""

from typing import Annotated, Literal

import msgspec

from wissel.messages.fields import Cents, Day, Iban, Id, Line, Name, Payload, Text, Year

Basis = Literal["statutory", "institutional", "exempt"]
Way = Literal["once", "instalments"]

# The closed list of WHW 7.47a and 7.48: nothing else may lower the statutory fee (7.48(5)).
ReductionGround = Literal["secondenrolment", "mbofee", "joinedlater", "boardyear"]


class PaymentChoice(Payload, frozen=True, kw_only=True):
    """How the learner wants to pay: at once, or in five instalments (WHW 7.47(1)).

    `payer` "third": somebody else pays, whom her consent must name (WHW 7.37(3)).
    """

    way: Way
    iban: Iban
    holder: Name
    payer: Literal["self", "third"] = "self"


class Reduction(Payload, frozen=True, kw_only=True):
    """One lawful reduction: its ground, its amount, and what proves it (a BBC, an MBO receipt)."""

    ground: ReductionGround
    amount: Cents
    evidence: Line


class FeeStated(Payload, frozen=True, kw_only=True):
    """Institution to learner: the fee for this study year and how it follows from the law.

    `annual` is the fee of a whole year on this basis, `source` where that amount stands; `amount` is `annual` minus the
    reductions. `fictitious` marks amounts of sample institutions. `costs`: administration, at most 2400 (UB 2.4).
    """

    studyyear: Year
    basis: Basis
    article: Line
    annual: Cents
    amount: Cents
    reductions: Annotated[tuple[Reduction, ...], msgspec.Meta(max_length=4)] = ()
    costs: Annotated[int, msgspec.Meta(ge=0, le=2400)] = 0
    source: Line
    explanation: Text = ""
    fictitious: bool = False


class MandateAsked(Payload, frozen=True, kw_only=True):
    """Platform to the PSP, for the institution as creditor: ask a mandate for this amount.

    `statement` is the id of the fee.stated message; the answer repeats it. `order` is what a cancellation names.
    """

    order: Id
    statement: Id
    creditor: Line
    studyyear: Year
    amount: Cents
    parts: Annotated[int, msgspec.Meta(ge=1, le=12)]
    iban: Iban
    holder: Name
    payer: Literal["self", "third"] = "self"
    due: Day


class MandateConfirmed(Payload, frozen=True, kw_only=True):
    """PSP to the institution: the mandate exists, or not. Confirmed is enough (WHW 7.37(2))."""

    statement: Id
    result: Literal["confirmed", "declined"]
    reference: Annotated[str, msgspec.Meta(max_length=35)] = ""
    amount: Cents
    parts: Annotated[int, msgspec.Meta(ge=1, le=12)]


class MandateCancelled(Payload, frozen=True, kw_only=True):
    """Platform to the PSP: this order stands no more; nothing is collected on it, whatever was or will be said of it.

    `order` is that of mandate.asked. The request ended, another fee was stated, or the payer's consent was taken back.
    """

    order: Id

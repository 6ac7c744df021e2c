"""What goes over the PSP's wire. Amounts are integer cents of euro."""

from typing import Annotated, Literal

import msgspec

from wissel.messages.fields import Cents, Day, Iban, Line, Name, Year

State = Literal["open", "confirmed", "declined", "expired", "cancelled"]


class MandateOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ask a payer's mandate for `creditor` (the institution: the fee is owed to it, WHW 7.43(1)).

    `due` is the last day on which it may be confirmed. `webhook` is told when something changed; empty: nobody.
    """

    creditor: Line
    studyyear: Year
    amount: Cents
    parts: Annotated[int, msgspec.Meta(ge=1, le=12)]
    iban: Iban
    holder: Name
    payer: Literal["self", "third"] = "self"
    due: Day
    webhook: Annotated[str, msgspec.Meta(pattern=r"^(https?://.+)?$(?!\n)", max_length=500)] = ""


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate as it stands. `reference` is what stands on a bank statement (35 characters at most).

    `link` is where the payer decides for herself; it holds a key, so it is for her alone.
    """

    mandate: str
    state: State
    reference: str
    amount: int
    parts: int
    link: str = ""


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What the webhook says: look at this mandate. Who fetches it learns how it stands."""

    mandate: str


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the payer says at the link. `key` is the one in the link."""

    key: Annotated[str, msgspec.Meta(max_length=64)]
    decision: Literal["confirm", "decline"]


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What the book holds, without a payer: mandates per state, and the cents that confirmed ones cover."""

    open: int
    confirmed: int
    declined: int
    expired: int
    cancelled: int
    cents: int

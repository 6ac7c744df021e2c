"""What the connector tells the financial system. Each change has an `id`, so that it happens once."""

import msgspec


class Change(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Something to book for the registration of a process."""

    id: str
    process: str


class Charged(Change, frozen=True, kw_only=True):
    """A fee was stated: it replaces the one before, if any."""

    amount_cents: int
    basis: str
    studyyear: str


class Mandated(Change, frozen=True, kw_only=True):
    """A mandate was confirmed ("confirmed"), or declined."""

    result: str
    reference: str
    amount_cents: int
    parts: int


class Cancelled(Change, frozen=True, kw_only=True):
    """The registration stopped before it began: nothing is due, and no mandate stands."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What is booked for one registration."""

    process: str
    amount_cents: int
    basis: str
    studyyear: str
    mandate: str
    cancelled: bool

"""Pure: what a standing grant covers, and when."""

from collections.abc import Collection
from datetime import date

from wissel.messages.participant import StandingGrant


def covers(grant: StandingGrant, grantor: str, roles: Collection[str], kind: str, day: date) -> bool:
    """Tell whether by this grant who speaks in one of `roles` may send `kind` to `grantor` on a Dutch day.

    Architecture rule 6: it names who, what and until when; the last day counts.
    """
    return (
        grant.grantor == grantor
        and grant.role in roles
        and grant.type == kind
        and grant.since <= day.isoformat() <= grant.until
    )

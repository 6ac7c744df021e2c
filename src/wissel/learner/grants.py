"""Grants: which token may do what. Pure, but for the bytes of a new token, which are handed in.

A token is `<id>.<secret>`: the id finds the grant, the secret's SHA-256 must be the one that is kept.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal

from wissel.client.vaults import NoGrant, NotGranted, Withdrawn
from wissel.core.entropy import Entropy
from wissel.core.moments import dutch_day, end_of, parse_rfc3339, rfc3339
from wissel.learner.errors import Unfit
from wissel.learner.words import Asked, Given, Grant, Kind, Opening
from wissel.messages.verify import b64, sha256

Act = Literal["deliver", "profile", "grant", "own"]

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", re.ASCII)
DEAD_KEPT: Final = timedelta(days=30)  # so long its owner still sees a grant that is dead
YEARS_MAX: Final = 10  # a grant ends; a capability may outlive a study, not a career

# The owner does everything. A portal works on her profile and gives tokens to those who deliver to her.
ALLOWED: Final[Mapping[Kind, frozenset[Act]]] = {
    "owner": frozenset({"deliver", "profile", "grant", "own"}),
    "portal": frozenset({"profile", "grant"}),
    "process": frozenset({"deliver"}),
    "capability": frozenset({"deliver"}),
}


def owner_grant(opening: Opening, now: datetime) -> Grant:
    """Return the owner's grant on a vault that is being opened. It is as long as a grant can be."""
    return Grant(
        id=opening.grant,
        kind="owner",
        holder="",
        purpose="to own this vault",
        until=_years_later(dutch_day(now)).isoformat(),
        digest=opening.digest,
        made=rfc3339(now),
        maker="",
    )


def new_grant(asked: Asked, maker: Grant, now: datetime, entropy: Entropy) -> tuple[Grant, Given]:
    """Return the grant that `maker` gives, until its own ends at the latest, and what its holder is shown once.

    Raises NotGranted or Unfit.
    """
    if maker.kind != "owner" and asked.kind == "portal":
        raise NotGranted("Only the owner of a vault may give a portal access.", field="/kind")
    until = _day(asked.until)
    if not dutch_day(now) <= until <= _years_later(dutch_day(now)):
        raise Unfit(f"A grant ends today or later, and within {YEARS_MAX} years.", field="/until")
    head, secret = b64(entropy.draw(16)), b64(entropy.draw(32))
    grant = Grant(
        id=head,
        kind=asked.kind,
        holder=asked.holder,
        purpose=asked.purpose,
        until=min(until.isoformat(), maker.until),
        digest=b64(sha256(secret.encode())),
        made=rfc3339(now),
        maker=maker.id,
    )
    return grant, Given(id=grant.id, token=f"{head}.{secret}", until=grant.until)


def token_id(token: str) -> str:
    """Return the id half of a token. Raises NoGrant when it has not the form of one."""
    if not _TOKEN.fullmatch(token):
        raise NoGrant("This request bears no token of this vault: Authorization: Bearer <token>.")
    return token.partition(".")[0]


def check(grant: Grant | None, token: str, act: Act, now: datetime) -> Grant:
    """Return the grant under which `act` is allowed now. Raises NoGrant, Withdrawn or NotGranted."""
    secret = token.partition(".")[2]
    if grant is None or not hmac.compare_digest(grant.digest, b64(sha256(secret.encode()))):
        raise NoGrant("This vault never gave out this token.")
    if grant.revoked:
        raise Withdrawn("The owner of this vault has withdrawn this grant.")
    if end_of(_day(grant.until)) <= now:
        raise Withdrawn("The end date of this grant has passed.")
    if act not in ALLOWED[grant.kind]:
        raise NotGranted(f"A {grant.kind} grant does not allow this.")
    return grant


def is_over(grant: Grant, now: datetime) -> bool:
    """Tell whether a grant was withdrawn or ended so long ago that it goes. Its owner's own stays with the vault."""
    dead = end_of(_day(grant.until))
    if grant.revoked:
        dead = min(dead, parse_rfc3339(grant.revoked))
    return grant.kind != "owner" and now >= dead + DEAD_KEPT


def may_revoke(actor: Grant, target: Grant) -> None:
    """Let the owner revoke all but her own grant, and a portal itself and what it gave. Raises NotGranted."""
    own = actor.id in {target.id, target.maker}
    if target.kind == "owner" or not (actor.kind == "owner" or own):
        raise NotGranted("Only the owner, or who gave this grant, may withdraw it.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unfit("This is not a day: YYYY-MM-DD.", field="/until") from None


def _years_later(day: date) -> date:
    return date(day.year + YEARS_MAX, day.month, min(day.day, 28))

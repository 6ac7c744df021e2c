"""Tell who the learner is on whose behalf a portal calls."""

from datetime import datetime
from typing import Final

import msgspec

from wissel.core.errors import WisselError
from wissel.messages.verify import Refused, check_jws, jws_header
from wissel.platform.identity.errors import LearnerTokenRefused
from wissel.platform.identity.ports import Directory, Holder
from wissel.platform.identity.rules import Claims, login_clients, why_not
from wissel.platform.identity.words import HEADER, Learner

TOKEN_CHARS_MAX: Final = 8000


def learner_of(token: str, portal: str, directory: Directory, now: datetime) -> Learner:
    """Return who is logged in at `portal`, by the id_token of its log-in client. Raises LearnerTokenRefused.

    Deny by default: no token, one of another issuer, client or kind, or one that is over, is nobody.
    """
    if not token:
        raise _no("there is none")
    if len(token) > TOKEN_CHARS_MAX:
        raise _no(f"it is longer than {TOKEN_CHARS_MAX} characters")
    try:
        header = jws_header(token)
        provider = _provider(str(header.get("kid", "")), directory, now)
        header, payload = check_jws(token, provider.key.jwk)
        claims = msgspec.json.decode(payload, type=Claims)
    except Refused as error:
        raise _no(f"its signature does not hold ({error.code})") from None
    except msgspec.MsgspecError:
        raise _no("it lacks a claim, or has one of another kind") from None
    if claims.iss != provider.card.issuer:
        raise _no("it is of another issuer")
    why = why_not(header, claims, login_clients(directory.card(portal)), now)
    if why:
        raise _no(why)
    return Learner(claims.iss, portal, claims.sub, claims.acr)


def _provider(kid: str, directory: Directory, now: datetime) -> Holder:
    try:
        holder = directory.live_key(kid, "id_token", now)
    except WisselError:
        raise _no("its key is not a live one of an identity provider") from None
    if "eduid" not in holder.card.roles or not holder.card.issuer:
        raise _no("it is of nobody who authenticates learners")
    return holder


def _no(why: str) -> LearnerTokenRefused:
    return LearnerTokenRefused(
        f"The learner's token is refused: {why}. Let her log in at this portal and send the id_token of that.",
        field=HEADER,
    )

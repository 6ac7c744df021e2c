"""From what she wishes and what her profile holds to a payload; and whose grant a message leans on: pure."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from wissel.chain.errors import Invalid, NotKnown
from wissel.chain.portal.words import Profile, Wish
from wissel.core.academic import study_year
from wissel.core.moments import parse_rfc3339
from wissel.messages.enrolment import EnrolmentRequested, ForeignDiploma
from wissel.messages.identity import Person
from wissel.messages.jose import hash64
from wissel.messages.participant import Card, StandingGrant
from wissel.messages.payments import PaymentChoice
from wissel.messages.verify import Refused, check_jws

DELIVER_DAYS: Final = 60  # the platform may deliver to her vault this much longer than a request can exist
REACH_YEARS: Final = 4  # and the institution may reach her this long: a bachelor's programme and a little


def payload(wish: Wish, profile: Profile, bsn: str) -> EnrolmentRequested:
    """Return the request. Raises Invalid when profile and wish do not make one."""
    try:
        return EnrolmentRequested(
            studyyear=wish.studyyear,
            programme=wish.programme,
            form=wish.form,
            start=wish.start or study_year(wish.studyyear).first.isoformat(),
            person=msgspec.convert(profile.person, Person),
            payment=msgspec.convert(
                {"way": wish.way, "iban": profile.iban, "holder": profile.holder, "payer": wish.payer}, PaymentChoice
            ),
            bsn=bsn,
            foreigndiplomas=msgspec.convert(profile.foreigndiplomas, tuple[ForeignDiploma, ...]),
            motivation=wish.motivation or profile.motivation,
        )
    except (msgspec.ValidationError, ValueError) as error:
        raise Invalid("Her profile or her wish lacks something that a request needs.") from error


def grant_for(cards: Iterable[Card], recipient: str, kind: str) -> str:
    """Return the hash of the standing grant by which learners may send `kind` to `recipient`. Raises NotKnown."""
    for card in cards:
        if card.urn != recipient:
            continue
        signers = [key.jwk for key in card.keys if key.use == "sign"]
        for compact in card.grants:
            grant = _read(compact, signers)
            if grant and (grant.grantor, grant.role, grant.type) == (recipient, "learner", kind):
                return hash64(compact)
    raise NotKnown(f"{recipient} is not on the list of participants, or takes no {kind} from learners.")


def seal_key(cards: Iterable[Card], urn: str, now: datetime) -> dict[str, str]:
    """Return the public key to which files for `urn` are sealed. Raises NotKnown."""
    for key in (key for card in cards if card.urn == urn for key in card.keys):
        if key.use == "seal" and parse_rfc3339(key.since) <= now < parse_rfc3339(key.until):
            return key.jwk
    raise NotKnown(f"{urn} has no key on its card to seal to.")


def deliver_until(end: date) -> date:
    """Return until when the platform may deliver to her vault in a process whose first message ends on `end`."""
    return end + timedelta(days=DELIVER_DAYS)


def reach_until(today: date) -> date:
    """Return until when an institution may reach her after the process was forgotten."""
    return date(today.year + REACH_YEARS, 8, 31)


def _read(compact: str, signers: Iterable[dict[str, str]]) -> StandingGrant | None:
    for jwk in signers:
        try:
            return msgspec.json.decode(check_jws(compact, jwk)[1], type=StandingGrant)
        except (Refused, msgspec.MsgspecError):
            continue
    return None

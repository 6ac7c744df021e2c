"""Grants (rule 6): checked when a message is accepted, and again when it is handed out.

To an organisation: a standing grant that it signed. To the learner: her own request, named by its commitment, or the
capability that it left.
"""

from collections.abc import Collection
from datetime import datetime

from wissel.core.moments import dutch_day
from wissel.messages.envelope import LEARNER, Envelope
from wissel.platform.exchange.errors import NotGranted
from wissel.platform.participants.actions import Participants
from wissel.platform.participants.rules import covers


def check_accepted(
    envelope: Envelope, roles: Collection[str], participants: Participants, opening: str, now: datetime
) -> None:
    """Hold a message that comes in to the very grant that it names. `opening` opened its process. Raises NotGranted."""
    if envelope.recipient.startswith(LEARNER):
        _check_request(envelope, opening)
        return
    grant = participants.grant(envelope.grant)
    if grant is None or not covers(grant, envelope.recipient, roles, envelope.type, dutch_day(now)):
        raise _without_grant(envelope)


def check_handed_out(envelope: Envelope, participants: Participants, opening: str, now: datetime) -> None:
    """Hold a message that is handed out to a grant that is live now; a renewed one will do. Raises NotGranted."""
    if envelope.recipient.startswith(LEARNER):
        _check_request(envelope, opening)
    elif not may_send(envelope.source, envelope.recipient, envelope.type, participants, now):
        raise _without_grant(envelope)


def may_send(source: str, recipient: str, kind: str, participants: Participants, now: datetime) -> bool:
    """Tell whether `recipient` has a live standing grant by which `source` may send it `kind`."""
    roles = ("learner",) if source.startswith(LEARNER) else participants.card(source).roles
    return any(participants.grant_for(recipient, role, kind, now) for role in roles)


def _check_request(envelope: Envelope, opening: str) -> None:
    if envelope.grant != opening:
        raise NotGranted("A message to the learner leans on her request: name its commitment.", field="/envelope/grant")


def _without_grant(envelope: Envelope) -> NotGranted:
    return NotGranted(
        f"{envelope.recipient} has no live standing grant for {envelope.type} by this sender.", field="/envelope/grant"
    )

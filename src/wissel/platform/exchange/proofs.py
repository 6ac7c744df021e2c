"""Who stands for a commitment: a participant that signs, or a learner who authenticated for it."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from wissel.messages.envelope import SenderProof
from wissel.messages.verify import Refused, b64, check_jws, jws_header, sha256
from wissel.platform.exchange.errors import EnvelopeRefused, SenderUnproven
from wissel.platform.exchange.rules import Read, nonce_of
from wissel.platform.exchange.words import Limits
from wissel.platform.participants.actions import KnownKey, Participants


class Proven(NamedTuple):
    """What was proven: the roles in which the sender speaks, the keys used, and a learner's assurance."""

    roles: frozenset[str]
    kids: tuple[str, ...]
    acr: str


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What an id_token must say (OpenID Connect Core section 2); moments in seconds since 1970."""

    iss: str
    aud: str | tuple[str, ...]
    nonce: str
    exp: int | float
    auth_time: int | float
    acr: str = ""


def check_sender(read: Read, caller: str, participants: Participants, now: datetime, limits: Limits) -> Proven:
    """Check the proof of the sender. Raises SenderUnproven with the field at fault."""
    if read.submission.sender.kind == "signature":
        return _check_participant(read, caller, participants, now)
    return _check_learner(read, caller, participants, now, limits)


def check_provider(provider: str, portal: str, participants: Participants) -> None:
    """Hold who signs for the learner to a vault's provider, or to the portal that calls: her place for downloads."""
    if provider != portal and "provider" not in participants.card(provider).roles:
        raise EnvelopeRefused(
            "Who signs for the learner is a vault's provider, or this portal itself.", field="/addressee/provider"
        )


def _check_participant(read: Read, caller: str, participants: Participants, now: datetime) -> Proven:
    envelope = read.envelope
    if caller != envelope.source:
        raise SenderUnproven("A participant sends its own messages only.", field="/envelope/source")
    known = _signer(read.submission.sender.jws, read.commitment, participants, now)
    if known.card.urn != envelope.source:
        raise SenderUnproven("The key belongs to somebody else than the source.", field="/sender/jws")
    return Proven(frozenset(known.card.roles), (known.key.kid,), "")


def _check_learner(read: Read, caller: str, participants: Participants, now: datetime, limits: Limits) -> Proven:
    sender = read.submission.sender
    if read.envelope.source != read.envelope.subject:
        raise SenderUnproven("Only a learner sends by authenticating.", field="/envelope/source")
    if sender.portal != caller:
        raise SenderUnproven("The portal that sends must be the portal that is named.", field="/sender/portal")
    portal = _signer(sender.jws, read.commitment, participants, now)
    if portal.card.urn != caller or "portal" not in portal.card.roles:
        raise SenderUnproven("The key does not belong to this portal.", field="/sender/jws")
    if sender.tokenhash != b64(sha256(sender.token.encode())):
        raise SenderUnproven("tokenhash is base64url SHA-256 of the token.", field="/sender/tokenhash")
    provider, claims = _read_token(sender, participants, now)
    age, skew = timedelta(seconds=limits.authentication_age_s_max), timedelta(seconds=limits.clock_skew_s_max)
    _check_claims(claims, nonce_of(read.commitment), provider, portal, (now - age, now - skew, now + skew))
    return Proven(frozenset({"learner"}), (portal.key.kid, provider.key.kid), claims.acr)


def _signer(jws: str, commitment: bytes, participants: Participants, now: datetime) -> KnownKey:
    try:
        known = participants.live_key(str(jws_header(jws).get("kid", "")), "sign", now)
        check_jws(jws, known.key.jwk, commitment)
    except Refused as error:
        raise SenderUnproven(
            f"The signature over the commitment does not hold: {error.sentence}", field="/sender/jws"
        ) from None
    return known


def _read_token(sender: SenderProof, participants: Participants, now: datetime) -> tuple[KnownKey, _Claims]:
    try:
        known = participants.live_key(str(jws_header(sender.token).get("kid", "")), "id_token", now)
        if "eduid" not in known.card.roles:
            raise SenderUnproven("The id_token is of nobody who authenticates learners.", field="/sender/token")
        _, payload = check_jws(sender.token, known.key.jwk)
        claims = msgspec.json.decode(payload, type=_Claims)
    except Refused as error:
        raise SenderUnproven(f"The id_token does not hold: {error.sentence}", field="/sender/token") from None
    except msgspec.MsgspecError:
        raise SenderUnproven("The id_token lacks a claim, or has one of another kind.", field="/sender/token") from None
    return known, claims


def _check_claims(
    claims: _Claims,
    nonce: str,
    provider: KnownKey,
    portal: KnownKey,
    window: tuple[datetime, datetime, datetime],
) -> None:
    signed_first, expires_first, latest = (moment.timestamp() for moment in window)
    clients = portal.card.settings.get("clients", [])
    audiences = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    reasons = {
        "it is of another issuer": claims.iss != provider.card.issuer,
        "its nonce is not that of this commitment": claims.nonce != nonce,
        "it was made for another client than this portal's signing client": not set(audiences) & set(clients),
        "it has expired": claims.exp < expires_first,
        "she authenticated too long ago": claims.auth_time < signed_first,
        "it lies in the future": claims.auth_time > latest,
    }
    for reason, holds in reasons.items():
        if holds:
            raise SenderUnproven(f"The id_token is refused: {reason}. Let her sign again.", field="/sender/token")

"""Is an offered message what it says it is? The platform's counter-signature, the sender's proof, the commitment.

`Unsound` says what a receiver answers: "rejected" when the message itself is wrong, "later" when only our knowledge of
the others' keys may be behind, and nothing at all ("") when the platform did not even sign for it.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

import msgspec

from wissel.core.errors import WisselError
from wissel.core.moments import parse_rfc3339
from wissel.institution.connector.words import Heard
from wissel.institution.directory import Directory, Published
from wissel.institution.errors import InstitutionError
from wissel.messages.catalogue import decode, lookup
from wissel.messages.envelope import LEARNER, Offered
from wissel.messages.records import Acknowledgement, hash_proof, nonce_for, read_acknowledgement
from wissel.messages.verify import (
    Refused,
    b64,
    canonical,
    check_jws,
    commit,
    jws_header,
    open_jwe,
    parse,
    parse_json,
    unb64,
)

HEADER_TYPE: Final = "wissel-header+jws"


class Unsound(InstitutionError):
    """An offered message is not what it says it is. `why` is a stable code, `answer` the outcome to sign, if any."""

    code: ClassVar[str] = "institution-message-unsound"
    status: ClassVar[int] = 422

    def __init__(self, why: str, sentence: str, answer: str) -> None:
        super().__init__(sentence)
        self.why = why
        self.answer = answer


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The delivery header: who the learner is in this party's own books, and how to reach her later."""

    commitment: str
    party: str
    pseudonym: str
    capability: str


def check(offered: Offered, *, me: str, directory: Directory) -> Heard:
    """Return the message when everything about it holds. Raises Unsound."""
    acknowledged = _acknowledgement(offered, directory)
    payload = _payload(offered)
    commitment = _commitment(offered, payload)
    facts = {
        "commitment": acknowledged.commitment == b64(commitment),
        "sender": acknowledged.sender == hash_proof(offered.sender),
        "log": acknowledged.log == offered.envelope.log,
    }
    wrong = [name for name, holds in facts.items() if not holds]
    if wrong:
        raise Unsound("acknowledgement", f"The platform signed for another {wrong[0]}.", "")
    if offered.envelope.recipient != me:
        raise Unsound("recipient", "The message is for somebody else.", "rejected")
    received = parse_rfc3339(acknowledged.received)
    _sender(offered, commitment, received, directory)
    try:
        lookup(offered.envelope.type)
        data = decode(offered.envelope.type, payload)
    except WisselError as error:
        raise Unsound(error.code, error.sentence, "rejected") from error
    return Heard(offered.envelope, data, b64(commitment), received)


def platform_key(kid: str, directory: Directory) -> dict[str, str] | None:
    """Return the public JWK of a key with which the platform signs, or None; a revoked one proves nothing more."""
    known = directory.key(kid)
    if known is None or known.revoked or "platform" not in known.holder.roles or known.key.use != "sign":
        return None
    return known.key.jwk


def read_header(offered: Offered, seal: dict[str, str], directory: Directory) -> Header | None:
    """Open a delivery header with our private sealing JWK; None when there is none. Raises Unsound."""
    if not offered.header:
        return None
    try:
        signed = open_jwe(offered.header, seal).decode("ascii", "replace")
        jwk = platform_key(str(jws_header(signed).get("kid")), directory)
        if jwk is None:
            raise Unsound("header", "The delivery header is not signed by the platform.", "later")
        header, payload = check_jws(signed, jwk)
        found = msgspec.convert(parse(payload), Header)
    except (Refused, msgspec.ValidationError) as error:
        raise Unsound("header", f"The delivery header does not hold: {error}", "rejected") from error
    fits = header.get("typ") == HEADER_TYPE and found.party == offered.envelope.recipient
    if not fits or found.commitment != _claimed(offered):
        raise Unsound("header", "The delivery header belongs to another message or party.", "rejected")
    return found


def _acknowledgement(offered: Offered, directory: Directory) -> Acknowledgement:
    try:
        jwk = platform_key(str(jws_header(offered.acknowledgement).get("kid")), directory)
        if jwk is not None:
            return read_acknowledgement(offered.acknowledgement, jwk)
    except Refused as refused:
        raise Unsound("acknowledgement", refused.sentence, "") from None
    raise Unsound("acknowledgement", "The acknowledgement is not signed by the platform.", "")


def _claimed(offered: Offered) -> str:
    return b64(_commitment(offered, _payload(offered)))


def _payload(offered: Offered) -> bytes:
    try:
        return canonical(parse_json(bytes(offered.data)))
    except Refused as refused:
        raise Unsound("payload", refused.sentence, "rejected") from None


def _commitment(offered: Offered, payload: bytes) -> bytes:
    try:
        return commit(unb64(offered.nonce), msgspec.to_builtins(offered.envelope), payload)
    except Refused as refused:
        raise Unsound("commitment", refused.sentence, "rejected") from None


def _sender(offered: Offered, commitment: bytes, at: datetime, directory: Directory) -> None:
    """Check who stands for the commitment: the source itself, or a learner at a portal."""
    sender, envelope = offered.sender, offered.envelope
    signer = _signer(sender.jws, commitment, "sign", at, directory)
    if sender.kind == "signature":
        if signer.holder.urn != envelope.source:
            raise Unsound("sender", "The signature is of somebody else than the source.", "rejected")
        return
    from_learner = envelope.source == envelope.subject and envelope.source.startswith(LEARNER)
    if not from_learner or signer.holder.urn != sender.portal or "portal" not in signer.holder.roles:
        raise Unsound("sender", "The portal's signature does not fit the learner's message.", "rejected")
    if sender.token:
        _token(sender.token, commitment, at, directory)


def _token(token: str, commitment: bytes, at: datetime, directory: Directory) -> None:
    """Check the id_token by which a learner signed: the provider's signature, issuer, and nonce for this message."""
    provider = _key(token, "id_token", at, directory)
    try:
        claims: Any = parse_json(check_jws(token, provider.key.jwk)[1])
    except Refused as refused:
        raise Unsound("authentication", refused.sentence, "rejected") from None
    issuer, nonce = (claims.get("iss"), claims.get("nonce")) if isinstance(claims, dict) else (None, None)
    if issuer != provider.holder.issuer or nonce != nonce_for(commitment):
        raise Unsound("authentication", "The learner authenticated for another message.", "rejected")


def _signer(jws: str, commitment: bytes, use: str, at: datetime, directory: Directory) -> Published:
    known = _key(jws, use, at, directory)
    try:
        check_jws(jws, known.key.jwk, commitment)
    except Refused as refused:
        raise Unsound("signature", refused.sentence, "rejected") from None
    return known


def _key(compact: str, use: str, at: datetime, directory: Directory) -> Published:
    try:
        known = directory.key(str(jws_header(compact).get("kid")))
    except Refused as refused:
        raise Unsound("signature", refused.sentence, "rejected") from None
    if known is None:
        raise Unsound("key-unknown", "The sender's key is not known here yet.", "later")
    if not known.live(use, at):
        raise Unsound("key-not-live", "The sender's key was not live when the platform took the message.", "rejected")
    return known

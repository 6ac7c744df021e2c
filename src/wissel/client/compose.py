"""Makes a submission: fills the envelope from the message-type table, draws a nonce, lets the sender stand for it."""

from datetime import date, datetime

import msgspec

from wissel.client.errors import NotComposed
from wissel.core.entropy import Entropy
from wissel.core.ids import process_id, uuid7
from wissel.core.moments import dutch_day, rfc3339
from wissel.infra.http.strict import explain
from wissel.messages.catalogue import MessageType, about, decode, longest, lookup
from wissel.messages.envelope import Addressee, Envelope, SenderProof, Submission
from wissel.messages.fields import Payload
from wissel.messages.jose import SigningKey, hash64
from wissel.messages.records import nonce_for
from wissel.messages.verify import b64, canonical, commit, unb64

NONCE_BYTES = 32


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message that nobody stands for yet. `data` is the canonical JSON of the payload, `nonce` 32 bytes."""

    envelope: Envelope
    data: bytes
    nonce: bytes
    addressee: Addressee | None = None
    capability: str = ""

    @property
    def commitment(self) -> bytes:
        """What the sender stands for: SHA-256(nonce || canonical envelope || SHA-256(payload))."""
        return commit(self.nonce, msgspec.to_builtins(self.envelope), self.data)

    @property
    def login_nonce(self) -> str:
        """The nonce of the authorize call by which a learner signs: base64url SHA-256(commitment)."""
        return nonce_for(self.commitment)

    def signed(self, key: SigningKey) -> Submission:
        """Have a participant sign."""
        return self._submission(SenderProof(kind="signature", jws=key.sign(self.commitment, detached=True)))

    def authenticated(self, key: SigningKey, *, portal: str, token: str) -> Submission:
        """Have a learner sign by authenticating: `token` is her id_token, `key` the portal's."""
        return self._submission(
            SenderProof(
                kind="authentication",
                jws=key.sign(self.commitment, detached=True),
                portal=portal,
                token=token,
                tokenhash=hash64(token),
            )
        )

    def _submission(self, sender: SenderProof) -> Submission:
        return Submission(
            envelope=self.envelope,
            data=msgspec.Raw(self.data),
            nonce=b64(self.nonce),
            sender=sender,
            addressee=self.addressee,
            capability=self.capability,
        )


def draft(
    kind: str,
    payload: Payload,
    *,
    source: str,
    recipient: str,
    subject: str,
    grant: str,
    log: str,
    now: datetime,
    entropy: Entropy,
    process: str = "",
    sequence: int = 1,
    enddate: date | None = None,
    controller: str = "",
    addressee: Addressee | None = None,
    capability: str = "",
) -> Draft:
    """Return a message of type `kind`, not yet signed.

    `log` is the origin of the platform's audit log. `process` is empty for a message that begins one or stands alone.
    `sequence` counts from 1 within (source, recipient, process). `grant`: the hash of the receiver's standing grant,
    or, to a learner, the commitment of her request or the hash of the delivery capability. `enddate` is the longest
    that the type allows when left out. `controller` is needed only when it is neither source nor recipient.
    Raises Unknown (no such type), Malformed (payload) or NotComposed.
    """
    row = lookup(kind)
    data = canonical(msgspec.to_builtins(payload))
    decode(kind, data)
    message = uuid7(now, entropy)
    envelope = Envelope(
        id=message,
        type=kind,
        source=source,
        recipient=recipient,
        subject=subject,
        time=rfc3339(now),
        process=_process(row, process, source, message),
        sequence=str(sequence),
        purpose=row.purpose,
        legalground=row.ground,
        controller=controller or _controller(row, source, recipient),
        processingactivity=row.activity,
        grant=grant,
        dataclass=row.dataclass,
        enddate=_enddate(row, enddate, dutch_day(now), about(payload)).isoformat(),
        log=log,
    )
    return Draft(
        envelope=_checked(envelope),
        data=data,
        nonce=entropy.draw(NONCE_BYTES),
        addressee=addressee,
        capability=capability,
    )


def compose(
    kind: str,
    payload: Payload,
    *,
    key: SigningKey,
    source: str,
    recipient: str,
    subject: str,
    grant: str,
    log: str,
    now: datetime,
    entropy: Entropy,
    process: str = "",
    sequence: int = 1,
    enddate: date | None = None,
    controller: str = "",
    capability: str = "",
) -> Submission:
    """Return a message that participant `source` signs with `key`; see `draft` for the other arguments."""
    return draft(
        kind,
        payload,
        source=source,
        recipient=recipient,
        subject=subject,
        grant=grant,
        log=log,
        now=now,
        entropy=entropy,
        process=process,
        sequence=sequence,
        enddate=enddate,
        controller=controller,
        capability=capability,
    ).signed(key)


def commitment_of(submission: Submission) -> bytes:
    """Return the commitment of a submission. Raises Refused when its nonce is not 32 bytes."""
    return Draft(envelope=submission.envelope, data=bytes(submission.data), nonce=unb64(submission.nonce)).commitment


def _process(row: MessageType, process: str, source: str, message: str) -> str:
    """Name the process: one that a message begins, or that it is by itself, follows from its id."""
    if row.starts or not row.process:
        if process:
            raise NotComposed(f"{row.type} begins a process of its own; leave `process` out.", field="process")
        return process_id(source, message)
    if not process:
        raise NotComposed(f"{row.type} belongs to a running process; say which.", field="process")
    return process


def _controller(row: MessageType, source: str, recipient: str) -> str:
    """Return who answers for the data, where the table's role tells it."""
    if row.controller in row.senders:
        return source
    if row.controller == row.recipient:
        return recipient
    raise NotComposed(f"The controller of {row.type} is neither party; say who it is.", field="controller")


def _enddate(row: MessageType, asked: date | None, today: date, studyyear: str) -> date:
    last = longest(row, today, studyyear)
    if asked is not None and not today <= asked <= last:
        raise NotComposed(f"{row.type} may exist until {last} at the longest.", field="enddate")
    return asked or last


def _checked(envelope: Envelope) -> Envelope:
    """Hold the envelope to its own patterns, so that a mistake shows here and not at the platform."""
    try:
        return msgspec.convert(msgspec.to_builtins(envelope), Envelope)
    except msgspec.ValidationError as error:
        sentence, pointer = explain(str(error))
        raise NotComposed(sentence, field=pointer.removeprefix("/")) from None

"""Making the rows of one message: counter-signed, sealed and with its leaf. Used at the entrance and by the engine."""

from datetime import date, datetime
from typing import NamedTuple

import msgspec

from wissel.core.ids import partition_of
from wissel.core.moments import end_of, to_ms
from wissel.infra.sql.ports import Statement
from wissel.messages.catalogue import lookup
from wissel.messages.envelope import LEARNER, Envelope, SenderProof
from wissel.messages.leaves import entry
from wissel.messages.participant import MANDATE
from wissel.messages.records import acknowledge
from wissel.messages.verify import b64, sha256
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.rules import own_key, split_apart
from wissel.platform.exchange.words import Kept
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.words import DataKey
from wissel.platform.store import messages
from wissel.platform.store.leaves import pending
from wissel.platform.store.words import EventRow, MailRow, MessageRow, Which


class Spoken(NamedTuple):
    """A message whose sender is proven: `kids` are the keys that were used, `acr` a learner's assurance."""

    envelope: Envelope
    payload: bytes
    nonce: str
    commitment: bytes
    sender: SenderProof
    kids: tuple[str, ...]
    acr: str = ""


class Taken(NamedTuple):
    """The statements that take a message, its row, the key it lies under, and the acknowledgement to answer with."""

    statements: list[Statement]
    row: MessageRow
    key: DataKey
    acknowledgement: str


def take(desk: Desk, spoken: Spoken, post: DataKey, day: date, now: datetime) -> Taken:
    """Counter-sign and seal one message; its payload may be read until `day` at the latest.

    It lies under `post`, the key of its process, or under a key of its own (`rules.own_key`).
    """
    envelope = spoken.envelope
    acknowledgement = acknowledge(
        desk.signer,
        commitment=spoken.commitment,
        sender=spoken.sender,
        received=now,
        decision="accepted",
        ruleset=desk.ruleset,
        log=desk.origin,
        keys=dict.fromkeys((*spoken.kids, desk.signer.kid), desk.log.size()),
    )
    payload, apart = split_apart(spoken.payload, lookup(envelope.type).apart)
    kept = Kept(
        envelope=envelope,
        data=msgspec.Raw(payload),
        nonce=spoken.nonce,
        sender=spoken.sender,
        acknowledgement=acknowledgement,
        acr=spoken.acr,
    )
    partition = partition_of(envelope.process)
    scope = Which(partition, envelope.process, envelope.source, envelope.id).scope
    statements: list[Statement] = []
    key, own, sealed_apart = post, own_key(envelope.dataclass, day, post.row.end_day), b""
    if own:
        made = desk.keys.mint(envelope.process, partition, own, scope, day)
        key = made.key
        statements.append(made.statement)
    if apart:
        minted = desk.keys.mint(envelope.process, partition, "number", scope, day)
        sealed_apart = minted.key.seal(apart, place(envelope.process, scope, "number"))
        statements.append(minted.statement)
    row = MessageRow(
        partition=partition,
        process=envelope.process,
        source=envelope.source,
        id=envelope.id,
        recipient=envelope.recipient,
        type=envelope.type,
        sequence=int(envelope.sequence),
        commitment=b64(spoken.commitment),
        own=own,
        sealed=key.seal(msgspec.json.encode(kept), place(envelope.process, scope, key.row.cls)),
        apart=sealed_apart,
        receipt=b"",
        stage="taken",
        outcome="",
        accepted_ms=to_ms(now),
        ended_ms=0,
        end_ms=to_ms(end_of(day)),
        leaf=desk.entropy.draw(16),
        outcome_leaf=b"",
    )
    statements += [messages.take(row), pending(_leaf(desk, spoken, acknowledgement, now), row.leaf, row.accepted_ms)]
    return Taken(statements, row, key, acknowledgement)


def mail(row: MessageRow, receiver: str, position: int, due_ms: int) -> MailRow:
    """Return the place of a message in its receiver's lane."""
    return MailRow(
        partition=row.partition,
        process=row.process,
        receiver=receiver,
        position=position,
        source=row.source,
        id=row.id,
        attempts=0,
        due_ms=due_ms,
        end_ms=row.end_ms,
    )


def arrival(row: MessageRow) -> EventRow:
    """Return the event by which the engine hears of a message."""
    return EventRow(
        partition=row.partition,
        process=row.process,
        key=f"message/{row.source}/{row.sequence:010}/{row.id}",  # of one moment, in the order in which they were sent
        kind="message",
        name=row.type,
        source=row.source,
        id=row.id,
        at_ms=row.accepted_ms,
    )


def outcome(row: MessageRow, result: str, at_ms: int) -> EventRow:
    """Return the event by which the engine hears of a final outcome."""
    return EventRow(
        partition=row.partition,
        process=row.process,
        key=f"outcome/{row.source}/{row.id}",
        kind="outcome",
        name=f"{row.type}/{result}",
        source=row.source,
        id=row.id,
        at_ms=at_ms,
    )


def tell(desk: Desk, event: str, row: MessageRow, **more: str) -> None:
    """Write a line about a message: its type and its parties' places, never a person."""
    parties = {
        name: "learner" if value.startswith(LEARNER) else value
        for name, value in (("source", row.source), ("recipient", row.recipient))
    }
    desk.journal.write(event, process=row.process, type=row.type, **parties, **more)


def _leaf(desk: Desk, spoken: Spoken, acknowledgement: str, now: datetime) -> bytes:
    envelope = spoken.envelope
    return entry(
        "message.accepted",
        now,
        desk.entropy,
        process=envelope.process,
        subject=envelope.subject,
        type=envelope.type,
        source=envelope.source,
        recipient=envelope.recipient,
        message=envelope.id,
        sequence=envelope.sequence,
        activity=envelope.processingactivity,
        grant=envelope.grant,
        commitment=b64(spoken.commitment),
        acknowledgement=b64(sha256(acknowledgement.encode())),
        ruleset=desk.ruleset,
        mandate=_mandate(desk, spoken.kids),
    )


def _mandate(desk: Desk, kids: tuple[str, ...]) -> str:
    """Return the mandate under which a supplier signed for its institution, as the card says of the key used."""
    notes = [desk.participants.key(kid).key.note for kid in kids]
    return ", ".join(note.removeprefix(MANDATE) for note in notes if note.startswith(MANDATE))

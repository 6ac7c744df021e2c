"""The mailbox: what waits for a receiver, and the receiver's signed answers (architecture section 4, steps 3 and 4)."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from wissel.client.words import SealedMessage, Settled, Settlement
from wissel.core.entropy import jitter
from wissel.core.errors import WisselError
from wissel.core.ids import partition_of
from wissel.core.moments import from_ms, parse_rfc3339, to_ms
from wissel.infra.sql.ports import Conflict, Statement, StoreFailed
from wissel.messages.envelope import LEARNER, Offered
from wissel.messages.jose import Sealer
from wissel.messages.leaves import entry
from wissel.messages.records import Receipt, read_receipt, undelivered
from wissel.messages.verify import CLOCKS, Refused, b64, jws_header, sha256
from wissel.platform.exchange import grants, parties, rows
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.errors import NotOffered, ReceiptRefused
from wissel.platform.exchange.rules import back_off
from wissel.platform.exchange.sealing import kept_of, key_of, party_of, seal_receipt, unseal
from wissel.platform.exchange.words import Party
from wissel.platform.forgetting.words import KeyRing
from wissel.platform.store import messages, processes
from wissel.platform.store.leaves import pending
from wissel.platform.store.words import MailRow, MessageRow, Where


async def offered(desk: Desk, receiver: str, limit: int) -> list[Offered]:
    """Return the heads of a receiver's due lanes, opened for it. Changes nothing of them, so it may be asked again.

    One that does not open, or has no live grant any more, is passed over, told in the log, and waits for its next
    attempt, so that it takes no other's place. What goes to a learner's vault is only handed over sealed, so her
    provider cannot read it here.
    """
    now = desk.clock.now()
    heads = await messages.heads(desk.database, receiver, to_ms(now), min(limit, desk.limits.offered_max))
    heads = [head for head in heads if head.end_ms > to_ms(now)]
    keys = await desk.keys.load(list({head.process for head in heads}))
    answer: list[Offered] = []
    shut: list[MailRow] = []
    bytes_left = desk.limits.offered_bytes_max
    for head in heads:
        row = await messages.find(desk.database, head.which)
        if row is None:
            continue
        bytes_left -= len(row.sealed)
        if answer and bytes_left < 0:
            break  # what is left is offered next time
        try:
            if await vault_of(desk, row, keys) is None:
                answer.append(await open_row(desk, row, keys, now))
        except WisselError as error:
            desk.journal.write("mail.passedover", process=row.process, type=row.type, code=error.code)
            shut.append(head)
    if shut and desk.keys.lost is None:  # what does not open now may open under the right key store
        await desk.database.commit([later(desk, head, now) for head in shut])
    return answer


def later(desk: Desk, head: MailRow, now: datetime) -> Statement:
    """Let a message wait for its next attempt, longer each time."""
    return messages.postpone(head, to_ms(now + back_off(head.attempts, jitter(desk.entropy))))


async def vault_of(desk: Desk, row: MessageRow, keys: KeyRing) -> Party | None:
    """Return the learner whose vault a message goes to, or None when it goes to no vault. Raises KeyGone."""
    if not row.recipient.startswith(LEARNER):
        return None
    known = await messages.parties(desk.database, Where(row.partition, row.process))
    if row.recipient not in known:
        return None
    return party_of(keys, row.process, row.recipient, known[row.recipient])


async def open_row(desk: Desk, row: MessageRow, keys: KeyRing, now: datetime) -> Offered:
    """Open a message for its receiver. Raises NotGranted when the grant that it leans on is not live any more."""
    kept, payload = unseal(keys, row)
    grants.check_handed_out(kept.envelope, desk.participants, await _opening(desk, row), now)
    return Offered(
        envelope=kept.envelope,
        data=msgspec.Raw(payload),
        nonce=kept.nonce,
        sender=kept.sender,
        acknowledgement=kept.acknowledgement,
        header=await _header(desk, row, kept.envelope.subject, keys, now),
    )


async def sealed_to(desk: Desk, row: MessageRow, learner: Party, keys: KeyRing, now: datetime) -> SealedMessage:
    """Seal a message to the learner whom it is for, as whoever keeps her mail is handed it. Raises as `open_row`."""
    offered = await open_row(desk, row, keys, now)
    return SealedMessage(
        id=row.id,
        acknowledgement=offered.acknowledgement,
        jwe=parties.sealer_of(learner).seal(msgspec.json.encode(offered), desk.entropy),
        until=offered.envelope.enddate,
    )


async def lane(desk: Desk, receiver: str, process: str) -> list[SealedMessage]:
    """Return the head of the lane of a learner whose messages `receiver` signs for, sealed to her; none: no such lane.

    Due or not: she is there now. Changes nothing. One that cannot be handed out is passed over, as in `offered`.
    """
    now = desk.clock.now()
    head = await messages.head(desk.database, receiver, Where(partition_of(process), process), to_ms(now))
    row = await messages.find(desk.database, head.which) if head else None
    if row is None:
        return []
    keys = await desk.keys.load([process])
    try:
        learner = await vault_of(desk, row, keys)
        return [] if learner is None else [await sealed_to(desk, row, learner, keys, now)]
    except WisselError as error:
        desk.journal.write("mail.passedover", process=row.process, type=row.type, code=error.code)
        return []


async def _opening(desk: Desk, row: MessageRow) -> str:
    """Return what a message to the learner leans on; a message to an organisation does not need it."""
    if not row.recipient.startswith(LEARNER):
        return ""
    process = await processes.find(desk.database, Where(row.partition, row.process))
    return process.opening if process is not None else ""


async def _header(desk: Desk, row: MessageRow, subject: str, keys: KeyRing, now: datetime) -> str:
    """Return the delivery header, for an organisation alone: who the learner is in its books, where that is known.

    Her capability travels in it beside her own messages only.
    """
    if row.recipient.startswith(LEARNER):
        return ""
    known = await messages.parties(desk.database, Where(row.partition, row.process))
    if subject not in known:
        return ""
    learner, own = party_of(keys, row.process, subject, known[subject]), row.source == subject
    if not own and row.recipient not in learner.pseudonyms:
        return ""
    until, capability = from_ms(row.end_ms).date().isoformat(), ""
    if own:
        capability = parties.capability_for(row.recipient, learner, until, desk.sealer, desk.entropy)
    pseudonym = learner.pseudonyms.get(row.recipient, "")
    signed = parties.header(row.commitment, row.recipient, pseudonym, capability, desk.signer)
    return Sealer.new(desk.participants.seal_key(row.recipient, now).jwk, desk.entropy).seal(
        signed.encode(), desk.entropy
    )


async def settle(desk: Desk, receiver: str, receipts: Sequence[Settled]) -> list[Settlement]:
    """Take a receiver's receipts, each by itself: a wrong one is refused with a reason and leaves the others whole."""
    return list(await asyncio.gather(*(_answer_for(desk, receiver, settled) for settled in receipts)))


async def _answer_for(desk: Desk, receiver: str, settled: Settled) -> Settlement:
    try:
        await _settle_one(desk, receiver, settled)
    except StoreFailed:
        raise
    except WisselError as error:
        return Settlement(id=settled.id, source=settled.source, code=error.code, detail=error.sentence)
    return Settlement(id=settled.id, source=settled.source)


async def _settle_one(desk: Desk, receiver: str, settled: Settled) -> None:
    now = desk.clock.now()
    heads = await messages.find_mail(desk.database, receiver, settled.source, settled.id)
    if not heads:
        raise NotOffered("Nothing of this id waits for you; its first final receipt stands.", field="/id")
    receipt = _read(desk, receiver, settled.receipt, now)
    keys = await desk.keys.load([head.process for head in heads])
    for head in heads:  # ids are unique per source and process: the receipt tells which process is meant
        row = await messages.find(desk.database, head.which)
        if row is None or not _is_about(receipt, keys, row, alone=len(heads) == 1):
            continue
        _check_time(receipt, from_ms(row.accepted_ms), now)
        if receipt.outcome == "later":
            await desk.database.commit([later(desk, head, now)])
            return
        await finish(desk, head, row, keys, receipt.outcome, receipt=settled.receipt)
        return
    raise ReceiptRefused("The receipt is about another message.", field="/receipt")


def _is_about(receipt: Receipt, keys: KeyRing, row: MessageRow, *, alone: bool) -> bool:
    """Tell whether a receipt is about this message. Raises KeyGone or SealBroken when it is the only candidate."""
    try:
        return receipt.acknowledgement == b64(sha256(kept_of(keys, row).acknowledgement.encode()))
    except WisselError:
        if alone:
            raise
        return False


async def finish(
    desk: Desk, head: MailRow, row: MessageRow, keys: KeyRing, outcome: str, *, receipt: str = "", why: str = ""
) -> None:
    """Give a message its final outcome: its lane goes on, the leaf is made, and the engine hears of it.

    Raises NotOffered when it had one already.
    """
    now = desk.clock.now()
    at_ms, leaf = to_ms(now), desk.entropy.draw(16)
    statement = receipt or await _undelivered(desk, head, row, keys, why)
    unit: list[Statement] = messages.end(head, outcome, seal_receipt(key_of(keys, row), row, statement), leaf, at_ms)
    unit.append(outcome_leaf(desk, row, outcome, statement, leaf))
    if row.type and await _in_story(desk, row):
        unit.append(processes.add_event(rows.outcome(row, outcome, at_ms)))
    try:
        await desk.database.commit(unit)
    except Conflict:
        raise NotOffered("This message has its final outcome; the first one stands.", field="/id") from None
    rows.tell(desk, "message.ended", row, outcome=outcome)


async def _in_story(desk: Desk, row: MessageRow) -> bool:
    process = await processes.find(desk.database, Where(row.partition, row.process))
    return process is not None and process.kind in desk.versions


async def _undelivered(desk: Desk, head: MailRow, row: MessageRow, keys: KeyRing, why: str) -> str:
    kept = kept_of(keys, row)
    return undelivered(
        desk.signer, acknowledgement=kept.acknowledgement, attempts=head.attempts, at=desk.clock.now(), reason=why
    )


def outcome_leaf(desk: Desk, row: MessageRow, outcome: str, statement: str, leaf: bytes) -> Statement:
    """Return the leaf that says what became of a message: the hash of the receipt, or of the platform's statement."""
    now = desk.clock.now()
    event = "message.undelivered" if outcome == "undelivered" else "message.receipted"
    made = entry(
        event,
        now,
        desk.entropy,
        process=row.process,
        message=row.id,
        type=row.type,
        commitment=row.commitment,
        outcome=outcome,
        receipt=b64(sha256(statement.encode())),
    )
    return pending(made, leaf, to_ms(now))


def _check_time(receipt: Receipt, accepted: datetime, now: datetime) -> None:
    """Hold the time of a receipt to what everybody's verifier holds it to: taken now, it would void their copies."""
    try:
        signed = parse_rfc3339(receipt.time)
    except ValueError:
        signed = datetime.min.replace(tzinfo=UTC)
    if not accepted - CLOCKS <= signed <= now + CLOCKS:
        raise ReceiptRefused(
            "The receipt was signed before the message came, or in the future. Set your clock and sign anew.",
            field="/receipt",
        )


def _read(desk: Desk, receiver: str, compact: str, now: datetime) -> Receipt:
    try:
        known = desk.participants.live_key(str(jws_header(compact).get("kid", "")), "sign", now)
        receipt = read_receipt(compact, known.key.jwk)
    except Refused as error:
        raise ReceiptRefused(f"The receipt's signature does not hold: {error.sentence}", field="/receipt") from None
    if known.card.urn != receiver:
        raise ReceiptRefused("The receipt is signed by somebody else's key.", field="/receipt")
    return receipt

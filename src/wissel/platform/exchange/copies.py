"""Copies: when the outcome of a message is known, its afschrift is made once and goes to every party's own vault.

The platform keeps none for itself: a parcel is ciphertext for its owner, sealed once more under `parcel`.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from wissel.core.errors import WisselError
from wissel.core.moments import end_of, from_ms, to_ms
from wissel.infra.sql.ports import Conflict, Statement, StoreFailed
from wissel.messages.afschrift import compose
from wissel.messages.envelope import LEARNER
from wissel.messages.jose import Sealer
from wissel.messages.leaves import entry
from wissel.messages.verify import Refused, b64, jws_header
from wissel.platform.exchange import ending, files, parties, sealing
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.hosts import host_of
from wissel.platform.exchange.patience import CONFLICTS_MAX, Patience
from wissel.platform.exchange.ports import Prover
from wissel.platform.exchange.words import Kept, Parcel, Party
from wissel.platform.forgetting.errors import KeyGone
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.shred import order_destroy
from wissel.platform.forgetting.words import KeyName, KeyRing
from wissel.platform.participants.actions import KnownKey
from wissel.platform.registers.audit.words import Proof
from wissel.platform.store import messages, parcels
from wissel.platform.store.leaves import pending
from wissel.platform.store.words import MessageRow, ParcelRow, Where, Which

WITNESS_WAIT: Final = timedelta(seconds=10)
COPIES_PER_STEP_MAX: Final = 100
HELD_OVER: Final = timedelta(seconds=300)


class _Made(NamedTuple):
    """One afschrift, for whom it is, its message's end date, and what seals it."""

    row: MessageRow
    document: bytes
    until: str
    keys: KeyRing
    now: datetime


class Copies:
    """Makes afschriften of messages whose outcome is known."""

    def __init__(self, desk: Desk, prover: Prover, quorum: int) -> None:
        self._desk = desk
        self._prover = prover
        self._quorum = quorum
        self._conflicts = Patience[Which](desk.entropy)

    async def step(self, now: datetime) -> int:
        """Make the copies of what has ended; what has no proof or no witnesses yet waits. Returns how many.

        A message that cannot be copied is held over and tells so in the log; it stops nobody else's.
        """
        rows = await messages.ended(self._desk.database, to_ms(now), COPIES_PER_STEP_MAX)
        keys = await self._desk.keys.load(list({row.process for row in rows}))
        by_process: dict[str, list[MessageRow]] = {}
        for row in rows:
            by_process.setdefault(row.process, []).append(row)
        return sum(await asyncio.gather(*(self._copy_all(each, keys, now) for each in by_process.values())))

    async def _copy_all(self, rows: Sequence[MessageRow], keys: KeyRing, now: datetime) -> int:
        """Copy the messages of one process in turn: they share one ephemeral key per party."""
        done = 0
        for row in rows:
            try:
                done += await self._copy(row, keys, now)
            except KeyGone as error:
                over = ending.is_over(row, now)
                done += await (self._close(row, now) if over else self._hold_over(row, error.code, now))
            except StoreFailed:
                raise
            except WisselError as error:
                done += await self._hold_over(row, error.code, now)
            except (Refused, msgspec.MsgspecError, LookupError, ValueError) as error:
                done += await self._hold_over(row, type(error).__name__, now)
        return done

    async def _close(self, row: MessageRow, now: datetime) -> int:
        return int(await self._commit(row, ending.close(self._desk, row, now), now))

    async def _hold_over(self, row: MessageRow, code: str, now: datetime) -> int:
        await self._desk.database.commit([messages.hold_over(row.which, to_ms(now + HELD_OVER))])
        self._desk.journal.write("copies.heldover", process=row.process, type=row.type, code=code)
        return 0

    async def _commit(self, row: MessageRow, unit: Sequence[Statement], now: datetime) -> bool:
        try:
            await self._desk.database.commit(unit)
        except Conflict as conflict:  # another worker was first, or it never fits
            if self._conflicts.failed(row.which, now) >= CONFLICTS_MAX:
                await self._hold_over(row, conflict.code, now)
            return False
        self._conflicts.passed(row.which)
        return True

    async def _copy(self, row: MessageRow, keys: KeyRing, now: datetime) -> int:
        kept, payload = sealing.unseal(keys, row)
        statement = sealing.receipt_of(keys, row)
        signers = self._signers(kept, statement)
        evidence = await self._prover.prove([row.leaf, row.outcome_leaf, *(known.leaf for known in signers)])
        if evidence is None:
            return 0
        if evidence.witnesses < self._quorum and now < from_ms(row.ended_ms) + WITNESS_WAIT:
            return 0
        document = self._compose(kept, payload, row, statement, evidence)
        if not await self._commit(row, await self._unit(_Made(row, document, kept.envelope.enddate, keys, now)), now):
            return 0
        self._desk.journal.write("copies.made", process=row.process, type=row.type, witnesses=evidence.witnesses)
        return 1

    def _signers(self, kept: Kept, statement: str) -> list[KnownKey]:
        """Return every key that signed something in this afschrift, each once."""
        compacts = [kept.sender.jws, kept.acknowledgement, statement]
        if kept.sender.token:
            compacts.append(kept.sender.token)
        kids = dict.fromkeys(str(jws_header(compact)["kid"]) for compact in compacts)
        return [self._desk.participants.key(kid) for kid in kids]

    def _compose(self, kept: Kept, payload: bytes, row: MessageRow, statement: str, evidence: Proof) -> bytes:
        delivered = row.outcome != "undelivered"
        return compose(
            envelope=kept.envelope,
            payload=payload,
            nonce=kept.nonce,
            sender=kept.sender,
            acknowledgement=kept.acknowledgement,
            receipt=statement if delivered else "",
            undelivered="" if delivered else statement,
            leaves=evidence.proven[:2],
            keys=evidence.proven[2:],
        )

    async def _unit(self, made: _Made) -> list[Statement]:
        desk, row, where = self._desk, made.row, Where(made.row.partition, made.row.process)
        unit: list[Statement] = [messages.copied(row.which)]
        known = await messages.parties(desk.database, where)
        owners = dict.fromkeys((row.source, row.recipient, await self._learner_of(row)))
        rows: list[ParcelRow] = []
        for name in owners:
            if name == desk.urn:
                continue  # the platform keeps no copy for itself
            party = self._party(made, name, known.get(name))
            if party is None:
                unit.append(self._given_up(row, "the party has no vault", made.now))
                continue
            if name not in known:
                post = made.keys[KeyName(row.process, "post")]
                unit.append(messages.keep_party(where, name, sealing.seal_party(post, name, party)))
            rows.append(self._parcel(made, name, party))
            if name.startswith(LEARNER):
                rows += [self._file(made, name, party, each.hash) for each in await files.of_learner(desk, row)]
        if rows:
            unit.append(parcels.send(rows))
        return unit + self._let_go(made)

    async def _learner_of(self, row: MessageRow) -> str:
        kept = await messages.subject(self._desk.database, Where(row.partition, row.process))
        return kept or (row.source if row.source.startswith(LEARNER) else row.recipient)

    def _party(self, made: _Made, name: str, sealed: bytes | None) -> Party | None:
        if sealed is not None:
            return sealing.party_of(made.keys, made.row.process, name, sealed)
        if name.startswith(LEARNER):
            return None
        address = self._desk.participants.card(name).endpoints.copies
        if not address:
            return None
        key = self._desk.participants.seal_key(name, made.now)
        sealer = Sealer.new(key.jwk, self._desk.entropy)
        return Party(address=address, token="", key=key.jwk, sealer=b64(sealer.dump()))

    def _parcel(self, made: _Made, name: str, party: Party) -> ParcelRow:
        jwe = parties.sealer_of(party).seal(made.document, self._desk.entropy)
        parcel = Parcel(address=party.address, token=party.token, jwe=jwe, until=made.until)
        return self._packed(made, name, made.row.commitment, parcel)

    def _file(self, made: _Made, name: str, party: Party, digest: str) -> ParcelRow:
        """Send a file after the copy that names it."""
        parcel = Parcel(address=party.address, token=party.token, jwe="", until=made.until, file=digest)
        return self._packed(made, name, digest, parcel)

    def _packed(self, made: _Made, name: str, commitment: str, parcel: Parcel) -> ParcelRow:
        desk, row = self._desk, made.row
        plain = msgspec.json.encode(parcel)
        where = place(row.process, sealing.parcel_of(name, commitment), "parcel")
        sealed = made.keys[KeyName(row.process, "parcel")].seal(plain, where)
        return ParcelRow(
            partition=row.partition,
            process=row.process,
            party=name,
            commitment=commitment,
            host=host_of(desk.secret, parcel.address),
            sealed=sealed,
            attempts=0,
            due_ms=to_ms(made.now),
            until_ms=to_ms(end_of(made.keys[KeyName(row.process, "parcel")].row.end_day)),
        )

    def _let_go(self, made: _Made) -> list[Statement]:
        """Return the end of keys of its own: national numbers and special categories die with their copies."""
        ending = [made.keys[name].row for name in sealing.own_keys(made.row) if name in made.keys]
        if not ending:
            return []
        return [messages.shred(made.row), *order_destroy(ending, "ended", made.now)]

    def _given_up(self, row: MessageRow, why: str, now: datetime) -> Statement:
        desk = self._desk
        record = entry("copy.givenup", now, desk.entropy, process=row.process, commitment=row.commitment, reason=why)
        return pending(record, desk.entropy.draw(16), to_ms(now))


def by_vault(rows: Sequence[ParcelRow]) -> dict[tuple[bytes, str, str], list[ParcelRow]]:
    """Group parcels that one request can carry: the same vault's host, party and process."""
    groups: dict[tuple[bytes, str, str], list[ParcelRow]] = {}
    for row in rows:
        organisation = not row.party.startswith(LEARNER)
        groups.setdefault((row.host, row.party, "" if organisation else row.process), []).append(row)
    return groups

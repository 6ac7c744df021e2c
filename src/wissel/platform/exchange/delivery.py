"""Delivery: the only room that reaches out to receivers, vaults and witnesses. Everything is tried until its end.

Pushes go to receivers with a webhook, one in flight per lane; messages to a learner go sealed to her vault's
provider, whose answer is the receipt; copies go up to 100 per request.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

import msgspec

from wissel.client.vaults import withdrew
from wissel.client.words import Settled
from wissel.core.entropy import jitter
from wissel.core.errors import WisselError
from wissel.core.moments import to_ms
from wissel.infra.http.ports import Http, Request, Response, Unreachable
from wissel.infra.http.proof import make_proof
from wissel.infra.sql.ports import Conflict, Statement, StoreFailed
from wissel.messages.envelope import LEARNER
from wissel.messages.leaves import entry
from wissel.platform.exchange import files, mailbox, sealing
from wissel.platform.exchange.copies import by_vault
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.hosts import host_of
from wissel.platform.exchange.patience import Patience
from wissel.platform.exchange.rules import back_off
from wissel.platform.exchange.words import Parcel, Party
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.words import KeyName, KeyRing
from wissel.platform.store import files as file_rows
from wissel.platform.store import messages, parcels
from wissel.platform.store.leaves import pending
from wissel.platform.store.words import MailRow, MessageRow, ParcelRow, Where

PARCELS_PER_REQUEST_MAX: Final = 100
PARCELS_PER_STEP_MAX: Final = 500
PUSHES_PER_STEP_MAX: Final = 100
REQUEST_BYTES_MAX: Final = 4_194_304  # of sealed copies in one request; a larger one goes alone
OK: Final = 200
SHUT: Final = timedelta(seconds=300)
JSON: Final = "application/json"
JOSE: Final = "application/jose"
FILE_S: Final = 60.0  # that a vault may take over one file
CALL_S: Final = 10.0
_HOLDS: Final = frozenset({"provider", "portal"})  # keep what is sealed to learners: a vault, a place for downloads


class _Answer(msgspec.Struct, frozen=True):
    id: str
    receipt: str


class _Receipts(msgspec.Struct, frozen=True):
    receipts: tuple[_Answer, ...]


class _Stored(msgspec.Struct, frozen=True):
    stored: tuple[str, ...]


class Withdrawn(WisselError):
    """The learner revoked the token by which her vault was reached."""

    code: ClassVar[str] = "withdrawn"
    status: ClassVar[int] = 410


class Delivery:
    """Hands over what waits, and tries again later what could not be handed over."""

    def __init__(self, desk: Desk, http: Http) -> None:
        self._desk = desk
        self._http = http
        self._away = Patience[bytes](desk.entropy)  # by hash of the host

    async def step(self, now: datetime) -> int:
        """Run one round of pushes, vault messages and copies; return how many were handed over."""
        done = await asyncio.gather(self.push(now), self.copy(now))
        return sum(done)

    async def call_witness(self, urn: str, body: str) -> Response:
        """Send a checkpoint to a participant's witness (C2SP tlog-witness). Raises Unreachable."""
        address = self._desk.participants.card(urn).endpoints.witness
        headers = {"content-type": "text/plain; charset=utf-8"}
        return await self._http.send(Request("POST", f"{address}/add-checkpoint", headers, body.encode()))

    async def push(self, now: datetime) -> int:
        """Push messages to webhooks and vaults; return how many got their final outcome."""
        cards = self._desk.participants.cards()
        targets = [card for card in cards if card.endpoints.push or _HOLDS.intersection(card.roles)]
        done = await asyncio.gather(*(self._push_to(card.urn, card.endpoints.push, now) for card in targets))
        return sum(done)

    async def _push_to(self, receiver: str, push: str, now: datetime) -> int:
        heads = await messages.heads(self._desk.database, receiver, to_ms(now), PUSHES_PER_STEP_MAX)
        heads = [head for head in heads if head.end_ms > to_ms(now)]
        keys = await self._desk.keys.load(list({head.process for head in heads}))
        done = await asyncio.gather(*(self._push_or_wait(head, push, keys, now) for head in heads))
        return sum(done)

    async def _push_or_wait(self, head: MailRow, push: str, keys: KeyRing, now: datetime) -> int:
        """Push one message; one that cannot be opened or booked waits, and holds up no other."""
        try:
            return await self._push_one(head, push, keys, now)
        except StoreFailed:
            raise
        except WisselError as error:
            self._desk.journal.write("push.passedover", process=head.process, code=error.code)
            return await self._book(head, "", now)

    async def _push_one(self, head: MailRow, push: str, keys: KeyRing, now: datetime) -> int:
        row = await messages.find(self._desk.database, head.which)
        if row is None:
            return 0
        try:
            learner = await mailbox.vault_of(self._desk, row, keys)
            if learner is not None:
                receipt = await self._to_vault(row, learner, keys, now, head.attempts)
            elif push:
                receipt = await self._to_webhook(row, push, keys, now)
            else:
                return 0  # it waits to be pulled
        except Withdrawn:
            await mailbox.finish(self._desk, head, row, keys, "undelivered", why="withdrawn")
            return 1
        except Unreachable:
            receipt = ""
        return await self._book(head, receipt, now)

    async def _book(self, head: MailRow, receipt: str, now: datetime) -> int:
        if receipt:
            settled = Settled(id=head.id, source=head.source, receipt=receipt)
            (answer,) = await mailbox.settle(self._desk, head.receiver, [settled])
            if not answer.code:
                return 1
        await self._desk.database.commit([mailbox.later(self._desk, head, now)])
        return 0

    async def _to_webhook(self, row: MessageRow, push: str, keys: KeyRing, now: datetime) -> str:
        """Push one message; return the receipt in the answer, or nothing when there is none."""
        offered = await mailbox.open_row(self._desk, row, keys, now)
        body = msgspec.json.encode({"messages": [offered]})
        response = await self._send(f"{push}/messages", "", body, now)
        return _receipt_in(response, row.id)

    async def _to_vault(self, row: MessageRow, learner: Party, keys: KeyRing, now: datetime, attempts: int) -> str:
        """Hand a message to the learner's vault, sealed to her; its provider's receipt is the answer."""
        item = await mailbox.sealed_to(self._desk, row, learner, keys, now)
        body = msgspec.json.encode({"messages": [item]})
        response = await self._send(f"{learner.address}/messages", learner.token, body, now)
        if withdrew(response, said_before=attempts > 0):
            raise Withdrawn("The learner withdrew this address.")
        return _receipt_in(response, row.id)

    async def copy(self, now: datetime) -> int:
        """Hand copies over to vaults; return how many were."""
        await self._give_up(await parcels.past_end(self._desk.database, to_ms(now), PARCELS_PER_STEP_MAX), now)
        due = await parcels.due(self._desk.database, to_ms(now), PARCELS_PER_STEP_MAX)
        keys = await self._desk.keys.load(list({row.process for row in due}))
        requests = [request for group in by_vault(due).values() for request in in_requests(group)]
        done = await asyncio.gather(*(self._hand_over(request, keys, now) for request in requests))
        return sum(done)

    async def _hand_over(self, group: Sequence[ParcelRow], keys: KeyRing, now: datetime) -> int:
        opened = await self._open_all(group, keys, now)
        copies = [pair for pair in opened if not pair[1].file]
        done = await self._hand_over_copies(copies, now) if copies else 0
        for row, parcel in opened:
            if parcel.file:
                done += await self._hand_over_file(row, parcel, keys, now)
        return done

    async def _hand_over_copies(self, opened: Sequence[tuple[ParcelRow, Parcel]], now: datetime) -> int:
        rows, first = [row for row, _ in opened], opened[0][1]
        copies = [{"id": row.commitment, "jwe": parcel.jwe, "until": parcel.until} for row, parcel in opened]
        body = msgspec.json.encode({"copies": copies})
        stored = await self._deliver(rows, f"{first.address}/copies", first.token, body, now)
        if stored is None:
            return 0
        kept = [row for row in rows if row.commitment in stored]
        rest = [row for row in rows if row.commitment not in stored]
        unit: list[Statement] = []
        if kept:
            unit.append(parcels.handed_over(kept))
            unit += [self._leaf("copy.delivered", row, "", now) for row in kept]
        if rest:
            unit.append(self._later(rest, now))
        if not await self._commit(unit):
            await self._commit([self._later(rows, now)])  # what another worker handed over is gone; the rest waits
            return 0
        for row in kept:
            self._tell("copy.delivered", row)
        return len(kept)

    async def _hand_over_file(self, row: ParcelRow, parcel: Parcel, keys: KeyRing, now: datetime) -> int:
        """Hand a file over, by itself: it may be large. One that has ended meanwhile is given up."""
        file = await file_rows.find(self._desk.database, Where(row.partition, row.process), parcel.file)
        if file is None or not file.size:
            await self._give_up([row], now)
            return 0
        try:
            body = files.unwrap(file, keys, await file_rows.sealed(self._desk.database, file))
        except WisselError as error:
            self._desk.journal.write("file.passedover", process=row.process, code=error.code)
            await self._commit([parcels.postpone([row], to_ms(now + SHUT))])
            return 0
        url = f"{parcel.address}/files?until={parcel.until}"
        stored = await self._deliver([row], url, parcel.token, body, now, kind=JOSE)
        if stored is None:
            return 0
        if parcel.file not in stored:
            await self._commit([self._later([row], now)])
            return 0
        let_go = await files.delivered(self._desk, file, now)
        if not await self._commit([parcels.handed_over([row]), self._leaf("file.delivered", row, "", now), *let_go]):
            await self._commit([self._later([row], now)])
            return 0
        self._tell("file.delivered", row)
        return 1

    async def _deliver(
        self, rows: Sequence[ParcelRow], url: str, token: str, body: bytes, now: datetime, *, kind: str = JSON
    ) -> frozenset[str] | None:
        """Post to a vault and return what it says it stored; None when the learner withdrew: then it is given up."""
        try:
            response = await self._send(url, token, body, now, kind=kind)
        except Unreachable:
            response = Response(0, {}, b"")
        attempts = min(row.attempts for row in rows)  # what is new among them waits for another attempt
        if rows[0].party.startswith(LEARNER) and withdrew(response, said_before=attempts > 0):
            await self._give_up(rows, now)
            return None
        return _stored_in(response)

    def _later(self, rows: Sequence[ParcelRow], now: datetime) -> Statement:
        wait = back_off(rows[0].attempts, jitter(self._desk.entropy))
        return parcels.postpone(rows, to_ms(now + wait))

    def _tell(self, event: str, row: ParcelRow) -> None:
        party = "learner" if row.party.startswith(LEARNER) else row.party
        self._desk.journal.write(event, process=row.process, party=party)

    async def _open_all(
        self, rows: Sequence[ParcelRow], keys: KeyRing, now: datetime
    ) -> list[tuple[ParcelRow, Parcel]]:
        """Open parcels; one that does not open waits until it is given up, and holds up no other."""
        opened, shut = [], []
        for row in rows:
            try:
                opened.append((row, self._open(row, keys)))
            except WisselError as error:
                self._desk.journal.write("copy.passedover", process=row.process, code=error.code)
                shut.append(row)
        if shut:
            await self._commit([parcels.postpone(shut, to_ms(now + SHUT))])
        return opened

    def _open(self, row: ParcelRow, keys: KeyRing) -> Parcel:
        plain = keys[KeyName(row.process, "parcel")].open(
            row.sealed, place(row.process, sealing.parcel_of(row.party, row.commitment), "parcel")
        )
        return sealing.read(plain, Parcel)

    async def _give_up(self, rows: Sequence[ParcelRow], now: datetime) -> None:
        if rows:
            leaves = [self._leaf("copy.givenup", row, "withdrawn or too late", now) for row in rows]
            await self._commit([parcels.handed_over(rows), *leaves])

    async def _commit(self, unit: Sequence[Statement]) -> bool:
        try:
            await self._desk.database.commit(unit)
        except Conflict:
            return False  # another worker was first; what it handed over is the same
        return True

    def _leaf(self, event: str, row: ParcelRow, why: str, now: datetime) -> Statement:
        entropy = self._desk.entropy
        fields = {"process": row.process, "commitment": row.commitment, **({"reason": why} if why else {})}
        return pending(entry(event, now, entropy, **fields), entropy.draw(16), to_ms(now))

    async def _send(self, url: str, token: str, body: bytes, now: datetime, *, kind: str = JSON) -> Response:
        """Call a receiver. One that gave no answer is left alone for a while, so that it holds up nobody."""
        host = host_of(self._desk.secret, url)
        if self._away.waits(host, now):
            raise Unreachable("It gave no answer a moment ago.")
        try:
            response = await self._call(url, token, body, now, kind)
        except Unreachable:
            self._away.failed(host, now)
            raise
        self._away.passed(host)
        return response

    async def _call(self, url: str, token: str, body: bytes, now: datetime, kind: str) -> Response:
        proof = make_proof(self._desk.signer, method="POST", url=url, body=body, now=now, entropy=self._desk.entropy)
        headers = {"content-type": kind, "wissel-proof": proof}
        if token:
            headers["authorization"] = f"Bearer {token}"
        wait = FILE_S if kind == JOSE else CALL_S
        return await self._http.send(Request("POST", url, headers, body, timeout_s=wait))


def in_requests(group: Sequence[ParcelRow]) -> list[list[ParcelRow]]:
    """Divide what goes to one vault into requests that it can take."""
    requests: list[list[ParcelRow]] = []
    size = 0
    for row in group:
        size += len(row.sealed)
        if not requests or len(requests[-1]) == PARCELS_PER_REQUEST_MAX or size > REQUEST_BYTES_MAX:
            requests.append([])
            size = len(row.sealed)
        requests[-1].append(row)
    return requests


def _receipt_in(response: Response, message: str) -> str:
    """Return the receipt for `message`, or an empty text when there is none to be found."""
    if response.status != OK:
        return ""
    try:
        answer = msgspec.json.decode(response.body, type=_Receipts)
    except msgspec.MsgspecError:
        return ""
    return next((item.receipt for item in answer.receipts if item.id == message), "")


def _stored_in(response: Response) -> frozenset[str]:
    """Return the copies that a vault says it stored."""
    if response.status != OK:
        return frozenset()
    try:
        return frozenset(msgspec.json.decode(response.body, type=_Stored).stored)
    except msgspec.MsgspecError:
        return frozenset()

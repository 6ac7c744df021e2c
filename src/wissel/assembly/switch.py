"""The exchange as the API and the adapters see it: one object with the verbs of a participant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from wissel.client.words import (
    Accepted,
    Evidence,
    KeyLeaf,
    Leaf,
    LearnerProcess,
    ListedCard,
    ProcessView,
    ProvenCard,
    SealedMessage,
    Settled,
    Settlement,
    Upload,
)
from wissel.core.ids import partition_of
from wissel.messages.envelope import Offered
from wissel.messages.verify import b64
from wissel.platform.api.errors import NotReady
from wissel.platform.engine.words import Memory
from wissel.platform.exchange import files, learners, mailbox
from wissel.platform.exchange.accept import accept
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.errors import ProcessUnknown
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.words import KeyName
from wissel.platform.participants.actions import Participants, Registered
from wissel.platform.participants.errors import ParticipantUnknown
from wissel.platform.registers.audit.actions.log import AuditLog
from wissel.platform.registers.audit.words import Logged
from wissel.platform.store import messages, processes
from wissel.platform.store.words import ProcessRow, Where


class Switchboard:
    """What a participant can do at the exchange."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def accept(self, caller: str, body: bytes, learner: str = "") -> Accepted:
        """Take a submission; `learner` is the token of who is logged in at a portal."""
        return await accept(self._desk, caller, body, learner)

    async def offered(self, caller: str, limit: int) -> Sequence[Offered]:
        """Return the heads of the due lanes of `caller`."""
        return await mailbox.offered(self._desk, caller, limit)

    async def lane(self, caller: str, process: str) -> Sequence[SealedMessage]:
        """Return the head of a lane of a learner for whom `caller` signs, sealed to her."""
        return await mailbox.lane(self._desk, caller, process)

    async def settle(self, caller: str, receipts: Sequence[Settled]) -> Sequence[Settlement]:
        """Book receipts."""
        return await mailbox.settle(self._desk, caller, receipts)

    async def upload(self, caller: str, asked: Upload, body: bytes) -> tuple[str, bool]:
        """Take in a sealed file."""
        stored = await files.upload(self._desk, caller, asked, body)
        return stored.hash, stored.first

    async def download(self, caller: str, digest: str) -> bytes:
        """Return a sealed file."""
        return await files.hand_out(self._desk, caller, digest)

    async def next_sequence(self, process: str, source: str, recipient: str) -> int:
        """Return the next number between two parties in a process."""
        where = Where(partition_of(process), process)
        return await messages.last_sequence(self._desk.database, where, source, recipient) + 1

    async def view(self, caller: str, process: str, learner: str) -> ProcessView:
        """Return where a process stands, to the portal of that process only; with a learner's token, only of hers."""
        who = learners.known(self._desk, learner, caller) if learner else None
        row = await processes.find(self._desk.database, Where(partition_of(process), process))
        if row is None or row.portal != caller or (who and not await learners.is_hers(self._desk, row, who)):
            raise ProcessUnknown("There is no such process, or it is over and forgotten.")
        gates = await self._gates(row)
        return ProcessView(process=process, phase=row.phase, open=gates, decided=row.life != "running")

    async def mine(self, caller: str, learner: str) -> list[LearnerProcess]:
        """Return what runs for a learner who is logged in at a portal, begun there on whichever device."""
        who = learners.known(self._desk, learner, caller)
        found = [await processes.find(self._desk.database, where) for where in await learners.of(self._desk, who)]
        return [await self._shown(row) for row in found if row is not None]

    async def _shown(self, row: ProcessRow) -> LearnerProcess:
        return LearnerProcess(
            process=row.process,
            kind=row.kind,
            phase=row.phase,
            institution=row.institution,
            subject=row.subject,
            sequence=await self.next_sequence(row.process, row.subject, row.institution),
            open=await self._gates(row),
            decided=row.life != "running",
        )

    async def _gates(self, row: ProcessRow) -> tuple[str, ...]:
        """Return the gates that are still open in a process."""
        if not row.state:
            return ()
        keys = await self._desk.keys.load([row.process])
        plain = keys[KeyName(row.process, "memory")].open(row.state, place(row.process, "", "memory"))
        return msgspec.json.decode(plain, type=Memory).open


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the log, as the API shows it."""

    log: int
    index: int
    entry: bytes


class LogWindow:
    """The audit log as the API shows it."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    async def checkpoint(self) -> str:
        """Return the newest published checkpoint."""
        return await self._audit.checkpoint()

    async def tile(self, level: int, n: int, width: int) -> bytes | None:
        """Return a hash tile."""
        return await self._audit.tile(level, n, width)

    async def entries(self, n: int, width: int) -> bytes | None:
        """Return an entry bundle."""
        return await self._audit.entries(n, width)

    async def entry_of(self, index: int) -> Entry | None:
        """Return one entry."""
        found = await self._audit.entry_of(index)
        return None if found is None else _entry(found)

    async def of_process(self, process: str, after: tuple[int, int], limit: int) -> list[Entry]:
        """Return what the log says of one process after (log, index)."""
        return [_entry(found) for found in await self._audit.of_process(process, after, limit)]


def _entry(found: Logged) -> Entry:
    return Entry(log=found.log, index=found.idx, entry=found.entry)


class CardWindow:
    """The participants as the API shows them to anybody: their cards, and where the audit log says so."""

    def __init__(self, participants: Participants, audit: AuditLog) -> None:
        self._participants = participants
        self._audit = audit

    async def listed(self, after: str, limit: int) -> list[ListedCard]:
        """Return a page of cards, by URN."""
        urns = sorted(card.urn for card in self._participants.cards() if card.urn > after)[:limit]
        found = [self._participants.registered(urn) for urn in urns]
        where = await self._audit.where([leaf for each in found for leaf in (each.leaf, *each.keys.values())])
        return [_listed(each, where) for each in found]

    async def proven(self, urn: str) -> ProvenCard | None:
        """Return a card with its proofs."""
        try:
            found = self._participants.registered(urn)
        except ParticipantUnknown:
            return None
        proof = await self._audit.prove([found.leaf, *found.keys.values()])
        if proof is None:
            raise NotReady("This card is not in a published checkpoint yet. Try again in a second.")
        card, *keys = [Evidence(entry=b64(each.entry), proof=each.proof) for each in proof.proven]
        return ProvenCard(card=found.card, registered=card, keys=tuple(keys))


def _listed(found: Registered, where: Mapping[bytes, tuple[str, Logged]]) -> ListedCard:
    leaf = where.get(found.leaf)
    keys = {kid: where[leaf] for kid, leaf in found.keys.items() if leaf in where}
    return ListedCard(
        card=found.card,
        leaf=None if leaf is None else Leaf(log=leaf[0], index=leaf[1].idx, hash=b64(leaf[1].leaf_hash)),
        keys=tuple(
            KeyLeaf(kid=kid, log=origin, index=logged.idx, hash=b64(logged.leaf_hash))
            for kid, (origin, logged) in keys.items()
        ),
    )

"""One process's turn in a round: events in, one unit of statements out. Nothing is written here."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec

from wissel.core.ids import uuid7_from
from wissel.core.moments import dutch_day, from_ms, rfc3339, to_ms
from wissel.infra.sql.ports import Statement
from wissel.messages.catalogue import decode, longest, lookup
from wissel.messages.envelope import LEARNER, Envelope, SenderProof
from wissel.messages.leaves import entry
from wissel.messages.process import Decision, EndScans, Event, Finish, Pass, Process, Send, Status, Unwake, Wake
from wissel.messages.records import undelivered
from wissel.messages.verify import b64, canonical, commit
from wissel.platform.engine.words import Memory
from wissel.platform.exchange import mailbox, parties, rows, sealing
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.errors import NotGranted
from wissel.platform.exchange.words import Party
from wissel.platform.forgetting.rules import place
from wissel.platform.forgetting.shred import order_destroy
from wissel.platform.forgetting.words import KeyName, KeyRing
from wissel.platform.store import files, messages, processes
from wissel.platform.store.leaves import pending
from wissel.platform.store.words import EventRow, MessageRow, ProcessRow, TimerRow, Which

_PARTNERS = ("duo", "ind", "nuffic", "psp", "eduid")
_LATE = 10**12  # places in lanes after a process was decided lie behind all that it gave out itself


@dataclass(slots=True, kw_only=True)
class Turn:
    """Gathers what the events of one process lead to, in order."""

    desk: Desk
    row: ProcessRow
    story: Process
    keys: KeyRing
    now: datetime
    memory: Memory | None
    learner: Party | None
    phase: str = ""
    finished: bool = False
    statements: list[Statement] = field(default_factory=list)
    late: int = 0

    @classmethod
    async def begin(cls, desk: Desk, row: ProcessRow, story: Process, keys: KeyRing, now: datetime) -> "Turn":
        """Open the state of a process."""
        memory = None
        if row.state:
            plain = keys[KeyName(row.process, "memory")].open(row.state, place(row.process, "", "memory"))
            memory = msgspec.json.decode(plain, type=Memory)
        known = await messages.parties(desk.database, row.where)
        sealed = known.get(row.subject)
        learner = sealing.party_of(keys, row.process, row.subject, sealed) if sealed else None
        turn = cls(desk=desk, row=row, story=story, keys=keys, now=now, memory=memory, learner=learner)
        turn.phase = row.phase
        return turn

    async def hear(self, row: EventRow) -> None:
        """Take one event: a message that came, or the outcome of one."""
        self.statements.append(processes.take_events([row]))
        which = Which(row.partition, row.process, row.source, row.id)
        message = await messages.find(self.desk.database, which)
        if message is None:
            return
        event = self._event(row, message)
        if self.row.life == "running" and not self.finished:
            self._decide(event, message if row.kind == "message" else None)
        elif row.kind == "message":
            self._record(event, "late")
            self._pass_on(message)

    def wake(self, row: TimerRow) -> None:
        """Take one due timer."""
        self.statements.append(processes.fire_timer(row))
        if self.row.life != "running" or self.finished:
            return
        name = f"{row.process}/{row.name}/{row.due_ms}"
        self._decide(Event(kind="timer", name=row.name, id=name, at=self.now), None)

    def unit(self) -> list[Statement]:
        """Return what this turn commits."""
        if self.finished:
            memory = self.keys[KeyName(self.row.process, "memory")]
            order = order_destroy([memory.row], "decided", self.now)
            return [
                processes.decide(self.row, self.phase),
                processes.drop_timers(self.row.where),
                *self.statements,
                *order,
            ]
        if self.memory is None:
            return self.statements
        plain = msgspec.json.encode(self.memory)
        sealed = self.keys[KeyName(self.row.process, "memory")].seal(plain, place(self.row.process, "", "memory"))
        return [processes.move(self.row, self.phase, sealed, self.story.version), *self.statements]

    def _event(self, row: EventRow, message: MessageRow) -> Event:
        if row.kind == "outcome":
            return Event(
                kind="outcome",
                name=row.name,
                id=row.id,
                at=from_ms(row.at_ms),
                source=row.source,
                recipient=message.recipient,
            )
        kept, payload = sealing.unseal(self.keys, message)
        return Event(
            kind="message",
            name=row.name,
            id=row.id,
            at=from_ms(row.at_ms),
            source=row.source,
            recipient=message.recipient,
            data=decode(row.name, payload),
            acr=kept.acr,
        )

    def _decide(self, event: Event, message: MessageRow | None) -> None:
        state = bytes(self.memory.story) if self.memory is not None else None
        decision = self.story.decide(self.row.process, state, event, self._settings())
        self.phase = decision.phase
        before = self.memory or Memory(story=msgspec.Raw(b"{}"))
        self.memory = msgspec.structs.replace(
            before, story=msgspec.Raw(msgspec.json.encode(decision.state)), open=decision.open
        )
        self._record(event, decision.label)
        for number, effect in enumerate(decision.effects):
            if isinstance(effect, Pass) and message is not None:
                self._pass_on(message)
            else:
                self._apply(decision, number, event, effect)
        if message is not None and Pass() not in decision.effects:
            self._hold_back(message, decision.label)

    def _apply(self, decision: Decision, number: int, event: Event, effect: Any) -> None:
        where = self.row.where
        match effect:
            case Send():
                self._send(effect, event, number)
            case Wake(name, at):
                self.statements.append(processes.set_timer(where, name, to_ms(at)))
            case Unwake(name):
                self.statements.append(processes.drop_timer(where, name))
            case Status(old=old, new=new, dimensions=dimensions):
                self._leaf("status.changed", old=old, new=new, **dimensions)
            case EndScans(at):
                self.statements.append(files.end_special(where, to_ms(at)))
            case Finish(outcome):
                self.finished = True
                self._leaf("process.decided", process=self.row.process, outcome=outcome)
            case Pass():
                pass  # only a message can be passed on
            case _:
                raise TypeError(f"{type(effect).__name__} is no effect, in {decision.label}")

    def _settings(self) -> dict[str, Any]:
        participants = self.desk.participants
        known = {role: participants.by_role(role).urn for role in _PARTNERS if participants.has_role(role)}
        return {
            "institution": participants.card(self.row.institution).settings,
            "parties": {**known, "platform": self.desk.urn},
        }

    def _pass_on(self, message: MessageRow, *, first: bool = False) -> None:
        receiver = parties.receiver(message.recipient, self.row, self.learner)
        position = -self._place() if first else self._place()
        self.statements += messages.post(rows.mail(message, receiver, position, to_ms(self.now)))

    def _hold_back(self, message: MessageRow, why: str) -> None:
        """End a message that the story does not pass on: its sender's copy says why, by the hash of the payload."""
        desk, at_ms, leaf = self.desk, to_ms(self.now), self.desk.entropy.draw(16)
        kept, _ = sealing.unseal(self.keys, message)
        statement = undelivered(
            desk.signer, acknowledgement=kept.acknowledgement, attempts=0, at=self.now, reason=f"held back: {why}"
        )
        sealed = sealing.seal_receipt(sealing.key_of(self.keys, message), message, statement)
        self.statements.append(messages.hold_back(message.which, sealed, leaf, at_ms))
        self.statements.append(mailbox.outcome_leaf(desk, message, "undelivered", statement, leaf))

    def _place(self) -> int:
        if self.memory is None or self.row.life != "running":
            self.late += 1
            return _LATE + to_ms(self.now) * 1000 + self.late
        self.memory = msgspec.structs.replace(self.memory, position=self.memory.position + 1)
        return self.memory.position

    def _send(self, send: Send, event: Event, number: int) -> None:
        """Let the platform say something itself: composed, signed, counter-signed and posted in this unit."""
        spoken, day = self._speak(send, event, number)
        post = self.keys[KeyName(self.row.process, "post")]
        taken = rows.take(self.desk, spoken, post, day, self.now)
        self.statements += taken.statements
        rows.tell(self.desk, "message.accepted", taken.row)
        self._pass_on(taken.row, first=send.first)

    def _speak(self, send: Send, event: Event, number: int) -> tuple[rows.Spoken, date]:
        desk, kind = self.desk, lookup(send.type)
        today = dutch_day(self.now)
        enddate = send.enddate or longest(kind, today)
        payload = canonical(msgspec.to_builtins(send.data))
        decode(send.type, payload)  # what the platform says is held to the same schema
        envelope = Envelope(
            id=uuid7_from(self.now, self.row.process, event.id, event.name, str(number)),
            type=send.type,
            source=desk.urn,
            recipient=send.recipient,
            subject=self.row.subject,
            time=rfc3339(self.now),
            process=self.row.process,
            sequence=str(self._count(send.recipient)),
            purpose=kind.purpose,
            legalground=kind.ground,
            controller=self.row.institution,
            processingactivity=kind.activity,
            grant=self._grant(send),
            dataclass=kind.dataclass,
            enddate=enddate.isoformat(),
            log=desk.origin,
        )
        nonce = desk.entropy.draw(32)
        commitment = commit(nonce, msgspec.to_builtins(envelope), payload)
        sender = SenderProof(kind="signature", jws=desk.signer.sign(commitment, detached=True))
        spoken = rows.Spoken(envelope, payload, b64(nonce), commitment, sender, (desk.signer.kid,))
        return spoken, min(enddate, date.fromisoformat(self.row.end_day))

    def _count(self, recipient: str) -> int:
        if self.memory is None:
            raise LookupError("the platform speaks only in a decision, which leaves a memory")
        count = self.memory.sequences.get(recipient, 0) + 1
        self.memory = msgspec.structs.replace(self.memory, sequences={**self.memory.sequences, recipient: count})
        return count

    def _grant(self, send: Send) -> str:
        if send.recipient.startswith(LEARNER):
            return self.row.opening
        grant = self.desk.participants.grant_for(send.recipient, "platform", send.type, self.now)
        if not grant:
            raise NotGranted(f"{send.recipient} gave the platform no live grant for {send.type}. Have it renewed.")
        return grant

    def _record(self, event: Event, label: str) -> None:
        opened = " ".join(self.memory.open) if self.memory is not None else ""
        fields = {"type": event.name, "label": label, "phase": self.phase, "open": opened}
        self.desk.journal.write("process.moved", process=self.row.process, **fields)
        self._leaf(
            "process.moved",
            process=self.row.process,
            kind=self.row.kind,
            version=self.row.version,
            type=event.name,
            label=label,
            phase=self.phase,
        )

    def _leaf(self, event: str, **fields: str) -> None:
        leaf = self.desk.entropy.draw(16)
        self.statements.append(pending(entry(event, self.now, self.desk.entropy, **fields), leaf, to_ms(self.now)))

"""Accept: check, seal at once, counter-sign, commit once, and only then answer (architecture section 4, step 1)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from wissel.client.words import Accepted
from wissel.core.ids import partition_of
from wissel.core.moments import dutch_day, end_of, to_ms
from wissel.infra.sql.ports import Conflict, Statement
from wissel.messages.catalogue import MessageType, about, decode, lookup
from wissel.messages.envelope import LEARNER, Envelope
from wissel.messages.fields import Payload
from wissel.messages.files import named_in
from wissel.messages.holds import KINDS, NOBODY
from wissel.messages.identity import EduidLinked
from wissel.messages.verify import b64, sha256
from wissel.platform.exchange import files, grants, holds, learners, parties, proofs, rows, rules, sealing
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.errors import (
    EnvelopeRefused,
    IdTaken,
    NotGranted,
    ProcessMismatch,
    SequenceBroken,
    TooBusy,
)
from wissel.platform.exchange.rules import Read
from wissel.platform.exchange.words import Party
from wissel.platform.forgetting.words import KeyClass, KeyName, KeyRing, Minted
from wissel.platform.store import messages, processes
from wissel.platform.store.words import ProcessRow, Where

_DAY_MS = 86_400_000
_OWN_RIGHT = frozenset({"learner", "institution"})  # parties by themselves; all others are asked first


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A submission that is well formed and whose sender is proven."""

    read: Read
    row: MessageType
    data: Payload
    proven: proofs.Proven
    where: Where
    caller: str
    now: datetime
    learner: str = ""

    @property
    def envelope(self) -> Envelope:
        return self.read.envelope

    @property
    def spoken(self) -> rows.Spoken:
        submission = self.read.submission
        return rows.Spoken(
            self.envelope,
            self.read.payload,
            submission.nonce,
            self.read.commitment,
            submission.sender,
            self.proven.kids,
            self.proven.acr,
        )


async def accept(desk: Desk, caller: str, body: bytes, learner: str = "") -> Accepted:
    """Take one submission, or raise an error that says which field and why; nothing is half accepted.

    `learner` is the token of the learner who is logged in at the portal that calls, or empty.
    """
    now = desk.clock.now()
    if await desk.log.stalled(now):
        raise TooBusy("The audit log is behind; nothing is accepted until it has caught up. Try again in a minute.")
    read = rules.read_submission(body, desk.limits)
    envelope = read.envelope
    where = Where(partition_of(envelope.process), envelope.process)
    key = sha256(desk.secret + f"{envelope.source}\n{envelope.id}".encode())
    before = await messages.seen_before(desk.database, where, key)
    if before is not None:
        return _again(before, read)
    checked = replace(_check(desk, caller, read, where, now), learner=learner)
    taken, unit = await _unit(desk, checked)
    unit += await files.claim(desk, caller, taken.row, envelope, list(named_in(checked.data)))
    seen = messages.Dedup(read.digest, taken.acknowledgement)
    until = to_ms(end_of(date.fromisoformat(envelope.enddate))) + _DAY_MS
    try:
        await desk.database.commit([messages.remember(where, key, seen, until), *unit])
    except Conflict:
        return await _after_conflict(desk, read, where, key)
    rows.tell(desk, "message.accepted", taken.row)
    return Accepted(id=envelope.id, acknowledgement=taken.acknowledgement)


def _again(before: messages.Dedup, read: Read) -> Accepted:
    if before.digest != read.digest:
        raise IdTaken("This id was used for another message. A new message has a new id.", field="/envelope/id")
    return Accepted(id=read.envelope.id, acknowledgement=before.answer, first=False)


async def _after_conflict(desk: Desk, read: Read, where: Where, key: bytes) -> Accepted:
    """Somebody was first: the same message, another with this number, or the end of the process."""
    before = await messages.seen_before(desk.database, where, key)
    if before is not None:
        return _again(before, read)
    raise SequenceBroken(
        "Another message took this place, or the process has just ended. Read its state and send again.",
        field="/envelope/sequence",
    )


def _check(desk: Desk, caller: str, read: Read, where: Where, now: datetime) -> _Checked:
    envelope, row = read.envelope, lookup(read.envelope.type)
    rules.check_envelope(envelope, row, origin=desk.origin, now=now, limits=desk.limits)
    data = decode(envelope.type, read.payload)
    rules.check_end(envelope, row, about(data))
    proven = proofs.check_sender(read, caller, desk.participants, now, desk.limits)
    if not proven.roles & set(row.senders):
        raise NotGranted(f"{row.type} is sent by: {', '.join(row.senders)}.", field="/envelope/source")
    if (
        not envelope.recipient.startswith(LEARNER)
        and row.recipient not in desk.participants.card(envelope.recipient).roles
    ):
        raise EnvelopeRefused(f"{row.type} goes to: {row.recipient}.", field="/envelope/recipient")
    return _Checked(read=read, row=row, data=data, proven=proven, where=where, caller=caller, now=now)


async def _unit(desk: Desk, checked: _Checked) -> tuple[rows.Taken, list[Statement]]:
    process = await processes.find(desk.database, checked.where)
    if process is not None:
        return await _continue(desk, checked, process)
    if checked.row.starts:
        return await _start(desk, checked)
    if checked.read.submission.capability and not checked.row.process:
        return await _later(desk, checked)
    if checked.row.type in KINDS:
        return _untold(desk, checked)
    raise ProcessMismatch(
        "This process is over or never began. What comes later goes by its delivery capability, or as a new process.",
        field="/envelope/process",
    )


async def _start(desk: Desk, checked: _Checked) -> tuple[rows.Taken, list[Statement]]:
    """Begin a story with its first message."""
    rules.check_start(checked.envelope)
    if not await desk.running.admit(desk.database, desk.limits.running_processes_max, checked.now):
        raise TooBusy("So many requests are under way that no new one is taken now. Try again in a minute.")
    grants.check_accepted(checked.envelope, checked.proven.roles, desk.participants, "", checked.now)
    row = _process_row(desk, checked, checked.row.process, b64(checked.read.commitment))
    taken, unit = _begin(desk, checked, row, _addressed(desk, checked), _mint(desk, row))
    if checked.learner:
        unit.append(learners.index(desk, row, learners.known(desk, checked.learner, checked.caller)))
    return taken, unit


def _addressed(desk: Desk, checked: _Checked) -> Party | None:
    """Return the learner as a party, with the place for her messages and copies that her portal named."""
    if "learner" not in checked.proven.roles:
        return None
    addressee = rules.check_addressee(checked.read.submission.addressee)
    proofs.check_provider(addressee.provider, checked.caller, desk.participants)
    return parties.from_addressee(addressee, checked.envelope.recipient, desk.entropy)


async def _later(desk: Desk, checked: _Checked) -> tuple[rows.Taken, list[Statement]]:
    """Take a plain message to a learner whose process was forgotten, by the capability that it left."""
    rules.check_start(checked.envelope)
    if not checked.envelope.recipient.startswith(LEARNER):
        raise EnvelopeRefused("A delivery capability reaches a learner only.", field="/envelope/recipient")
    jwe = checked.read.submission.capability
    capability = parties.open_capability(jwe, desk.sealer, checked.envelope.source, checked.now)
    opening = b64(sha256(jwe.encode()))
    grants.check_accepted(checked.envelope, checked.proven.roles, desk.participants, opening, checked.now)
    learner = parties.from_capability(capability, desk.entropy)
    row = _process_row(desk, checked, "", opening)
    receiver = parties.receiver(checked.envelope.recipient, row, learner)
    if await messages.waiting_for(desk.database, receiver) >= desk.limits.mail_per_receiver_max:
        raise TooBusy("So much mail waits for this receiver that nothing is added now. Try again in a minute.")
    taken, unit = _begin(desk, checked, row, learner, _mint(desk, row))
    unit += messages.post(rows.mail(taken.row, receiver, 1, row.started_ms))
    return taken, unit + holds.leaves(desk, checked.envelope, checked.data, checked.now)


def _untold(desk: Desk, checked: _Checked) -> tuple[rows.Taken, list[Statement]]:
    """Take the word of a hold whose learner left no capability: it stands in the log, and ends as not delivered."""
    rules.check_start(checked.envelope)
    grants.check_accepted(checked.envelope, checked.proven.roles, desk.participants, NOBODY, checked.now)
    row = _process_row(desk, checked, "", NOBODY)
    keys = _mint(desk, row)
    taken, unit = _begin(desk, checked, row, None, keys)
    unit += holds.leaves(desk, checked.envelope, checked.data, checked.now)
    return taken, unit + holds.end_untold(desk, taken, checked.now)


def _mint(desk: Desk, row: ProcessRow) -> dict[KeyClass, Minted]:
    """Return the keys of a process that begins."""
    day = date.fromisoformat(row.end_day)
    longer = timedelta(days=desk.limits.parcel_days + 1)  # it may settle on the day after its last
    days: dict[KeyClass, date] = {"post": day, "parcel": day + longer}
    if row.life == "running":
        days["memory"] = day
    return {cls: desk.keys.mint(row.process, row.partition, cls, "", until) for cls, until in days.items()}


def _begin(
    desk: Desk, checked: _Checked, row: ProcessRow, learner: Party | None, keys: Mapping[KeyClass, Minted]
) -> tuple[rows.Taken, list[Statement]]:
    day = date.fromisoformat(row.end_day)
    post = keys["post"].key
    taken = rows.take(desk, checked.spoken, post, day, checked.now)
    unit: list[Statement] = [key.statement for key in keys.values()]
    unit += [processes.begin(row), *taken.statements]
    if learner is not None:
        unit.append(messages.keep_party(checked.where, row.subject, sealing.seal_party(post, row.subject, learner)))
    if row.life == "running":
        unit.append(processes.add_event(rows.arrival(taken.row)))
    return taken, unit


def _process_row(desk: Desk, checked: _Checked, kind: str, opening: str) -> ProcessRow:
    story = kind in desk.versions
    return ProcessRow(
        partition=checked.where.partition,
        process=checked.where.process,
        kind=kind or "plain",
        version=desk.versions.get(kind, ""),
        phase="",
        life="running" if story else "decided",
        subject=checked.envelope.subject,
        portal=checked.caller if "learner" in checked.proven.roles else "",
        institution=checked.envelope.recipient if story else checked.envelope.source,
        opening=opening,
        state=b"",
        revision=0,
        started_ms=to_ms(checked.now),
        end_day=checked.envelope.enddate,
    )


async def _continue(desk: Desk, checked: _Checked, process: ProcessRow) -> tuple[rows.Taken, list[Statement]]:
    """Take a later message of a process that is not settled."""
    envelope = checked.envelope
    if process.life == "settled" or process.end_day < dutch_day(checked.now).isoformat():
        raise ProcessMismatch("This process is over. What comes later goes as a new one.", field="/envelope/process")
    await _check_asked(desk, checked)
    _check_place(checked, process)
    if "learner" in checked.proven.roles:
        await learners.check_hers(desk, process, checked.learner, checked.caller)
    last = await messages.last_sequence(desk.database, checked.where, envelope.source, envelope.recipient)
    if int(envelope.sequence) != last + 1:
        raise SequenceBroken(
            f"The next message between these parties in this process is number {last + 1}.", field="/envelope/sequence"
        )
    grants.check_accepted(checked.envelope, checked.proven.roles, desk.participants, process.opening, checked.now)
    loaded = await desk.keys.load([checked.where.process])
    day = min(date.fromisoformat(envelope.enddate), date.fromisoformat(process.end_day))
    taken = rows.take(desk, checked.spoken, loaded[KeyName(envelope.process, "post")], day, checked.now)
    alive = processes.still(checked.where, ("running", "decided"))
    learned = await _learn(desk, checked, loaded)
    return taken, [alive, *taken.statements, *learned, processes.add_event(rows.arrival(taken.row))]


async def _learn(desk: Desk, checked: _Checked, keys: KeyRing) -> list[Statement]:
    """Keep who she is in an institution's books, when eduID says so: sealed, with her as a party of this process."""
    if not isinstance(checked.data, EduidLinked):
        return []
    envelope = checked.envelope
    sealed = (await messages.parties(desk.database, checked.where)).get(envelope.subject)
    if sealed is None:
        return []
    before = sealing.party_of(keys, envelope.process, envelope.subject, sealed)
    party = parties.known_as(before, envelope.recipient, checked.data.pseudonym)
    fresh = sealing.seal_party(keys[KeyName(envelope.process, "post")], envelope.subject, party)
    return [messages.change_party(checked.where, envelope.subject, sealed, fresh)]


async def _check_asked(desk: Desk, checked: _Checked) -> None:
    """Hold a partner to what it was asked: only who was sent a message in this process has something to answer."""
    if checked.proven.roles & _OWN_RIGHT:
        return
    if not await messages.was_sent_to(desk.database, checked.where, checked.envelope.source):
        raise ProcessMismatch("You were asked nothing in this process.", field="/envelope/process")


def _check_place(checked: _Checked, process: ProcessRow) -> None:
    """Hold every party to its place in this process."""
    envelope = checked.envelope
    if envelope.subject != process.subject:
        raise ProcessMismatch("The subject is another one in this process.", field="/envelope/subject")
    if checked.row.process != process.kind:
        raise ProcessMismatch(f"{checked.row.type} does not belong to this process.", field="/envelope/type")
    if "learner" in checked.proven.roles and checked.caller != process.portal:
        raise ProcessMismatch("The learner began this process at another portal.", field="/sender/portal")
    for role, party, name in (
        (checked.row.recipient, envelope.recipient, "recipient"),
        ("institution" if "institution" in checked.proven.roles else "", envelope.source, "source"),
    ):
        if role == "institution" and party != process.institution:
            raise ProcessMismatch("Another institution is party to this process.", field=f"/envelope/{name}")

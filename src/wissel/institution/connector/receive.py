"""Take a message in: verify it, let the SIS book it, commit effect and id together, and sign what became of it."""

from typing import NamedTuple

import msgspec

from wissel.infra.sql.ports import Conflict, Statement
from wissel.institution.connector import files, store
from wissel.institution.connector.actions import act
from wissel.institution.connector.check import Header, Unsound, check, read_header
from wissel.institution.connector.house import Served, end_ms
from wissel.institution.connector.words import Case, Done, Heard, Reach, Task
from wissel.institution.errors import NotDecidable, SystemDown
from wissel.institution.sis.words import Known
from wissel.messages.envelope import Offered, Outcome
from wissel.messages.files import FileRef
from wissel.messages.jose import hash64
from wissel.messages.records import receipt


class Answer(NamedTuple):
    """What became of an offered message. `receipt` is empty when the platform did not even sign for it."""

    id: str
    source: str
    receipt: str
    outcome: str


async def receive(served: Served, offered: Offered) -> Answer:
    """Take one message in, with the files it names. The same message again gets the same receipt, byte for byte."""
    envelope = offered.envelope
    again = await _again(served, offered)
    if again is not None:
        return again
    try:
        heard = check(offered, me=served.house.urn, directory=served.directory)
        header = read_header(offered, served.seal.private_jwk, served.directory)
        kept = await files.fetch(served, heard)  # it may take long, so nothing waits for it
    except Unsound as unsound:
        served.note("message.unsound", why=unsound.why, process=envelope.process, message=envelope.id)
        return _answer(served, offered, unsound.answer, unsound.why)
    async with served.turn:
        return await _again(served, offered) or await _receive(served, offered, heard, header, kept)


async def _again(served: Served, offered: Offered) -> Answer | None:
    envelope = offered.envelope
    before = await store.received(served.book, envelope.source, envelope.id)
    if before is None or before.acknowledged != hash64(offered.acknowledgement):
        return None
    return Answer(envelope.id, envelope.source, before.receipt, "again")


async def _receive(
    served: Served, offered: Offered, heard: Heard, header: Header | None, kept: list[FileRef]
) -> Answer:
    envelope = offered.envelope
    if await store.received(served.book, envelope.source, envelope.id) is not None:
        return _answer(served, offered, "rejected", "id-taken")
    try:
        return await _book(served, offered, heard, header, kept)
    except SystemDown:
        served.note("message.later", process=envelope.process, message=envelope.id)
        return _answer(served, offered, "later", "")


async def _book(served: Served, offered: Offered, heard: Heard, header: Header | None, kept: list[FileRef]) -> Answer:
    envelope = heard.envelope
    known = await store.case(served.book, envelope.process)
    done = _known_as(act(served.house, known, heard), known, heard, header)
    for change in done.sis:
        await served.sis.book(change)
    for fee in done.finance:
        await served.finance.book(fee)
    done = await _then(served, envelope.process, done)
    outcome: Outcome = "rejected" if done.reject else "accepted"
    answer = _answer(served, offered, outcome, done.reject)
    unit = _unit(served, heard, done, known)
    unit += _keep_reach(heard, header)
    unit += files.let_go(served, kept) if done.reject else []
    row = store.Received(hash64(offered.acknowledgement), answer.receipt)
    unit.append(store.receive(envelope.source, envelope.id, envelope.process, row, end_ms(envelope.enddate)))
    try:
        await served.book.commit(unit)
    except Conflict:
        served.note("message.conflict", process=envelope.process, message=envelope.id)
        return _answer(served, offered, "later", "")
    served.note("message." + outcome, type=envelope.type, process=envelope.process, message=envelope.id)
    return answer


def _known_as(done: Done, known: Case | None, heard: Heard, header: Header | None) -> Done:
    """Book who she is here, beside her registration, when the delivery header says what is not booked yet."""
    if header is None or not header.pseudonym or done.reject:
        return done
    case = done.case or known
    if case is not None and case.pseudonym == header.pseudonym:
        return done
    told = Known(id=f"{heard.cause}/header", process=heard.envelope.process, field="pseudonym", value=header.pseudonym)
    if case is not None:
        case = msgspec.structs.replace(case, pseudonym=header.pseudonym)
    return done._replace(case=case, sis=(*done.sis, told))


async def _then(served: Served, process: str, done: Done) -> Done:
    """Say what can be said only now that the SIS has booked; what cannot be said is a person's."""
    if done.then is None:
        return done
    registration = await served.sis.registration(process)
    if registration is None:
        raise SystemDown("The SIS does not give back what it booked.")
    try:
        return done._replace(says=(*done.says, *done.then(registration)))
    except NotDecidable as error:
        return done._replace(tasks=(*done.tasks, Task("confirm", "enrolment", error.sentence)))


def _unit(served: Served, heard: Heard, done: Done, known: Case | None) -> list[Statement]:
    process, subject = heard.envelope.process, heard.envelope.subject
    unit: list[Statement] = []
    if done.case is not None and done.case != known:
        unit.append(store.keep_case(done.case, end_ms(done.case.enddate)))
        unit += files.verified(served, done.case)
    return unit + statements(served, process, subject, done)


def statements(served: Served, process: str, subject: str, done: Done) -> list[Statement]:
    """Return what books things to say, tasks, and tasks that are done."""
    unit = served.queue(process, subject, done.says)
    if done.tasks:
        unit.append(store.open_tasks(process, done.tasks))
    if done.closes:
        unit.append(store.close_tasks(process, done.closes))
    return unit


def _keep_reach(heard: Heard, header: Header | None) -> list[Statement]:
    """Keep the delivery capability that came beside the message, until the day it may be used."""
    if header is None or not header.capability:
        return []
    envelope = heard.envelope
    reach = Reach(process=envelope.process, capability=header.capability, log=envelope.log, until=envelope.enddate)
    return [store.keep_reach(reach, end_ms(envelope.enddate))]


def _answer(served: Served, offered: Offered, outcome: str, reason: str) -> Answer:
    """Sign the outcome; where the platform signed for nothing, there is nothing to answer."""
    signed: dict[str, Outcome] = {"accepted": "accepted", "rejected": "rejected", "later": "later"}
    compact = ""
    if outcome in signed:
        now = served.clock.now()
        compact = receipt(
            served.sign,
            acknowledgement=offered.acknowledgement,
            outcome=signed[outcome],
            at=now,
            reason=reason,
        )
    return Answer(offered.envelope.id, offered.envelope.source, compact, outcome)

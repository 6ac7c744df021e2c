"""What people do at the institution: decide on admission or a gate, state a fee, enter a number, write later, hold.

Each is booked in the SIS under an id that follows from the case and a count, so a crash in between repeats nothing.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from wissel.core.moments import dutch_day, to_ms
from wissel.institution.connector import files, holds, rules, store
from wissel.institution.connector.actions import (
    ADMISSION,
    FEE_STATED,
    GATE_DECIDED,
    admit_or_wait,
    confirmation,
    state_fee,
    with_gate,
)
from wissel.institution.connector.house import Served, end_ms
from wissel.institution.connector.outbox import later_lane
from wissel.institution.connector.receive import statements
from wissel.institution.connector.words import Case, Done, OpenTask, Reach, Say
from wissel.institution.errors import NoSuchCase, NotDecidable
from wissel.institution.finance.words import Cancelled, Charged
from wissel.institution.sis.words import Decided, Enrolled, Known, Stopped
from wissel.institution.words import Decision, GateDecision
from wissel.messages.enrolment import AdmissionDecided, GateDecided, NoticeSent
from wissel.messages.envelope import LEARNER
from wissel.messages.fields import OpenGate, Payload
from wissel.messages.grounds import GROUNDS, GroundCode, fits
from wissel.messages.holds import HoldGround, HoldRole
from wissel.messages.payments import FeeStated

P = TypeVar("P", bound=Payload)

NOTICE: Final = "nl.wissel.notice.sent.v1"


class Desk:
    """The people of one institution, at its connector. Every call raises an InstitutionError with a sentence."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def tasks(self) -> list[OpenTask]:
        """Return what waits for a person."""
        return await store.tasks(self._served.book)

    async def cases(self) -> list[Case]:
        """Return the cases that are here."""
        return await store.cases(self._served.book)

    async def decide(
        self,
        process: str,
        decision: Decision,
        *,
        role: str,
        ground: GroundCode | None = None,
        text: str = "",
        evidence: Sequence[str] = (),
        conditions: Sequence[OpenGate] = (),
    ) -> None:
        """Decide on admission. A refusal needs a ground of the closed table and a reason; it says how to object."""
        async with self._served.turn:
            case = await self._open_case(process)
            if decision == "refused":
                self._check_refusal(case, ground, text)
            elif ground:
                raise NotDecidable("A ground is why somebody is refused: an admission has none.", field="ground")
            data = self._admission(
                decision, role=role, ground=ground, text=text, evidence=evidence, conditions=conditions
            )
            booked = Decided(
                id=_id(case),
                process=process,
                what="admission",
                decision=decision,
                ground=ground or "",
                role=role,
                text=text,
            )
            ended = "refused" if decision == "refused" else case.ended
            after = _next(case, admission=decision, ended=ended)
            done = Done(
                case=after,
                sis=(booked,),
                finance=(Cancelled(id=f"{_id(case)}/cancelled", process=process),) if decision == "refused" else (),
                says=(Say(ADMISSION, "learner", data),),
                closes=(("decide", "*"),) if decision != "refused" else (("decide", "*"), ("judge", "*")),
            )
            await self._commit(done)

    async def decide_gate(
        self, process: str, gate: OpenGate, decision: GateDecision, *, role: str, ground: str, text: str = ""
    ) -> None:
        """Decide on one gate: met, not met (with objection), or waived. May let the rule admit her then."""
        served = self._served
        async with served.turn:
            case = await self._open_case(process)
            if decision == "notmet" and not text:
                raise NotDecidable("Say why the gate is not met: the learner must be told the reason.", field="text")
            today = dutch_day(served.clock.now())
            data = _made(
                GateDecided,
                gate=gate,
                decision=decision,
                ground=ground,
                role=role,
                text=text,
                objection=rules.objection(served.house, today) if decision == "notmet" else None,
            )
            booked = Decided(
                id=_id(case), process=process, what=gate, decision=decision, ground=ground, role=role, text=text
            )
            after = with_gate(_next(case), gate, decision)
            done = Done(
                case=after, sis=(booked,), says=(Say(GATE_DECIDED, "learner", data),), closes=(("judge", gate),)
            )
            if gate == "education" and decision != "notmet":
                done = state_fee(served.house, after, _id(case), done)
            await self._commit(admit_or_wait(served.house, done.case or after, _id(case), done))

    async def state_fee(self, process: str, fee: FeeStated) -> None:
        """State a fee, or state it again; the platform questions one that does not follow from the law."""
        async with self._served.turn:
            case = await self._open_case(process)
            charge = Charged(
                id=_id(case), process=process, amount_cents=fee.amount, basis=fee.basis, studyyear=fee.studyyear
            )
            said = (Say(FEE_STATED, "learner", fee),)
            closes = (("state-fee", "*"), ("questioned", "*"))
            await self._commit(Done(case=_next(case, fee=True), finance=(charge,), says=said, closes=closes))

    async def enter_number(self, process: str, number: str) -> None:
        """Enter a BSN or onderwijsnummer that came by another way, and enrol her when only that was waited for."""
        if not (number.isascii() and number.isdecimal() and len(number) == 9):  # noqa: PLR2004 - WHW 7.39
            raise NotDecidable("A BSN or onderwijsnummer has nine digits.", field="number")
        served = self._served
        async with served.turn:
            case = await self._open_case(process)
            waits = any(
                task.process == process and task.what in {"number", "confirm"}
                for task in await store.tasks(served.book)
            )
            after = _next(case, number=number)
            facts = (Known(id=f"{_id(case)}/number", process=process, field="number", value=number),)
            if not waits:
                await self._commit(Done(case=after, sis=facts))
                return
            after = msgspec.structs.replace(after, confirmed=True, ended="enrolled")
            enrolled = Enrolled(id=f"{_id(case)}/enrolled", process=process)
            done = Done(case=after, sis=(*facts, enrolled), closes=(("number", "*"), ("confirm", "*")))
            await self._commit(done, confirm=True)

    async def send_later(self, process: str, *, title: str, text: str) -> None:
        """Write to a learner whose process was forgotten, by the capability that she left. Raises NoSuchCase."""
        served = self._served
        async with served.turn:
            reach = await self._reach(process)
            now = served.clock.now()
            subject = LEARNER + str(UUID(bytes=served.entropy.draw(16), version=4))
            data = _made(NoticeSent, title=title, text=text)
            lane = later_lane(served, reach.log, now)
            await served.book.commit(served.queue(lane, subject, [Say(NOTICE, "learner", data)], reach.capability))

    async def hold(self, process: str, *, role: HoldRole, ground: HoldGround, until: date) -> int:
        """Hold all copies of a process past their end date, or move that; see `holds.place`. Tells the learner."""
        async with self._served.turn:
            return await holds.place(self._served, process, role=role, ground=ground, until=until)

    async def end_hold(self, process: str, *, role: HoldRole, ground: HoldGround) -> int:
        """End a hold before its end date; see `holds.end`. Tells the learner."""
        async with self._served.turn:
            return await holds.end(self._served, process, role=role, ground=ground)

    async def holds(self) -> list[store.Hold]:
        """Return what is held now, and whether the learner was told."""
        return await store.holds(self._served.book, to_ms(self._served.clock.now()))

    async def outgoing(self) -> list[tuple[str, str, str, str]]:
        """Return (process, type, state, code) of what is kept because its receipt is not in the vault yet."""
        return await store.outgoing(self._served.book)

    async def files(self, process: str) -> list[store.KeptFile]:
        """Return the files that came with the messages of a process and have not ended."""
        return await store.files_of(self._served.book, process)

    async def file(self, digest: str) -> tuple[store.KeptFile, bytes]:
        """Return a file, opened. Raises NoSuchFile."""
        return await files.opened(self._served, digest)

    async def _open_case(self, process: str) -> Case:
        case = await store.case(self._served.book, process)
        if case is None:
            raise NoSuchCase("No case of this process is under way here.")
        if case.ended:
            raise NotDecidable(f"This case has ended ({case.ended}).")
        return case

    async def _reach(self, process: str) -> Reach:
        reach = await store.reach(self._served.book, process)
        if reach is None:
            raise NoSuchCase("This learner left no delivery capability, or its end date has passed.")
        if reach.withdrawn:
            raise NoSuchCase("The learner has withdrawn the delivery capability.")
        return reach

    def _check_refusal(self, case: Case, ground: GroundCode | None, text: str) -> None:
        if ground is None or ground not in GROUNDS:
            raise NotDecidable(f"A refusal names one ground: {', '.join(GROUNDS)}.", field="ground")
        if not text:
            raise NotDecidable("A refusal gives its reason in plain words.", field="text")
        programme = self._served.house.settings.programme(case.request.programme, case.request.form)
        if not fits(ground, programme.level if programme else None, late=case.late):
            raise NotDecidable(
                f"The ground {ground} ({GROUNDS[ground].article}) does not exist for this request.", field="ground"
            )

    def _admission(
        self,
        decision: Decision,
        *,
        role: str,
        ground: GroundCode | None,
        text: str,
        evidence: Sequence[str],
        conditions: Sequence[OpenGate],
    ) -> AdmissionDecided:
        today = dutch_day(self._served.clock.now())
        refused = decision == "refused"
        return _made(
            AdmissionDecided,
            decision=decision,
            role=role,
            ground=ground,
            text=text,
            evidence=tuple(evidence),
            conditions=tuple(conditions),
            objection=rules.objection(self._served.house, today) if refused else None,
        )

    async def _commit(self, done: Done, *, confirm: bool = False) -> None:
        served, case = self._served, done.case
        if case is None:
            raise NoSuchCase("There is no case to commit.")
        for change in done.sis:
            await served.sis.book(change)
        if case.ended == "refused":
            await served.sis.book(Stopped(id=f"{case.process}/stopped", process=case.process, status="refused"))
        for fee in done.finance:
            await served.finance.book(fee)
        if confirm:
            registration = await served.sis.registration(case.process)
            if registration is None:
                raise NoSuchCase("The SIS has no registration of this process.")
            done = done._replace(says=(*done.says, *confirmation(served.house, case, registration)))
        unit = [store.keep_case(case, end_ms(case.enddate)), *files.verified(served, case)]
        unit += statements(served, case.process, case.subject, done)
        await served.book.commit(unit)
        served.note("case.decided", process=case.process, by="person")


def _made(kind: type[P], **fields: Any) -> P:
    """Make a payload and hold it to its limits. Raises NotDecidable with the field at fault."""
    try:
        made = kind(**fields)
        return msgspec.convert(msgspec.to_builtins(made), kind)
    except (msgspec.ValidationError, ValueError) as error:
        raise NotDecidable(f"This cannot be said like that: {error}") from error


def _id(case: Case) -> str:
    return f"{case.process}/hand/{case.done}"


def _next(case: Case, **changes: Any) -> Case:
    return msgspec.structs.replace(case, done=case.done + 1, **changes)

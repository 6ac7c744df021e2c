"""What the portal does for a learner, and by itself (`step`)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wissel.chain.eduid.words import IAP_HIGH
from wissel.chain.errors import Clash, PartnerFailed
from wissel.chain.portal.downloads.actions import Downloads
from wissel.chain.portal.downloads.words import Downloaded, Kind
from wissel.chain.portal.login import RelyingParty
from wissel.chain.portal.papers import Readers, with_papers
from wissel.chain.portal.places import Guest, Places
from wissel.chain.portal.rules import grant_for, payload, seal_key
from wissel.chain.portal.store import BegunRow, Book
from wissel.chain.portal.words import (
    Begun,
    ConsentWish,
    Mine,
    ObjectionWish,
    Pointer,
    Request,
    Standing,
    Wish,
    Withdrawal,
)
from wissel.chain.steering import conduct
from wissel.chain.world import World, random_uuid
from wissel.client import Client, Draft, Outbox, ProcessView, Refusal, SealedFile, draft
from wissel.client.outbox import outgoing
from wissel.core.moments import dutch_day
from wissel.infra.http.ports import Unreachable
from wissel.messages.catalogue import about, longest, lookup
from wissel.messages.enrolment import ConsentGiven, EnrolmentRequested, EnrolmentWithdrawn, ObjectionReceived
from wissel.messages.envelope import LEARNER, Addressee
from wissel.messages.fields import Payload
from wissel.messages.jose import SigningKey
from wissel.messages.participant import Card
from wissel.messages.verify import b64

_PREFIX: Final = "nl.wissel."
_GONE: Final = 404
ROUNDS_MAX: Final = 200  # of one visit: a lane brings one message in each
LOOK_S: Final = 5  # between two looks at one process
LOOKS_MAX: Final = 50  # per step


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """The portal's clients: at eduID to know her and to let her sign, at DigiD for her number."""

    know: RelyingParty
    sign: RelyingParty
    number: RelyingParty


class Portal:
    """The played portal. `cards` returns the public list of participants; `origin` is the audit log's name."""

    def __init__(
        self,
        world: World,
        book: Book,
        *,
        urn: str,
        key: SigningKey,
        client: Client,
        outbox: Outbox,
        logins: Logins,
        places: Places,
        downloads: Downloads,
        cards: Callable[[], Iterable[Card]],
        origin: str,
    ) -> None:
        self._world, self._book = world, book
        self._urn, self._key = urn, key
        self._client, self._outbox = client, outbox
        self._logins, self._places, self._downloads = logins, places, downloads
        self._cards = cards
        self._origin = origin
        self._next_look: dict[str, datetime] = {}

    async def point(self, ref: str, pointer: Pointer) -> None:
        """Learn from her vault's app where her vault is. Raises NotKnown when nobody has that name."""
        self._world.people.get(ref)
        await self._book.point(ref, pointer)

    async def enrol(self, wish: Wish) -> Begun:
        """Log her in, fill in her request from her profile, let her sign, and send it."""
        guest = await self._enter(wish.learner, downloads=wish.copies == "downloads")
        bsn = await self._number(wish.learner)
        request = payload(wish, await self._places.profile(guest), bsn)
        return await self._begin("enrolment.requested.v1", request, guest, wish.institution)

    async def object(self, wish: ObjectionWish) -> Begun:
        """Start an objection from the afschriften that she has: a process of its own."""
        guest = await self._enter(wish.learner, downloads=wish.copies == "downloads")
        request = ObjectionReceived(decision=wish.decision, text=wish.text, afschriften=wish.afschriften)
        return await self._begin("objection.received.v1", request, guest, wish.institution)

    async def withdraw(self, process: str, wish: Withdrawal) -> Begun:
        """Withdraw her request. Raises Clash when the process is decided."""
        withdrawn = EnrolmentWithdrawn(text=wish.text)
        return await self._follow("enrolment.withdrawn.v1", withdrawn, process, wish.learner)

    async def consent(self, process: str, wish: ConsentWish) -> Begun:
        """Send her written consent to who pays for her, or take it back (WHW 7.37(3))."""
        row = await self._book.find(process)
        until = longest(lookup(f"{_PREFIX}consent.given.v1"), dutch_day(self._world.clock.now()))
        given = ConsentGiven(
            scope="payer",
            given=wish.given,
            party=wish.party,
            purpose=wish.purpose,
            until=until.isoformat(),
            receiver=row.institution,
        )
        return await self._follow("consent.given.v1", given, process)

    async def standing(self, process: str) -> Standing:
        """Say where a process stands, as the platform says it now, or said last."""
        row = await self._look(await self._book.find(process))
        sending, refused = await self._book.sending(row.subject)
        return Standing(
            process=row.process,
            phase=row.phase,
            open=row.gates,
            decided=row.decided,
            sending=sending,
            refused=refused,
        )

    async def all(self) -> list[str]:
        """Return the processes that this portal began."""
        return [row.process for row in await self._book.all()]

    async def mine(self, ref: str) -> list[Mine]:
        """Return what a learner began here: she looks before she asks again, when an answer did not reach her."""
        return [Mine(process=row.process, institution=row.institution) for row in await self._book.of(ref)]

    async def requests(self, ref: str) -> list[Request]:
        """Log her in and return what runs for her, as the platform knows it; what began elsewhere goes on here."""
        guest = await self._enter(ref)
        running = await self._client.processes(guest.token)
        for each in running:
            row = BegunRow(each.process, ref, each.institution, each.subject, each.sequence - 1, each.phase, each.open)
            await self._book.adopt(row._replace(decided=each.decided))
        return [
            Request(
                process=each.process,
                kind=each.kind,
                institution=each.institution,
                phase=each.phase,
                open=each.open,
                decided=each.decided,
            )
            for each in running
        ]

    async def download(self, ref: str) -> Downloaded:
        """Log her in, hand her browser what waits for her, and sign for what is safe there.

        The next message of a lane comes when the one before is done, so it is asked for while she is there: one visit
        empties her lanes.
        """
        guest = await self._enter(ref)
        kinds: list[Kind] = []
        shown: set[tuple[str, str, str]] = set()
        for _ in range(ROUNDS_MAX):
            await self._downloads.fetch(guest.subject)
            fresh = [each for each in await self._downloads.waiting(guest.subject) if each[:3] not in shown]
            if not fresh:
                break
            shown.update(each[:3] for each in fresh)
            taken = self._places.browser(guest).take(fresh)
            await self._downloads.taken(taken)
            kinds += [each.item.kind for each in taken]
            await self._downloads.hand_in(guest.subject)
        return Downloaded(messages=kinds.count("message"), copies=kinds.count("copy"), files=kinds.count("file"))

    async def look(self, now: datetime) -> int:
        """Look at running processes, each once in a while, and let go of what decided ones sent.

        Returns how many moved.
        """
        rows = [row for row in await self._book.running() if self._next_look.get(row.process, now) <= now]
        moved = 0
        for row in rows[:LOOKS_MAX]:
            self._next_look[row.process] = now + timedelta(seconds=LOOK_S)
            seen = await self._look(row)
            moved += seen != row
            if seen.decided:
                del self._next_look[row.process]
        return moved

    async def step(self, now: datetime) -> int:
        """Send what waits."""
        return await self._outbox.step(now)

    async def _enter(self, ref: str, *, downloads: bool = False) -> Guest:
        """Log her in at eduID: the id_token of this log-in is what the portal shows to the platform for her."""
        person = self._world.people.get(ref)
        logged = await self._logins.know.login(ref)
        if not logged.claims.get("sub"):
            raise PartnerFailed(f"eduID did not say who {person.ref} is.")
        return Guest(person, str(logged.claims["sub"]), logged.token, downloads)

    async def _number(self, ref: str) -> str:
        """Return her BSN from DigiD, or an empty text when she has none to log in with."""
        if not self._world.people.get(ref).bsn:
            return ""
        sector, _, bsn = str((await self._logins.number.login(ref)).claims["sub"]).partition(":")
        if sector != "s00000000":
            raise PartnerFailed("DigiD answered with another kind of number than a BSN.")
        return bsn

    async def _begin(self, kind: str, data: Payload, guest: Guest, institution: str) -> Begun:
        now = self._world.clock.now()
        subject = LEARNER + random_uuid(self._world.entropy)
        end = longest(lookup(_PREFIX + kind), dutch_day(now), about(data))
        addressee = await self._places.addressee(guest, institution, end, now)
        files: Sequence[SealedFile] = ()
        if isinstance(data, EnrolmentRequested):
            data, files = self._with_papers(data, institution, addressee)
        drafted = self._draft(kind, data, subject, institution, addressee=addressee)
        row = BegunRow(drafted.envelope.process, guest.person.ref, institution, subject, 1)
        await self._downloads.serve(addressee, row.process)
        return await self._sign_and_keep(drafted, row, guest, files)

    def _with_papers(
        self, request: EnrolmentRequested, institution: str, addressee: Addressee
    ) -> tuple[EnrolmentRequested, Sequence[SealedFile]]:
        """Add what she shows, sealed to the institution and to her. She knows when the register has her wrong."""
        to = seal_key(self._cards(), institution, self._world.clock.now())
        scan = not request.bsn or conduct(request.person.surname).identity != "verified"
        return with_papers(request, Readers(to, addressee.key), self._world.entropy, scan=scan)

    async def _follow(self, kind: str, data: Payload, process: str, ref: str = "") -> Begun:
        """Let who is there (`ref`; empty: who began) say something in a process that runs."""
        row = await self._book.find(process)
        if row.decided:
            raise Clash("This process is decided; nothing can be added to it.")
        guest = await self._enter(ref or row.ref)
        row = row._replace(sequence=await self._next(row, guest))
        drafted = self._draft(kind, data, row.subject, row.institution, process=process, sequence=row.sequence)
        return await self._sign_and_keep(drafted, row, guest)

    async def _next(self, row: BegunRow, guest: Guest) -> int:
        """Return the number of her next message: the platform's, which also knows what another device sent."""
        try:
            running = {each.process: each for each in await self._client.processes(guest.token)}
        except (Unreachable, Refusal):
            running = {}
        if row.process not in running:
            return row.sequence + 1
        return running[row.process].sequence + await self._book.unsent(row.subject)

    def _draft(
        self,
        kind: str,
        data: Payload,
        subject: str,
        institution: str,
        *,
        process: str = "",
        sequence: int = 1,
        addressee: Addressee | None = None,
    ) -> Draft:
        return draft(
            _PREFIX + kind,
            data,
            source=subject,
            recipient=institution,
            subject=subject,
            grant=grant_for(self._cards(), institution, _PREFIX + kind),
            log=self._origin,
            now=self._world.clock.now(),
            entropy=self._world.entropy,
            process=process,
            sequence=sequence,
            addressee=addressee,
        )

    async def _sign_and_keep(
        self, drafted: Draft, row: BegunRow, guest: Guest, files: Sequence[SealedFile] = ()
    ) -> Begun:
        """Let her sign by a fresh log-in over the commitment, keep all of it, and send it at once if that goes."""
        signed = await self._logins.sign.login(guest.person.ref, nonce=drafted.login_nonce, acr=IAP_HIGH)
        submission = drafted.authenticated(self._key, portal=self._urn, token=signed.token)
        now = self._world.clock.now()
        await self._book.keep(row, outgoing(submission, now, learner=guest.token), files)
        await self._outbox.step(now)
        return Begun(
            process=row.process,
            message=drafted.envelope.id,
            subject=row.subject,
            commitment=b64(drafted.commitment),
        )

    async def _look(self, row: BegunRow) -> BegunRow:
        """Return the row as the platform sees the process now; when it cannot be asked, as it was seen last."""
        if row.decided:
            return row
        # A process can be over before it was ever seen here: what the platform took is not "sending" any more.
        taken = row.phase != "sending" or await self._book.taken(row.subject)
        try:
            view = await self._view(row) or (await self._again(row) if taken else None)
        except (Unreachable, Refusal):
            return row
        if view is None:
            seen = row if not taken else row._replace(phase="forgotten", gates=(), decided=True)
        else:
            seen = row._replace(phase=view.phase, gates=view.open, decided=view.decided)
        if seen != row:
            await self._book.saw(seen)
        if seen.decided:
            await self._book.done(seen.subject)
        return seen

    async def _view(self, row: BegunRow) -> ProcessView | None:
        """Ask the platform; None when it knows no such process."""
        try:
            return await self._client.status(row.process)
        except Refusal as error:
            if error.problem.status != _GONE:
                raise
            return None

    async def _again(self, row: BegunRow) -> ProcessView | None:
        """Send again what was sent in a process that is gone, and look again.

        A platform that forgot it as it should answers the old acknowledgement and stays silent; one that lost it
        (architecture section 6: a lost key store) takes it up anew.
        """
        for message in await self._book.kept(row.subject):
            await self._outbox.again(message)
        return await self._view(row)

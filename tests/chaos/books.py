"""What the parties' own books say afterwards, with every process ended. Nothing here asks the platform."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from tests.chaos.plan import Errand

from wissel.assembly.demo.setup import Scene
from wissel.chain.people import People
from wissel.infra.sql.ports import Value
from wissel.infra.sql.sqlite import SqliteReader
from wissel.institution.samples import sample_houses
from wissel.messages.envelope import LEARNER, Envelope
from wissel.messages.verify import Refused, open_copy, parse, parse_json, read_trust, unb64, verify

TROUBLES_SHOWN: Final = 12


class Book(NamedTuple):
    """One line of the table: what a book holds, and what it must hold."""

    owner: str
    what: str
    there: int
    expected: int


class Copy(NamedTuple):
    """One opened afschrift: whose drawer it lies in, and what it says."""

    owner: str
    commitment: str
    envelope: Envelope

    @property
    def message(self) -> tuple[str, str]:
        """What makes it this message: its source and its id."""
        return self.envelope.source, self.envelope.id


@dataclass(slots=True, kw_only=True)
class Findings:
    """What was counted, and sentences about what is wrong."""

    books: list[Book] = field(default_factory=list)
    copies: int = 0
    verified: int = 0
    messages: int = 0
    troubles: list[str] = field(default_factory=list)

    def count(self, owner: str, what: str, count: int, expected: int) -> None:
        """Add a line, and a trouble when it is not as it must be."""
        self.books.append(Book(owner, what, count, expected))
        if count != expected:
            self.troubles.append(f"{owner}: {count} {what} where {expected} were to be.")


async def rows(file: Path, sql: str) -> list[tuple[Value, ...]]:
    """Return what a query finds in a database that another process may be using."""
    reader = SqliteReader(file)
    try:
        return await reader.fetch(sql)
    finally:
        reader.close()


async def count_books(scene: Scene, begun: Sequence[tuple[Errand, str]], findings: Findings) -> None:
    """Count in the books of the SIS, finance, DUO and the PSP: each enrolment once, and nothing else."""
    for house in sample_houses():
        mine = {process for errand, process in begun if errand.institution == house.urn}
        await _sis(scene, house.short, mine, findings)
    await _duo(scene, begun, findings)
    psp = scene.data / "chain" / "psp" / "book.sqlite"
    orders = await rows(psp, "SELECT request, state, reference FROM mandates")
    findings.count("PSP", "mandates", len(orders), len(begun))
    confirmed = {str(reference) for _, state, reference in orders if state == "confirmed"}
    findings.count("PSP", "confirmed mandates", len(confirmed), len(begun))


async def _sis(scene: Scene, short: str, mine: set[str], findings: Findings) -> None:
    place = scene.data / "institutions" / short / "sis"
    registered = await rows(place / "sis.sqlite", "SELECT process, status FROM registrations")
    findings.count(short, "registrations in the SIS", len(registered), len(mine))
    enrolled = [str(process) for process, status in registered if status == "enrolled"]
    findings.count(short, "of them enrolled", len(enrolled), len(mine))
    if set(enrolled) != mine:
        findings.troubles.append(f"{short}: the SIS enrolled in other processes than learners began.")
    students = await rows(place / "sis.sqlite", "SELECT number FROM students")
    findings.count(short, "student numbers", len(students), len(mine))
    admitted = await rows(place / "sis.sqlite", "SELECT process FROM decisions WHERE what = 'admission'")
    findings.count(short, "decisions on admission", len(admitted), len(mine))
    accounts = await rows(place / "finance.sqlite", "SELECT process FROM fee_accounts")
    findings.count(short, "fees charged", len(accounts), len(mine))
    mandates = await rows(place / "finance.sqlite", "SELECT process FROM fee_mandates")
    findings.count(short, "mandates booked", len(mandates), len(mine))


async def _duo(scene: Scene, begun: Sequence[tuple[Errand, str]], findings: Findings) -> None:
    book, people = scene.data / "chain" / "duo" / "book.sqlite", People()
    deliveries = await rows(book, "SELECT delivery FROM deliveries")
    findings.count("DUO", "deliveries", len(deliveries), len(begun))
    enrolled = await rows(book, "SELECT bsn, brin, programme FROM enrolments WHERE ended = ''")
    findings.count("DUO", "enrolments", len(enrolled), len(begun))
    wanted = Counter((people.get(one.ref).bsn, one.wish.brin, one.wish.programme) for one, _ in begun)
    if Counter(enrolled) != wanted:
        findings.troubles.append("DUO: others are enrolled, or elsewhere, than who asked.")


def read_copies(scene: Scene, findings: Findings) -> list[Copy]:
    """Open and verify every copy in every drawer: learners', institutions' and partners'."""
    trust = read_trust((scene.data / "trust.json").read_bytes())
    names = {str(card.roles[0]): card.urn for card in scene.cards}
    owners = dict.fromkeys(scene.data.glob("learners/*/vault"), LEARNER)
    owners |= {scene.data / "institutions" / one.short / "vault": one.urn for one in sample_houses()}
    owners |= {place: names[place.parent.name] for place in scene.data.glob("chain/*/copies")}
    found = []
    for place, owner in sorted(owners.items()):
        key = parse_json((place.parent / "keys" / "seal.json").read_bytes())
        for file in sorted(place.iterdir()):
            findings.copies += 1
            name = f"{place.parent.name}/{place.name}/{file.name}"
            try:
                document = open_copy(file.read_bytes(), key)
            except Refused as error:
                findings.troubles.append(f"{name}: {error.sentence}")
                continue
            verdict = verify(document, trust)
            if not verdict.ok:
                findings.troubles.append(f"{name}: {verdict.reason} [{verdict.code}]")
                continue
            findings.verified += 1
            found.append(_copy(document, owner))
            if found[-1].commitment != file.stem:
                findings.troubles.append(f"{name}: the copy bears another commitment than its name.")
    return found


def _copy(document: bytes, owner: str) -> Copy:
    said = parse(document)
    claims = parse(unb64(said["acknowledgement"].split(".")[1]))
    envelope = msgspec.convert(said["envelope"], Envelope)
    return Copy(envelope.subject if owner == LEARNER else owner, claims["commitment"], envelope)


def compare_copies(copies: Sequence[Copy], me: str, findings: Findings) -> None:
    """Hold that all copies of a message bear one commitment, and that each party has each message once.

    `me` is the platform's URN: it keeps no copies for itself.
    """
    by_message: dict[tuple[str, str], list[Copy]] = {}
    for copy in copies:
        by_message.setdefault(copy.message, []).append(copy)
    findings.messages = len(by_message)
    for (source, number), held in by_message.items():
        envelope = held[0].envelope
        if len({copy.commitment for copy in held}) > 1:
            findings.troubles.append(f"Copies of {envelope.type} {number} by {source} bear different commitments.")
        parties = Counter(dict.fromkeys({envelope.source, envelope.recipient, envelope.subject} - {me}, 1))
        holders = Counter(copy.owner for copy in held)
        if holders != parties:
            short = sorted((parties - holders).keys() | (holders - parties).keys())
            findings.troubles.append(f"{envelope.type} {number}: not one copy for each party: {', '.join(short)}.")


def compare_stories(
    copies: Sequence[Copy], begun: Sequence[tuple[Errand, str]], controls: int, findings: Findings
) -> None:
    """Hold each enrolment against the undisturbed one at the same institution: the same messages, each as often.

    The first `controls` of `begun` ran undisturbed.
    """
    told: dict[str, set[tuple[str, str]]] = {}
    for copy in copies:
        told.setdefault(copy.envelope.process, set()).add((copy.message[1], _line(copy.envelope)))
    lines = {process: Counter(line for _, line in messages) for process, messages in told.items()}
    known = {errand.institution: lines.get(process, Counter()) for errand, process in begun[:controls]}
    for errand, process in begun:
        control, seen = known[errand.institution], lines.pop(process, Counter())
        for line in sorted((control - seen).keys()):
            findings.troubles.append(f"{errand.ref}, {process}: missing: {line}.")
        for line in sorted((seen - control).keys()):
            findings.troubles.append(f"{errand.ref}, {process}: more often than undisturbed: {line}.")
    if lines:
        findings.troubles.append(f"There are copies of {len(lines)} processes that nobody began.")


def _line(envelope: Envelope) -> str:
    ends = ("the learner" if urn.startswith(LEARNER) else urn for urn in (envelope.source, envelope.recipient))
    return f"{envelope.type} {' to '.join(ends)}"

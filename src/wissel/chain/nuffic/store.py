"""Nuffic's book: the cases."""

import hashlib
from typing import Final, NamedTuple

import msgspec

from wissel.chain.errors import Clash, NotKnown
from wissel.chain.nuffic.words import DiplomaQuestion
from wissel.infra.sql.ports import Database, Statement

_TABLE: Final = """CREATE TABLE IF NOT EXISTS cases (
    request TEXT PRIMARY KEY, number TEXT NOT NULL, digest TEXT NOT NULL, school TEXT NOT NULL,
    opened_ms BIGINT NOT NULL)"""


class Opened(NamedTuple):
    """A case: Nuffic's number, whose diploma, and since when."""

    number: str
    school: str
    opened_ms: int


class Book:
    """What Nuffic keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Make the table when it is not there."""
        await self._database.commit([Statement(_TABLE)])

    async def open(self, request: str, number: str, question: DiplomaQuestion, now_ms: int) -> Opened:
        """Open a case, or return the one there is. Raises Clash when that was about another diploma."""
        digest = hashlib.sha256(msgspec.json.encode(question)).hexdigest()
        note = (
            "INSERT INTO cases (request, number, digest, school, opened_ms) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (request) DO NOTHING"
        )
        await self._database.commit([Statement(note, [(request, number, digest, question.school, now_ms)])])
        rows = await self._database.fetch("SELECT digest FROM cases WHERE request = ?", (request,))
        if rows[0][0] != digest:
            raise Clash("This case id came before about another diploma. Draw a new id for a new case.")
        return await self.find(request)

    async def find(self, request: str) -> Opened:
        """Return a case. Raises NotKnown."""
        rows = await self._database.fetch("SELECT number, school, opened_ms FROM cases WHERE request = ?", (request,))
        if not rows:
            raise NotKnown("There is no such case. Open it first.")
        number, school, opened_ms = rows[0]
        return Opened(str(number), str(school), int(str(opened_ms)))

    async def count(self) -> int:
        """Return how many cases there are."""
        return int(str((await self._database.fetch("SELECT COUNT(*) FROM cases"))[0][0]))

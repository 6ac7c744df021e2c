"""IND's book: which questions came, when, and what they were."""

import hashlib
from typing import Final

import msgspec

from wissel.chain.errors import Clash
from wissel.chain.ind.words import ResidenceQuestion
from wissel.infra.sql.ports import Database, Statement

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS questions (request TEXT PRIMARY KEY, digest TEXT NOT NULL, asked_ms BIGINT NOT NULL)"
)


class Book:
    """What IND keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Make the table when it is not there."""
        await self._database.commit([Statement(_TABLE)])

    async def asked(self, request: str, question: ResidenceQuestion, now_ms: int) -> int:
        """Note a question and return when it was first asked. Raises Clash when it was another question then."""
        digest = hashlib.sha256(msgspec.json.encode(question)).hexdigest()
        note = "INSERT INTO questions (request, digest, asked_ms) VALUES (?, ?, ?) ON CONFLICT (request) DO NOTHING"
        await self._database.commit([Statement(note, [(request, digest, now_ms)])])
        rows = await self._database.fetch("SELECT digest, asked_ms FROM questions WHERE request = ?", (request,))
        if rows[0][0] != digest:
            raise Clash("This request id came before with another question. Draw a new id for a new question.")
        return int(str(rows[0][1]))

    async def count(self) -> int:
        """Return how many different questions came."""
        return int(str((await self._database.fetch("SELECT COUNT(*) FROM questions"))[0][0]))

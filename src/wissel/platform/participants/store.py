"""The rows of the participants: a card each, and every key they ever published."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from wissel.core.moments import from_ms
from wissel.infra.sql.ports import Database, Statement
from wissel.messages.participant import Card


class KeyRow(NamedTuple):
    """A published key, the leaf that says so and, once revoked, the leaf that says that."""

    kid: str
    urn: str
    leaf: bytes
    revoked_leaf: bytes | None


def keep_card(card: Card, leaf: bytes) -> Statement:
    """Insert or replace the card of a participant, and the leaf that says so."""
    return Statement(
        "INSERT INTO participants (urn, card, leaf) VALUES (?, ?, ?)"
        " ON CONFLICT (urn) DO UPDATE SET card = excluded.card, leaf = excluded.leaf",
        [(card.urn, msgspec.json.encode(card), leaf)],
    )


def publish_key(kid: str, urn: str, leaf: bytes) -> Statement:
    """Insert a key that was not known; a key of somebody else under the same id is a conflict."""
    return Statement("INSERT INTO participant_keys (kid, urn, leaf) VALUES (?, ?, ?)", [(kid, urn, leaf)])


def revoke_key(kid: str, leaf: bytes, at_ms: int) -> Statement:
    """Mark a key as revoked, once."""
    return Statement(
        "UPDATE participant_keys SET revoked_leaf = ?, revoked_ms = ? WHERE kid = ? AND revoked_leaf IS NULL",
        [(leaf, at_ms, kid)],
        expect=1,
    )


async def read_cards(database: Database) -> list[tuple[Card, bytes]]:
    """Return all cards, each with its leaf, by URN."""
    rows = await database.fetch("SELECT card, leaf FROM participants ORDER BY urn")
    return [
        (msgspec.json.decode(card, type=Card), leaf)
        for card, leaf in rows
        if isinstance(card, bytes) and isinstance(leaf, bytes)
    ]


async def read_keys(database: Database) -> list[KeyRow]:
    """Return all keys ever published."""
    rows = await database.fetch("SELECT kid, urn, leaf, revoked_leaf FROM participant_keys")
    return [KeyRow(*row) for row in rows]  # type: ignore[arg-type]  # the columns are typed by the migration


async def read_revoked(database: Database) -> dict[str, datetime]:
    """Return the revoked keys and since when."""
    rows = await database.fetch("SELECT kid, revoked_ms FROM participant_keys WHERE revoked_ms IS NOT NULL")
    return {str(kid): from_ms(int(str(at_ms))) for kid, at_ms in rows}

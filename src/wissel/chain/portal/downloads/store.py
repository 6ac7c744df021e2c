"""The rows of places for downloads, in the portal's book."""

from collections.abc import Sequence
from typing import Any, Final, cast

from wissel.chain.portal.downloads.words import HANDED_MAX, Item, Kind, PlaceRow
from wissel.infra.sql.ports import Database, Statement, Value

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS places (
        place TEXT PRIMARY KEY, subject TEXT NOT NULL, digest TEXT NOT NULL, until TEXT NOT NULL,
        process TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS items (
        place TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, commitment TEXT NOT NULL,
        acknowledgement TEXT NOT NULL, jwe TEXT NOT NULL, until TEXT NOT NULL,
        receipt TEXT NOT NULL, source TEXT NOT NULL,
        PRIMARY KEY (place, kind, id))""",
)
_ITEM: Final = "place, kind, id, commitment, acknowledgement, jwe, until, receipt, source"
_ONE: Final = "place = ? AND kind = ? AND id = ?"


class Shelf:
    """What the portal keeps for those who download."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Make the tables when they are not there."""
        await self._database.commit([Statement(table) for table in _TABLES])

    async def open(self, row: PlaceRow) -> None:
        """Open a place."""
        insert = "INSERT INTO places (place, subject, digest, until, process) VALUES (?, ?, ?, ?, ?)"
        await self._database.commit([Statement(insert, [row])])

    async def find(self, place: str) -> PlaceRow | None:
        """Return a place, or None."""
        rows = await self._places("place = ?", (place,))
        return rows[0] if rows else None

    async def of(self, subject: str) -> list[PlaceRow]:
        """Return her places."""
        return await self._places("subject = ?", (subject,))

    async def serve(self, place: str, process: str) -> None:
        """Note what comes to a place. One that is not here is another's."""
        update = "UPDATE places SET process = ? WHERE place = ?"
        await self._database.commit([Statement(update, [(process, place)])])

    async def messages(self, place: str) -> dict[str, Item]:
        """Return the messages of a place by id, taken home or not."""
        return {item.id: item for item in await self._select("place = ? AND kind = 'message'", (place,))}

    async def put(self, items: Sequence[Item]) -> None:
        """Keep items; the first of an id stands. The copy of a message takes the place of the message."""
        insert = f"INSERT INTO items ({_ITEM}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608 (constant text)
        unit = [Statement(insert, list(items))]
        copied = [(item.place, item.commitment) for item in items if item.kind == "copy"]
        if copied:
            drop = "DELETE FROM items WHERE place = ? AND kind = 'message' AND commitment = ?"
            unit.append(Statement(drop, copied))
        await self._database.commit(unit)

    async def waiting(self, subject: str) -> list[Item]:
        """Return what waits for her, at most 100."""
        where = "jwe <> '' AND place IN (SELECT p.place FROM places p WHERE p.subject = ?)"
        return await self._select(where, (subject,), f" LIMIT {HANDED_MAX}")

    async def taken(self, items: Sequence[Item]) -> None:
        """Delete what she has: a copy or file whole, of a message all but the receipt and its sender."""
        update = f"UPDATE items SET jwe = '', receipt = ?, source = ? WHERE {_ONE}"  # noqa: S608 (constant text)
        keys = [(item, item[:3]) for item in items]
        messages = [(item.receipt, item.source, *key) for item, key in keys if item.kind == "message"]
        copies = [key for item, key in keys if item.kind != "message"]
        unit = [Statement(update, messages)] if messages else []
        if copies:
            unit.append(Statement(f"DELETE FROM items WHERE {_ONE}", copies))  # noqa: S608 (constant text)
        await self._database.commit(unit)

    async def to_settle(self, subject: str = "") -> list[Item]:
        """Return messages of which the platform was not told yet: those that she has, or everybody's."""
        where = "receipt <> '' AND source <> ''"
        hers = " AND place IN (SELECT p.place FROM places p WHERE p.subject = ?)"
        args: tuple[Value, ...] = (subject,) if subject else ()
        return await self._select(where + (hers if subject else ""), args, f" LIMIT {HANDED_MAX}")

    async def settled(self, items: Sequence[Item]) -> None:
        """Note that the platform was told; the receipt stays, for when it asks again."""
        update = f"UPDATE items SET source = '' WHERE {_ONE}"  # noqa: S608 (constant text)
        await self._database.commit([Statement(update, [item[:3] for item in items])])

    async def close(self, today: str) -> int:
        """Close the places whose last day has passed, with all that is in them, and drop what has ended elsewhere.

        Returns how many of both.
        """
        ended = await self._database.fetch("SELECT place, kind, id FROM items WHERE until < ?", (today,))
        if ended:
            await self._database.commit([Statement(f"DELETE FROM items WHERE {_ONE}", ended)])  # noqa: S608 (constant)
        over = await self._database.fetch("SELECT place FROM places WHERE until < ?", (today,))
        if over:
            drops = ("DELETE FROM items WHERE place = ?", "DELETE FROM places WHERE place = ?")
            await self._database.commit([Statement(drop, over) for drop in drops])
        return len(ended) + len(over)

    async def _places(self, where: str, args: tuple[Value, ...]) -> list[PlaceRow]:
        rows = await self._database.fetch(
            f"SELECT place, subject, digest, until, process FROM places WHERE {where} ORDER BY place",  # noqa: S608 (constant texts)
            args,
        )
        return [PlaceRow(*(str(value) for value in row)) for row in rows]

    async def _select(self, where: str, args: tuple[Value, ...], rest: str = "") -> list[Item]:
        rows = await self._database.fetch(
            f"SELECT {_ITEM} FROM items WHERE {where} ORDER BY place, kind, id{rest}",  # noqa: S608 (constant texts)
            args,
        )
        return [_item(row) for row in rows]


def _item(row: tuple[Any, ...]) -> Item:
    place, kind, *rest = (str(value) for value in row)
    return Item(place, cast("Kind", kind), *rest)

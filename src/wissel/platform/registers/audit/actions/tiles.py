"""Tiles from the database as a tree that can be read, with a small memory of those used last."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Final, Generic, TypeVar

from wissel.core.tree import HASH_BYTES, HashReader
from wissel.infra.sql.ports import Database
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.errors import LogInconsistent
from wissel.platform.registers.audit.rules import TileKey, TileTree, edge_of, reader
from wissel.platform.registers.audit.words import Head

TILES_KEPT_MAX: Final = 1024
_TILES_PER_QUERY: Final = 128

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The `most` values used last, by key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return a value that is still remembered."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Remember a value, at the cost of the one not used for longest."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)


class Tiles:
    """Reads tiles. A tile only ever grows to the right, so one that is wide enough stays true."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent = Recent[tuple[int, TileKey], TileTree](TILES_KEPT_MAX)

    async def load(self, log: int, wants: Mapping[TileKey, int], *, fresh: bool = False) -> HashReader:
        """Return a reader over the tiles `wants` (with the least width of each).

        `fresh`: read all of them from the database now. Raises LogInconsistent when one is not there.
        """
        trees = dict[TileKey, TileTree]()
        for key, width in wants.items():
            tree = None if fresh else self._recent.get((log, key))
            if tree is not None and tree.width >= width:
                trees[key] = tree
        for key, hashes in (await self._read(log, [key for key in wants if key not in trees])).items():
            tree = TileTree(hashes)
            if tree.width >= wants[key]:
                trees[key] = tree
                self._recent.put((log, key), tree)
        lacking = next((key for key in wants if key not in trees), None)
        if lacking is not None:
            raise LogInconsistent(
                f"Tile {lacking[1]} of level {lacking[0]} of log {log} is not there, or is too narrow. Run wissel"
                " audit check; if the database was restored or damaged, run wissel audit reopen."
            )
        return reader(trees)

    async def edge(self, head: Head) -> dict[TileKey, bytes]:
        """Return the partial tiles at the right edge of the committed tree, exactly as wide as its size says."""
        wants = edge_of(head.size)
        found = await self._read(head.log, list(wants))
        for key, width in wants.items():
            if len(found.get(key, b"")) != width * HASH_BYTES:
                raise LogInconsistent(
                    f"The right edge of log {head.log} does not fit its size {head.size}. Run wissel audit check; if"
                    " the database was restored or damaged, run wissel audit reopen."
                )
        return found

    async def _read(self, log: int, keys: list[TileKey]) -> dict[TileKey, bytes]:
        found = dict[TileKey, bytes]()
        for start in range(0, len(keys), _TILES_PER_QUERY):
            found |= await store.tiles(self._database, log, keys[start : start + _TILES_PER_QUERY])
        return found

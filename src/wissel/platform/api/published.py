"""What anybody may read of the audit log, and what its parties and the inspector may (C2SP tlog-tiles paths)."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, Router, get
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, QueryParameter

from wissel.infra.http.door import public
from wissel.infra.http.errors import Missing
from wissel.messages.envelope import UUID
from wissel.platform.api.access import allowed, caller_of
from wissel.platform.api.ports import LogDoor, Logged, Revocations
from wissel.platform.api.rules import FULL, LEVEL_MAX, concerns, read_tile_path

ENTRIES_PER_PAGE: Final = 1_000
_AFTER: Final = r"^[0-9]{1,9}\.[0-9]{1,15}$(?!\n)"
_ANYWHERE: Final = {"Access-Control-Allow-Origin": "*"}
_FULL_TILE: Final = {**_ANYWHERE, "Cache-Control": "public, max-age=31536000, immutable"}
_PART_TILE: Final = {**_ANYWHERE, "Cache-Control": "public, max-age=3600"}
_FRESH: Final = {**_ANYWHERE, "Cache-Control": "no-cache"}


class LogEntry(msgspec.Struct, frozen=True):
    """One entry of the audit log, where it stands in the tree."""

    index: int
    entry: msgspec.Raw


class LogEntries(msgspec.Struct, frozen=True, omit_defaults=True):
    """Entries of one process that concern the caller, in order. `next`: the `after` of the next page, if there is one.

    A page looks at 1,000 entries of the process, so it may hold fewer of the caller's own, and none.
    """

    entries: tuple[LogEntry, ...]
    next: str = ""


def log_router(log: LogDoor, revocations: Revocations) -> Router:
    """Return everything below /log."""
    return Router("/log", route_handlers=[*_anybody(log, revocations), *_parties(log)], tags=["log"])


def _anybody(log: LogDoor, revocations: Revocations) -> list[BaseRouteHandler]:
    @get("/checkpoint", access=public, media_type="text/plain", operation_id="readCheckpoint")
    async def checkpoint() -> Response[str]:
        """Read the newest checkpoint, a signed note (C2SP tlog-checkpoint)."""
        note = await log.checkpoint()
        if not note:
            raise Missing("No checkpoint was published yet. Try again in a second.")
        return Response(note, headers=_FRESH)

    @get(
        "/tile/{level:int}/{number:path}", access=public, media_type="application/octet-stream", operation_id="readTile"
    )
    async def tile(level: FromPath[int], number: FromPath[str]) -> Response[bytes]:
        """Read a tile of hashes; its number is written as in C2SP tlog-tiles, such as x001/234 or 000.p/17."""
        n, width = read_tile_path(number.removeprefix("/"))
        found = await log.tile(level, n, width) if 0 <= level <= LEVEL_MAX else None
        if found is None:
            raise Missing("There is no such tile.")
        return Response(found, headers=_FULL_TILE if width == FULL else _PART_TILE)

    @get("/revocations", access=public, media_type="application/json", operation_id="readRevocations")
    async def revoked() -> Response[bytes]:
        """Read the signed list of revoked keys."""
        return Response(await revocations(), headers=_FRESH)

    return [checkpoint, tile, revoked]


def _parties(log: LogDoor) -> list[BaseRouteHandler]:
    @get(
        "/tile/entries/{number:path}",
        access=allowed("inspect"),
        media_type="application/octet-stream",
        operation_id="readEntryBundle",
    )
    async def bundle(number: FromPath[str]) -> bytes:
        """Read a bundle of up to 256 entries. For the inspector."""
        n, width = read_tile_path(number.removeprefix("/"))
        found = await log.entries(n, width)
        if found is None:
            raise Missing("There is no such bundle of entries, or it was pruned.")
        return found

    @get("/entries/{index:int}", access=allowed("entries"), operation_id="readEntry")
    async def entry(index: FromPath[int], request: Request[Any, Any, Any]) -> LogEntry:
        """Read one entry to which you are a party."""
        found = await log.entry_of(index) if index >= 0 else None
        if found is None or not concerns(found.entry, caller_of(request)):
            raise Missing("There is no such entry, it was pruned, or you are not a party to it.")
        return _shown(found)

    @get("/entries", access=allowed("entries"), operation_id="readEntries")
    async def entries(
        process: Annotated[str, QueryParameter(pattern=UUID)],
        request: Request[Any, Any, Any],
        after: Annotated[str, QueryParameter(pattern=_AFTER)] = "0.0",
    ) -> LogEntries:
        """Read what the log says of one process, as far as you are a party to it; page by page."""
        urn, (number, _, index) = caller_of(request), after.partition(".")
        found = await log.of_process(process, (int(number), int(index)), ENTRIES_PER_PAGE + 1)
        page, more = found[:ENTRIES_PER_PAGE], found[ENTRIES_PER_PAGE:]
        last = f"{page[-1].log}.{page[-1].index}" if more else ""
        return LogEntries(tuple(_shown(each) for each in page if concerns(each.entry, urn)), last)

    return [bundle, entry, entries]


def _shown(logged: Logged) -> LogEntry:
    return LogEntry(logged.index, msgspec.Raw(logged.entry))

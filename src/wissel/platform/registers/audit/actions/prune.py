"""Pruning under a written policy: old entries go, their hashes stay, and every old proof stays valid."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from wissel.core.entropy import Entropy
from wissel.core.moments import to_ms
from wissel.messages.leaves import entry
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.actions.log import AuditLog
from wissel.platform.registers.audit.errors import PruneRefused
from wissel.platform.registers.audit.rules import TILE_WIDTH
from wissel.platform.registers.audit.words import Head
from wissel.platform.store.leaves import pending

KEEP_LEAST: Final = timedelta(days=365)
EVERY: Final = timedelta(days=1)

Keep = Callable[[], Awaitable[Sequence[bytes]]]


class Policy(NamedTuple):
    """The written retention policy: where it can be read, and how long entries are kept at least."""

    document: str
    keep: timedelta


class Due(NamedTuple):
    """What may go of one log by now: `entries` of them, all below index `minimum`."""

    head: Head
    minimum: int
    entries: int


async def due(log: AuditLog, policy: Policy, now: datetime, keep: Sequence[bytes] = ()) -> list[Due]:
    """Return what the policy lets go of each log, in whole bundles: nothing where nothing does. Raises PruneRefused.

    `keep` are leaves that stay whatever their age. Nothing that is not in a published checkpoint goes.
    """
    if not policy.document or policy.keep < KEEP_LEAST:
        raise PruneRefused("Entries are pruned only under a written policy that keeps them for a year or longer.")
    if log.trouble:
        raise PruneRefused("The log is in trouble: nothing is pruned until it is sound again.")
    await log.examine()
    found = []
    for head in await store.heads(log.database):
        newest = await store.newest_checkpoint(log.database, head.log)
        published = newest[0] if newest else 0
        young = await store.index_at(log.database, head.log, to_ms(now - policy.keep))
        minimum = min(published if young is None else young, published) // TILE_WIDTH * TILE_WIDTH
        if minimum > head.minimum:
            found.append(Due(head, minimum, await store.count_below(log.database, head.log, minimum, keep)))
    return found


async def prune(
    log: AuditLog, policy: Policy, now: datetime, entropy: Entropy, keep: Sequence[bytes] = ()
) -> list[Due]:
    """Delete what is due and return it. A leaf records each log's pruning, in the same commit. Raises PruneRefused.

    C2SP tlog-tiles forbids pruning without a policy.
    """
    done = await due(log, policy, now, keep)
    for head, minimum, _ in done:
        pruned = entry("log.pruned", now, entropy, log=head.origin, minimum=minimum, policy=policy.document)
        unit = store.forget_entries(head.log, minimum, keep)
        await log.database.commit([*unit, pending(pruned, entropy.draw(16), to_ms(now))])
    return done


class Pruner:
    """Prunes once a day. `keep` tells which leaves stay: those by which keys and cards are still proven.

    A wrong clock must not empty the log: what a quorum of witnesses says is the second clock, and the older of
    the two counts. Before there is one, nothing is pruned.
    """

    def __init__(self, log: AuditLog, policy: Policy, entropy: Entropy, keep: Keep) -> None:
        self._log, self._policy, self._entropy, self._keep = log, policy, entropy, keep
        self._next: datetime | None = None

    async def step(self, now: datetime) -> int:
        """Prune when a day has passed since the last time; return how many entries went."""
        if self._log.trouble or (self._next is not None and now < self._next <= now + EVERY):
            return 0
        self._next = now + EVERY
        witnessed = await self._log.witness_time()
        if witnessed is None:
            return 0
        done = await prune(self._log, self._policy, min(now, witnessed), self._entropy, await self._keep())
        return sum(each.entries for each in done)

"""Pruning under a written policy: old entries go, their hashes stay, and every old proof stays valid."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from wissel.core.entropy import Entropy
from wissel.core.moments import to_ms
from wissel.messages.leaves import entry
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.actions.log import AuditLog
from wissel.platform.registers.audit.errors import PruneRefused
from wissel.platform.registers.audit.rules import TILE_WIDTH
from wissel.platform.store.leaves import pending

KEEP_LEAST: Final = timedelta(days=365)


class Policy(NamedTuple):
    """The written retention policy: where it can be read, and how long entries are kept at least."""

    document: str
    keep: timedelta


async def prune(log: AuditLog, policy: Policy, now: datetime, entropy: Entropy) -> int:
    """Delete whole bundles of entries that are all older than the policy keeps; return the new minimum index.

    C2SP tlog-tiles forbids pruning without a policy. A leaf records it, in the same commit. Raises PruneRefused.
    """
    if not policy.document or policy.keep < KEEP_LEAST:
        raise PruneRefused("Entries are pruned only under a written policy that keeps them for a year or longer.")
    if log.trouble:
        raise PruneRefused("The log is in trouble: nothing is pruned until it is sound again.")
    head = await log.examine()
    newest = await store.newest_checkpoint(log.database, head.log)
    published = newest[0] if newest else 0
    young = await store.index_at(log.database, head.log, to_ms(now - policy.keep))
    minimum = min(published if young is None else young, published) // TILE_WIDTH * TILE_WIDTH
    if minimum <= head.minimum:
        return head.minimum
    pruned = entry("log.pruned", now, entropy, minimum=minimum, policy=policy.document)
    await log.database.commit([*store.forget_entries(head.log, minimum), pending(pruned, entropy.draw(16), to_ms(now))])
    return minimum

"""Pruning over virtual years: what is old goes, what proves keys stays, and no proof ever given breaks."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.platform.registers.audit_parts import NOON, ORIGIN, Dice, Played, Rig, Stores, check_proof, entries_of

from wissel.messages.notes import NoteKey
from wissel.platform.registers.audit.actions.check import check
from wissel.platform.registers.audit.actions.gather import Witnesses
from wissel.platform.registers.audit.actions.prune import Policy, Pruner, due
from wissel.platform.registers.audit.actions.reopen import reopen

POLICY = Policy("https://wissel.example/retention", timedelta(days=5 * 366))
MONTH = timedelta(days=30)


class Years:
    """A log to which each month adds entries, with witnesses that sign, and a pruner that works by itself."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.now, self.number = rig, NOON, 0
        self.kept: list[bytes] = []
        self.proofs: list[tuple[bytes, str]] = []
        self.leaves: list[tuple[datetime, bytes]] = []
        self.played = Played(("a", "b"), rig.key.vkey)
        self.witnesses = Witnesses(rig.log, call=self.played, cards=self.played.cards, entropy=Dice(3))
        self.pruner = Pruner(rig.log, POLICY, Dice(9), self.keep)

    async def keep(self) -> Sequence[bytes]:
        return self.kept

    async def month(self, count: int = 40) -> int:
        """Let a month pass; return how many entries were pruned in it."""
        self.now += MONTH
        leaves = await self.rig.pend(entries_of(count, start=self.number), at=self.now)
        self.number += count
        await self.rig.run(self.now)
        self.leaves += [(self.now, leaf) for leaf in leaves]
        self.proofs += [(each.entry, each.proof) for each in (await self.rig.prove(leaves[:2])).proven]
        self.played.now = self.now
        await self.witnesses.step(self.now)
        went = await self.pruner.step(self.now)
        await self.rig.run(self.now)  # the leaf that says so
        return went

    async def there(self, leaf: bytes) -> bool:
        return leaf in await self.rig.log.where([leaf])


async def test_over_ten_years_entries_live_between_five_and_a_bundle_more_and_proofs_for_ever(stores: Stores) -> None:
    rig = await stores.rig("years.db")
    years = Years(rig)
    went = [await years.month() for _ in range(6)]
    years.kept = [leaf for _, leaf in years.leaves[:3]]
    went += [await years.month() for _ in range(114)]
    assert sum(went[:60]) == 0
    assert sum(went) > 2_000
    rig.restart()  # nothing is answered from memory
    young = [leaf for at, leaf in years.leaves if at > years.now - POLICY.keep]
    old = [leaf for at, leaf in years.leaves if at < years.now - POLICY.keep - timedelta(days=300)]
    found = await rig.log.where([*young, *old])
    assert set(young) <= set(found)
    assert set(old) & set(found) == set(years.kept)
    for entry, proof in years.proofs:
        check_proof(entry, proof, rig.key.vkey)
    (fresh,) = (await rig.prove(years.kept[:1])).proven  # a new copy still needs its key's leaf
    assert check_proof(fresh.entry, fresh.proof, rig.key.vkey)[1] > 4_000
    assert [found.origin for found in await check(rig.log, years.now)] == [ORIGIN]
    assert await rig.log.tile(0, 0) is not None


async def test_each_pruning_is_a_leaf_that_names_log_policy_and_index(stores: Stores) -> None:
    rig = await stores.rig("leaf.db")
    years = Years(rig)
    went = sum([await years.month(300) for _ in range(70)])
    head = (await rig.log.examine()).size
    said = [json.loads(found.entry) for n in range(head) if (found := await rig.log.entry_of(n))]
    pruned = [each for each in said if each["event"] == "log.pruned"]
    assert {(each["log"], each["policy"]) for each in pruned} == {(ORIGIN, POLICY.document)}
    minimums = [each["minimum"] for each in pruned]
    assert minimums == sorted(set(minimums))
    assert minimums[-1] == went > 0


async def test_a_clock_that_is_years_ahead_of_the_witnesses_prunes_nothing(stores: Stores) -> None:
    rig = await stores.rig("clock.db")
    years = Years(rig)
    await years.month(600)
    assert await years.pruner.step(datetime(2099, 1, 1, tzinfo=UTC)) == 0
    assert await due(rig.log, POLICY, datetime(2099, 1, 1, tzinfo=UTC)) != []  # by that clock alone it would


async def test_nothing_is_pruned_before_a_witness_has_told_the_time(stores: Stores) -> None:
    rig = await stores.rig("alone.db")
    years = Years(rig)
    years.played.down = set(years.played.keys)
    assert sum([await years.month(100) for _ in range(80)]) == 0


async def test_a_closed_log_is_pruned_under_the_same_policy(stores: Stores) -> None:
    rig = await stores.rig("closed.db")
    old = Years(rig)
    await old.month(600)
    key = NoteKey.new(f"{ORIGIN}/2", Dice(5))
    await reopen(rig.database, key=key, highest=rig.kept, entropy=Dice(6), now=old.now)
    again = Rig(rig.database, rig.kept, key)
    await again.log.open(old.now)
    years = Years(again)
    years.now, years.number = old.now, 1_000
    went = [await years.month(10) for _ in range(64)]
    assert sum(went) == 512
    for entry, proof in old.proofs:
        check_proof(entry, proof, rig.key.vkey)
    assert {found.origin for found in await check(again.log, years.now)} == {ORIGIN, f"{ORIGIN}/2"}

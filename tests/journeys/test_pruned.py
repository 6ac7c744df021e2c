"""Years later an operator prunes the nation's log: every copy stays valid, and every card can still be proven."""

from datetime import timedelta
from pathlib import Path

import msgspec
from tests.journeys.nation import nation
from tests.journeys.parties import SeededEntropy

from wissel.client.cards import check_card
from wissel.client.words import ProvenCard
from wissel.core.moments import to_ms
from wissel.infra.http.ports import Request
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.messages.leaves import entry
from wissel.messages.verify import open_copy, parse_json, read_trust, verify
from wissel.platform.store.leaves import pending


async def test_copies_and_cards_hold_after_entries_were_pruned(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        process = await here.enrol(await here.learner("everything-fine"))
        await here.until("process.forgotten", process)
        assert await here.operate("audit", "prune", "--dry-run") == "Nothing is old enough.\n"

        here.stop("platform")  # a busy day: enough entries for two whole bundles
        database, now = SqliteDatabase(here.scene.data / "platform" / "wissel.sqlite"), here.clock.now()
        leaves = [f"{number:016}".encode() for number in range(600)]
        chance = SeededEntropy(9)
        made = [entry("day.due", now, chance, day="2026-04-15") for _ in leaves]
        await database.commit([pending(each, leaf, to_ms(now)) for each, leaf in zip(made, leaves, strict=True)])
        database.close()
        await here.start("platform")
        await here.settle(5)

        years = timedelta(days=6 * 366)
        would = await here.operate("audit", "prune", "--dry-run", later=years)
        went = await here.operate("audit", "prune", later=years)
        assert would.replace("would go", "went") == went
        assert " entries below 512 went" in went
        assert await here.operate("audit", "prune", "--dry-run", later=years) == "Nothing is old enough.\n"
        await here.operate("audit", "check")
        await here.settle(10)

        trust = read_trust((here.scene.data / "trust.json").read_bytes())
        for place in ("learners/everything-fine", "institutions/noord"):
            jwk = parse_json((here.scene.data / place / "keys" / "seal.json").read_bytes())
            for file in (here.scene.data / place / "vault").iterdir():
                assert verify(open_copy(file.read_bytes(), jwk), trust).ok
        for card in here.scene.cards:
            url = f"{here.scene.address('platform')}/v1/participants/{card.urn}"
            answer = await here.network.send(Request("GET", url))
            assert check_card(msgspec.json.decode(answer.body, type=ProvenCard), trust, None).card.urn == card.urn
        again = await here.enrol(await here.learner("everything-fine-2"))
        await here.until("process.forgotten", again)

"""Gathering cosignatures: verified before they are kept, and never waiting for the slowest."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.platform.registers.audit_parts import NOON, Dice, Played, Rig, Stores, entries_of

from wissel.infra.http.ports import Unreachable
from wissel.infra.sql.ports import Statement
from wissel.messages.notes import WitnessKey
from wissel.messages.verify import check_note, parse_checkpoint
from wissel.platform.registers.audit.actions.gather import Witnesses
from wissel.platform.registers.audit.errors import LogInconsistent
from wissel.platform.registers.audit.ports import WitnessAnswer


def witnesses_of(rig: Rig, played: Played) -> Witnesses:
    return Witnesses(rig.log, call=played, cards=played.cards, entropy=Dice(3))


async def grown(rig: Rig, count: int, start: int = 0) -> None:
    await rig.pend(entries_of(count, start=start))
    await rig.run()


async def test_nothing_is_asked_before_there_is_something_to_sign(rig: Rig) -> None:
    played = Played(["first"], rig.key.vkey)
    await rig.run()
    assert await witnesses_of(rig, played).step(NOON) == 0
    assert played.asked == []


async def test_every_witness_signs_what_the_log_signed(rig: Rig) -> None:
    played = Played(["first", "second", "third"], rig.key.vkey)
    witnesses = witnesses_of(rig, played)
    for size in (5, 300, 70_0):
        await grown(rig, size - sum(seen.size for seen in [played.seen["urn:first"]]), start=size * 1000)
        assert await witnesses.step(NOON) == 3
        note = await rig.log.checkpoint()
        for card in played.cards():
            check_note(note, card.vkey)
        assert parse_checkpoint(note).size == played.seen["urn:second"].size == size
    assert await witnesses.step(NOON) == 0, "who signed is not asked again"
    assert len(played.asked) == 9, "what is known of a witness is kept: one request each"


async def test_a_witness_that_knows_more_than_we_remember_is_asked_again_from_there(rig: Rig) -> None:
    played = Played(["first"], rig.key.vkey)
    await grown(rig, 50)
    await witnesses_of(rig, played).step(NOON)
    await rig.database.commit(_forget_witnesses())
    await grown(rig, 50, start=50)
    assert await witnesses_of(rig, played).step(NOON) == 1
    assert len(played.asked) == 3


async def test_a_witness_that_is_down_delays_only_itself(rig: Rig) -> None:
    played = Played(["first", "second"], rig.key.vkey)
    played.down = {"urn:first"}
    await grown(rig, 5)
    witnesses = witnesses_of(rig, played)
    assert await witnesses.step(NOON) == 1
    assert await witnesses.step(NOON) == 0
    assert played.asked == ["urn:first", "urn:second"], "backing off"
    played.down = set()
    assert await witnesses.step(NOON + timedelta(seconds=3)) == 1


async def test_the_back_off_grows_to_five_minutes_with_jitter(rig: Rig) -> None:
    played = Played(["first"], rig.key.vkey)
    played.down = {"urn:first"}
    await grown(rig, 5)
    witnesses, at, waits = witnesses_of(rig, played), NOON, list[float]()
    for _ in range(14):
        await witnesses.step(at)
        due_ms = int(str((await rig.database.fetch("SELECT due_ms FROM log_witnesses"))[0][0]))
        due = datetime.fromtimestamp(due_ms / 1000, UTC)
        waits.append((due - at).total_seconds())
        at = due
    assert all(1 <= waits[0] <= 2 and 150 <= wait <= 300 for wait in waits[-4:])
    assert len(set(waits[-4:])) == 4


@pytest.mark.parametrize("body", ["", "— first.example AAAA\n", "nonsense", "— other.example Z2VlbiBoYW5k\n"])
async def test_a_line_that_does_not_verify_is_not_kept(rig: Rig, body: str) -> None:
    played = Played(["first"], rig.key.vkey)

    async def call(urn: str, sent: str) -> WitnessAnswer:
        return WitnessAnswer(200, body)

    await grown(rig, 5)
    witnesses = Witnesses(rig.log, call=call, cards=played.cards, entropy=Dice(3))
    assert await witnesses.step(NOON) == 0
    assert await rig.database.fetch("SELECT * FROM log_cosignatures") == []


async def test_a_good_line_is_found_among_lines_of_others(rig: Rig) -> None:
    played = Played(["first"], rig.key.vkey)
    stranger = WitnessKey.new("stranger.example", Dice(77))

    async def call(urn: str, sent: str) -> WitnessAnswer:
        answer = await played(urn, sent)
        body = sent.partition("\n\n")[2].partition("\n\n")[0] + "\n"
        return WitnessAnswer(200, stranger.cosign(body, NOON) + answer.body)

    await grown(rig, 5)
    assert await Witnesses(rig.log, call=call, cards=played.cards, entropy=Dice(3)).step(NOON) == 1
    check_note(await rig.log.checkpoint(), played.cards()[0].vkey)


async def test_one_witness_alone_cannot_stop_a_log_that_others_cosign(stores: Stores) -> None:
    rig = await stores.rig("a.db")
    played = Played(["first", "second", "third"], rig.key.vkey)

    async def call(urn: str, sent: str) -> WitnessAnswer:
        return WitnessAnswer(409, "999999\n") if urn == "urn:third" else await played(urn, sent)

    await grown(rig, 5)
    assert await Witnesses(rig.log, call=call, cards=played.cards, entropy=Dice(3)).step(NOON) == 2
    assert rig.log.trouble is None
    rows = await rig.database.fetch("SELECT witness FROM log_witnesses WHERE quarrel = 'ahead'")
    assert rows == [("urn:third",)]


@pytest.mark.parametrize("answer", [WitnessAnswer(422, "no proof\n"), WitnessAnswer(409, "5\n")])
async def test_witnesses_that_hold_another_tree_stop_the_log(rig: Rig, answer: WitnessAnswer) -> None:
    played = Played(["first", "second"], rig.key.vkey)

    async def call(urn: str, sent: str) -> WitnessAnswer:
        return answer

    await grown(rig, 5)
    with pytest.raises(LogInconsistent, match="2 witnesses"):
        await Witnesses(rig.log, call=call, cards=played.cards, entropy=Dice(3)).step(NOON)
    assert await rig.log.stalled(NOON)


@pytest.mark.parametrize("answer", [WitnessAnswer(500, ""), WitnessAnswer(404, "?"), WitnessAnswer(409, "-1")])
async def test_a_witness_that_only_fails_is_no_reason_to_stop(rig: Rig, answer: WitnessAnswer) -> None:
    played = Played(["first"], rig.key.vkey)

    async def call(urn: str, sent: str) -> WitnessAnswer:
        if urn == "never":
            raise Unreachable("no answer")
        return answer if answer.status != 409 else WitnessAnswer(503, answer.body)

    await grown(rig, 5)
    assert await Witnesses(rig.log, call=call, cards=played.cards, entropy=Dice(3)).step(NOON) == 0
    assert rig.log.trouble is None


async def test_the_newest_cosignature_tells_the_time_of_another_clock(rig: Rig) -> None:
    played = Played(["first"], rig.key.vkey, now=NOON + timedelta(seconds=7, milliseconds=400))
    assert await rig.log.witness_time() is None
    await grown(rig, 5)
    await witnesses_of(rig, played).step(NOON)
    assert await rig.log.witness_time() == NOON + timedelta(seconds=7)


@pytest.mark.parametrize("quorum", [0, 1, 2, 3])
async def test_the_time_of_the_witnesses_is_one_that_a_quorum_has_reached(stores: Stores, quorum: int) -> None:
    rig = await stores.rig("a.db", quorum=quorum)
    told = {"slow": -3600, "right": 0, "other": 1, "liar": 86_400}
    played = Played(list(told), rig.key.vkey)

    async def call(urn: str, body: str) -> WitnessAnswer:
        played.now = NOON + timedelta(seconds=told[urn.removeprefix("urn:")])
        return await played(urn, body)

    await grown(rig, 5)
    assert await Witnesses(rig.log, call=call, cards=played.cards, entropy=Dice(3)).step(NOON) == 4
    found = await rig.log.witness_time()
    assert found == NOON + timedelta(seconds=sorted(told.values(), reverse=True)[max(quorum, 1) - 1])


async def test_fewer_witnesses_than_a_quorum_tell_no_time(stores: Stores) -> None:
    rig = await stores.rig("a.db", quorum=2)
    played = Played(["first", "second"], rig.key.vkey)
    await grown(rig, 5)
    played.down = {"urn:second"}
    await witnesses_of(rig, played).step(NOON)
    assert await rig.log.witness_time() is None
    played.down = set()
    await witnesses_of(rig, played).step(NOON + timedelta(minutes=10))
    assert await rig.log.witness_time() == NOON
    played.down, played.now = {"urn:second"}, NOON + timedelta(hours=1)
    await grown(rig, 5, start=50)
    await witnesses_of(rig, played).step(NOON + timedelta(hours=1))
    assert await rig.log.witness_time() == NOON, "that it is an hour later says only one of them"


def _forget_witnesses() -> list[Statement]:
    return [Statement("DELETE FROM log_witnesses")]

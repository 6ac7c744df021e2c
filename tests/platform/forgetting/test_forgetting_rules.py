from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st
from tests.platform.forgetting.forgetting_scene import PROCESS

from wissel.core.moments import end_of, to_ms
from wissel.platform.forgetting import rules
from wissel.platform.forgetting.errors import ForgettingError, KeyGone
from wissel.platform.forgetting.words import KeyName, Watch

NAME = KeyName(PROCESS, "post")
ZERO = bytes(32)
DAY = date(2026, 4, 15)
OVER = end_of(DAY) + rules.GRACE
SECOND = timedelta(seconds=1)

secrets = st.binary(min_size=32, max_size=32).filter(any)
nonces = st.binary(min_size=12, max_size=12)


@given(secrets, secrets, secrets, nonces)
def test_a_wrapped_key_opens_with_its_day_key_and_slot(
    day_key: bytes, slot: bytes, secret: bytes, nonce: bytes
) -> None:
    assert rules.unwrap(day_key, slot, NAME, rules.wrap(day_key, slot, NAME, secret, nonce)) == secret


@given(secrets, secrets, secrets, nonces, secrets)
def test_a_wrapped_key_needs_both_its_day_key_and_its_slot(
    day_key: bytes, slot: bytes, secret: bytes, nonce: bytes, other: bytes
) -> None:
    wrapped = rules.wrap(day_key, slot, NAME, secret, nonce)
    for wrong in ((other, slot), (day_key, other)):
        if wrong != (day_key, slot):
            with pytest.raises(KeyGone):
                rules.unwrap(*wrong, NAME, wrapped)


@pytest.mark.parametrize(
    "name", [KeyName(PROCESS, "memory"), KeyName(PROCESS, "post", "m"), KeyName(PROCESS[::-1], "post")]
)
def test_a_wrapped_key_opens_under_no_other_name(name: KeyName) -> None:
    wrapped = rules.wrap(b"d" * 32, b"s" * 32, NAME, b"k" * 32, bytes(12))
    with pytest.raises(KeyGone):
        rules.unwrap(b"d" * 32, b"s" * 32, name, wrapped)


@pytest.mark.parametrize(
    ("day_key", "slot"), [(b"d" * 32, ZERO), (ZERO, b"s" * 32), (b"d" * 31, b"s" * 32), (b"", b"")]
)
def test_a_zero_or_short_slot_is_an_error_and_never_a_key(day_key: bytes, slot: bytes) -> None:
    with pytest.raises(KeyGone):
        rules.wrap(day_key, slot, NAME, b"k" * 32, bytes(12))
    with pytest.raises(KeyGone):
        rules.unwrap(day_key, slot, NAME, bytes(60))


def test_the_wrapping_key_is_hkdf_sha256_of_rfc_5869() -> None:
    ours = rules.expand(rules.extract(b"d" * 32, b"s" * 32), KeyName(PROCESS, "number", "m1"))
    info = f"{PROCESS}|number|m1".encode()
    assert ours == HKDF(SHA256(), 32, salt=b"s" * 32, info=info).derive(b"d" * 32)
    assert rules.derived(b"d" * 32, "index") == HKDF(SHA256(), 32, salt=None, info=b"day|index").derive(b"d" * 32)


def test_a_place_names_process_message_and_class_and_cannot_be_forged() -> None:
    assert rules.place("p", "m", "post") == "p|m|post"
    with pytest.raises(ForgettingError):
        rules.place("p|m", "", "post")


def judged(watch: Watch, database: datetime, witness: datetime | None, *, demo: bool = False) -> rules.Verdict:
    return rules.judge([DAY], watch, (database, database, witness), demo=demo)


def asked(at: datetime, witness: datetime | None = None) -> Watch:
    ms = 0 if witness is None else to_ms(witness)
    return Watch(state="asked", day=DAY.isoformat(), asked_ms=to_ms(at), witness_ms=ms)


def test_a_day_rests_until_24_hours_after_its_midnight_in_amsterdam() -> None:
    assert datetime(2026, 4, 16, 22, tzinfo=UTC) == OVER  # midnight of the 17th, summer time
    assert judged(Watch(), OVER - SECOND, OVER).act == "rest"
    assert judged(Watch(), OVER, OVER).act == "ask"


@pytest.mark.parametrize(
    ("day", "over"),
    [
        (date(2026, 3, 28), datetime(2026, 3, 29, 23, tzinfo=UTC)),  # ends at winter time, grace is 24 real hours
        (date(2026, 3, 29), datetime(2026, 3, 30, 22, tzinfo=UTC)),  # the day of 23 hours
        (date(2026, 10, 24), datetime(2026, 10, 25, 22, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 26, 23, tzinfo=UTC)),  # the day of 25 hours
    ],
)
def test_days_of_23_and_25_hours_end_at_their_own_midnight(day: date, over: datetime) -> None:
    assert rules.due_days([day], over) == [day]
    assert rules.due_days([day], over - SECOND) == []


def test_a_fresh_witness_that_agrees_lets_a_day_go() -> None:
    assert judged(asked(OVER), OVER + SECOND, OVER + SECOND) == ("destroy", DAY, "")


def test_an_agreeing_witness_is_enough_however_late_we_look() -> None:
    assert judged(asked(OVER), OVER + timedelta(hours=5), OVER + SECOND).act == "destroy"


def test_without_any_witness_a_day_waits() -> None:
    assert judged(asked(OVER), OVER + timedelta(hours=5), None).act == "wait"


def test_a_witness_that_said_nothing_new_makes_a_day_wait() -> None:
    stale = OVER - timedelta(hours=3)
    assert judged(asked(OVER, stale), OVER + timedelta(hours=5), stale).act == "wait"


def test_a_database_clock_that_runs_ahead_of_the_witness_stops_for_an_operator() -> None:
    before, real = OVER - timedelta(days=3), OVER - timedelta(days=3) + SECOND
    assert judged(asked(OVER, before), OVER + SECOND, real).act == "wait"  # it may have been under way already
    verdict = judged(asked(OVER, before), OVER + timedelta(minutes=1), real)
    assert verdict == ("stop", DAY, "clocks-differ")


def test_a_witness_that_runs_a_minute_ahead_stops_for_an_operator() -> None:
    now = OVER + timedelta(minutes=1)
    assert judged(asked(OVER), now, now + timedelta(seconds=59)).act == "destroy"
    assert judged(asked(OVER), now, now + timedelta(seconds=60)).why == "clocks-differ"


def test_a_platform_clock_a_minute_away_from_the_databases_stops_for_an_operator() -> None:
    now = OVER + timedelta(minutes=2)
    verdict = rules.judge([DAY], asked(OVER), (now + timedelta(minutes=1), now, now), demo=False)
    assert verdict.why == "clocks-differ"


def test_two_due_days_stop_for_an_operator() -> None:
    days = [DAY, DAY + timedelta(days=1)]
    late = OVER + timedelta(days=1)
    verdict = rules.judge(days, Watch(), (late, late, late), demo=False)
    assert verdict == ("stop", DAY, "days-behind")


def test_a_demo_jumps_24_hours_over_the_day_of_23_and_stops_at_three_days() -> None:
    days = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]
    jump = datetime(2026, 3, 30, 22, 30, tzinfo=UTC)
    assert len(rules.due_days(days, jump)) == 2
    assert len(rules.due_days(days, jump - timedelta(hours=24))) == 0
    assert rules.judge(days, Watch(), (jump, jump, jump), demo=True).act == "ask"
    later = jump + timedelta(hours=24)
    assert rules.judge(days, Watch(), (later, later, later), demo=True).act == "stop"


@pytest.mark.parametrize("state", ["clocks-differ", "days-behind"])
def test_what_stopped_goes_on_only_through_the_day_an_operator_named(state: str) -> None:
    stopped = Watch(state=state, day=DAY.isoformat())  # type: ignore[arg-type]  # both are states
    assert judged(stopped, OVER, OVER).act == "rest"
    assert judged(Watch(through="2026-04-14"), OVER, OVER).act == "ask"
    assert judged(Watch(through=DAY.isoformat()), OVER, None).act == "destroy"

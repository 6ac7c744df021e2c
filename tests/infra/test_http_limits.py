import json
from datetime import timedelta

import pytest
from tests.infra.http_scene import NOON, StillClock

from wissel.infra.http.errors import Busy, TooMany
from wissel.infra.http.rate import Buckets
from wissel.infra.http.replay import Seen
from wissel.infra.telemetry import JsonLog


def test_a_bucket_gives_its_reserve_and_then_its_rate() -> None:
    clock = StillClock()
    buckets = Buckets(clock, per_second=2, burst=3)
    for _ in range(3):
        buckets.take("a")
    with pytest.raises(TooMany) as caught:
        buckets.take("a")
    assert caught.value.retry_after_s == 1
    buckets.take("b")
    clock.forward(0.5)
    buckets.take("a")
    with pytest.raises(TooMany):
        buckets.take("a")
    clock.forward(3600)
    for _ in range(3):
        buckets.take("a")
    with pytest.raises(TooMany):
        buckets.take("a")


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    clock = StillClock()
    buckets = Buckets(clock, per_second=1, burst=1)
    buckets.take("a")
    clock.forward(-3600)
    with pytest.raises(TooMany):
        buckets.take("a")


def test_buckets_are_bounded() -> None:
    buckets = Buckets(StillClock(), per_second=1, burst=1, holders_max=10)
    for number in range(100):
        buckets.take(str(number))
    assert len(buckets._levels) == 10


def test_a_name_counts_once_until_its_end() -> None:
    seen, later = Seen(), NOON + timedelta(seconds=60)
    assert seen.first("a", later, NOON)
    assert not seen.first("a", later, NOON)
    assert not seen.first("a", later, later)
    assert seen.first("a", later + timedelta(seconds=9), later + timedelta(seconds=1))


def test_a_full_memory_refuses_instead_of_forgetting() -> None:
    seen, later = Seen(2), NOON + timedelta(seconds=60)
    assert seen.first("a", later, NOON)
    assert seen.first("b", later, NOON)
    with pytest.raises(Busy) as caught:
        seen.first("c", later, NOON)
    assert caught.value.retry_after_s == 60
    assert not seen.first("a", later, NOON)
    assert seen.first("c", later + timedelta(seconds=60), later + timedelta(seconds=1))
    assert len(seen) == 1


def test_a_log_line_is_one_json_object_with_when_and_what_first() -> None:
    lines: list[str] = []
    JsonLog(StillClock(), lines.append).write("http.answered", status=200, route="a\nb", text="x" * 1000)
    assert len(lines) == 1
    assert "\n" not in lines[0]
    found = json.loads(lines[0])
    assert list(found)[:2] == ["at", "event"]
    assert found["at"] == "2026-04-15T12:00:00.000Z"
    assert found["status"] == 200
    assert len(found["text"]) == 200

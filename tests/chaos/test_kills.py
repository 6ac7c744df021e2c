"""The short kill test of every `make test`; `make chaos` runs the whole one (docs/faults.md)."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.chaos.plan import errands, kills
from tests.chaos.run import kill_test

from wissel.assembly.crash import crash_at
from wissel.assembly.settings import SettingWrong


async def test_nothing_is_lost_or_done_twice_when_processes_are_killed(tmp_path: Path) -> None:
    report = await kill_test(tmp_path / "data", enrolments=6, kill=3, seed=5, minutes=2)
    assert not report.findings.troubles, "\n".join(report.findings.troubles)
    assert len(report.deaths) == 3
    assert report.findings.verified == report.findings.copies > 0
    assert report.findings.messages >= 8 * 15


def test_a_process_kills_itself_at_the_named_passing_and_no_sooner() -> None:
    passing = (
        "from wissel.assembly.crash import crash_at\n"
        "point = crash_at('commit.after:3', demo=True)\n"
        "for n in range(9): print(n, flush=True); point('commit.before'); point('commit.after')"
    )
    done = subprocess.run([sys.executable, "-c", passing], capture_output=True, check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == [b"0", b"1", b"2"]


def test_a_crash_point_is_refused_for_a_store_that_is_no_demo() -> None:
    with pytest.raises(SettingWrong, match="demo"):
        crash_at("commit.after:3", demo=False)


@pytest.mark.parametrize("setting", ["commit.after", "commit.after:0", ":3", "commit.after:-1", "COMMIT:1"])
def test_a_crash_point_that_says_nothing_is_refused(setting: str) -> None:
    with pytest.raises(SettingWrong, match="point"):
        crash_at(setting, demo=True)


def test_half_of_all_deaths_are_the_platforms_and_named_points_take_turns_with_random_moments() -> None:
    planned = kills(20, seed=1)
    ways = Counter(bool(kill.point) for every in planned.values() for kill in every)
    assert len(planned["platform"]) == 10
    assert min(ways[True], ways[False]) >= 9
    assert {kill.point for kill in planned["platform"]} >= {"commit.before", "commit.after", "slots.written"}


def test_nobody_enrols_twice_for_the_same() -> None:
    for count in (6, 7, 12, 60):
        assert max(Counter(errands(count)).values()) == 1

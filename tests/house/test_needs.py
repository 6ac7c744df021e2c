"""What a machine lacks is named, never passed over in silence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import NEEDS
from tests.house.reading import ROOT

SAMPLE = """
import pytest

@pytest.mark.needs("{need}")
def test_that_needs_it() -> None:
    pass
"""


def run_sample(folder: Path, need: str, *, strict: bool) -> subprocess.CompletedProcess[str]:
    """Run one test that needs `need` on a machine that has no Node, browser or specifications."""
    sample = folder / "test_sample.py"
    sample.write_text(SAMPLE.format(need=need), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    settings = {
        "PATH": str(folder),
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "WISSEL_SPECS": str(folder / "nowhere"),
        "WISSEL_STRICT": "1" if strict else "",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(sample)]
    return subprocess.run(
        command, cwd=folder, env=os.environ | settings, check=False, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("need", ["git", "node", "chromium", "unshare", "specs"])
def test_a_check_that_cannot_run_is_left_out_and_named(tmp_path: Path, need: str) -> None:
    done = run_sample(tmp_path, need, strict=False)
    assert done.returncode == 0, done.stdout
    assert "Could not run" in done.stdout
    assert f"test_sample.py::test_that_needs_it ({need} is not here" in done.stdout


@pytest.mark.parametrize("need", sorted(NEEDS.keys() - {"specs"}))
def test_strict_makes_a_check_that_cannot_run_a_failure(tmp_path: Path, need: str) -> None:
    done = run_sample(tmp_path, need, strict=True)
    assert done.returncode == 1
    assert f"STRICT: could not run without {need}" in done.stdout


def test_strict_leaves_out_and_names_what_needs_specifications(tmp_path: Path) -> None:
    done = run_sample(tmp_path, "specs", strict=True)
    assert done.returncode == 0, done.stdout
    assert "test_sample.py::test_that_needs_it (specs is not here" in done.stdout


def test_a_need_that_nobody_described_is_refused(tmp_path: Path) -> None:
    done = run_sample(tmp_path, "luck", strict=False)
    assert done.returncode != 0
    assert "needs 'luck'; known needs are" in done.stdout + done.stderr

"""What every test gets: named needs that may be missing on a machine, and no way out to the network.

A test that needs more than Python says so: `@pytest.mark.needs("node")`. Where the need is missing the test
is left out and named at the end; under `make test STRICT=1` it fails, except where specifications are needed.
"""

import ipaddress
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
STRICT: Final = os.environ.get("WISSEL_STRICT", "") not in ("", "0")
SPECS: Final = Path(os.environ.get("WISSEL_SPECS") or ROOT.parent / "shared" / "specs")
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Need(NamedTuple):
    """Something that a machine may lack: is it here, how does it get here, and does STRICT insist on it."""

    found: Callable[[], bool]
    remedy: str
    insisted: bool = True


ALONE: Final = ("unshare", "-r", "-n")  # a process in a network namespace of its own: no network, not even this machine


def _alone() -> bool:
    return shutil.which(ALONE[0]) is not None and subprocess.run([*ALONE, "true"], check=False).returncode == 0


NEEDS: Final = {
    "git": Need(
        lambda: shutil.which("git") is not None and (ROOT / ".git").exists(),
        "git and a clone made with it",
    ),
    "node": Need(
        lambda: shutil.which("node") is not None and (ROOT / "node_modules").is_dir(),
        "Node.js, and the test tools of package.json (npm ci)",
    ),
    "chromium": Need(
        lambda: any(shutil.which(name) for name in BROWSERS),
        "a Chromium or Chrome on the PATH",
    ),
    "unshare": Need(
        _alone,
        "unshare of util-linux, and leave to make user and network namespaces",
    ),
    "specs": Need(
        SPECS.is_dir,
        "a folder with the specifications, named by WISSEL_SPECS",
        insisted=False,
    ),
}


@cache
def _missing(name: str) -> bool:
    return not NEEDS[name].found()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", f"needs(*names): what a machine may lack, of {', '.join(NEEDS)}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a need that nobody described."""
    for item in items:
        for name in _needs_of(item):
            if name not in NEEDS:
                raise pytest.UsageError(f"{item.nodeid} needs {name!r}; known needs are {', '.join(NEEDS)}.")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out when what it needs is missing, or fail it when STRICT insists."""
    for name in filter(_missing, _needs_of(item)):
        need = NEEDS[name]
        if STRICT and need.insisted:
            pytest.fail(f"STRICT: could not run without {name}: install {need.remedy}.", pytrace=False)
        pytest.skip(f"{name} is not here: {need.remedy}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every check that could not run, and why."""
    left_out: list[pytest.TestReport] = terminalreporter.getreports("skipped")
    if not left_out:
        return
    terminalreporter.section("Could not run")
    for report in left_out:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"{report.nodeid} ({reason.removeprefix('Skipped: ')})")


def _needs_of(item: pytest.Item) -> list[str]:
    return [str(name) for marker in item.iter_markers("needs") for name in marker.args]


@pytest.fixture(scope="session")
def specs() -> Path:
    """The folder with specifications. The test says `needs("specs")` too."""
    return SPECS


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder with the Node test tools. The test says `needs("node")` too."""
    return ROOT / "node_modules"


@pytest.fixture(autouse=True)
def _no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test reaches this machine only: a call to the world fails instead of hanging or, worse, working."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not _local(str(address[0])):
            raise PermissionError(f"A test tried to reach {address[0]}: tests speak to this machine only.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

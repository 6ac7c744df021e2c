"""Every file in every vault passes `wissel verify` with the network off: the real command in a process of its own."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.conftest import ALONE
from tests.journeys.nation import Nation, nation

CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=5)"
VERIFY = ("-m", "wissel.cli", "verify")


def python(*arguments: str | Path, alone: bool = True) -> subprocess.CompletedProcess[str]:
    """Run Python, by itself in a network namespace that has no network."""
    words = [*(ALONE if alone else ()), sys.executable, *map(str, arguments)]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)


def files(here: Nation) -> list[Path]:
    """Return every file in every vault: the learners' and the institutions'."""
    data = here.scene.data
    return sorted([*data.glob("learners/*/vault/*"), *data.glob("institutions/*/vault/*")])


def assert_yes(copies: Sequence[Path], *more: str | Path) -> None:
    done = python(*VERIFY, "--witnessed", *more, *copies)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == [str(file) for file in copies]
    assert all(line.partition(": ")[2].startswith("yes") for line in done.stdout.splitlines())


@pytest.mark.needs("unshare")
async def test_every_copy_of_two_enrolments_is_proven_without_a_network(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        process = await here.enrol(await here.learner("everything-fine"))
        await here.until("process.forgotten", process)
        process = await here.enrol(await here.learner("without-diploma"))
        await here.settle(60)
        body = {"process": process, "decision": "refused", "role": "board", "ground": "education", "text": "None."}
        await here.desk("noord", "/admissions", body)
        await here.until("process.forgotten", process)
        copies = files(here)
        assert {file.parts[-3] for file in copies} == {"everything-fine", "without-diploma", "noord"}
        assert all(file.suffix == ".afschrift" for file in copies)
        assert_yes(copies)

        broken = tmp_path / "data" / "learners" / "everything-fine" / "vault" / "broken.afschrift"
        broken.write_bytes(copies[0].read_bytes()[:-8])
        done = python(*VERIFY, *copies, broken)
        assert done.returncode == 1
        assert "broken.afschrift: no: " in done.stdout


@pytest.mark.needs("unshare")
def test_the_network_is_off_where_copies_are_verified() -> None:
    """Else the test above would show nothing: what listens here is not reached from there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert python("-c", CONNECT, port, alone=False).returncode == 0
        done = python("-c", CONNECT, port)
        assert done.returncode == 1
        assert "unreachable" in done.stderr

"""Whoever ends the demo ends all of it: no process that it started lives on."""

import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

READY_S_MAX = 90.0


def read_until(stream: int, text: str) -> str:
    """Read what the demo prints until `text` stands in it."""
    said, end = b"", time.monotonic() + READY_S_MAX
    while text.encode() not in said:
        assert time.monotonic() < end, said.decode()
        if select.select([stream], [], [], 1.0)[0]:
            read = os_read(stream)
            assert read, said.decode()
            said += read
    return said.decode()


def os_read(stream: int) -> bytes:
    with open(stream, "rb", buffering=0, closefd=False) as raw:
        return raw.read(65536) or b""


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_demo_that_is_asked_to_end_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "wissel.cli", "demo", "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as demo:
        assert demo.stdout is not None
        read_until(demo.stdout.fileno(), "asks to enrol")
        found = [file.read_text() for file in (tmp_path / "data").rglob("*.toml")]
        ports = {int(port) for text in found for port in re.findall(r"127\.0\.0\.1:(\d+)", text)}
        assert len(ports) == 12
        assert all(answers(port) for port in ports)
        demo.send_signal(number)
        rest = demo.stdout.read().decode()
        assert demo.wait(timeout=60) == 130, rest
    assert "Every process that was started is stopped." in rest
    assert "Traceback" not in rest
    assert not any(answers(port) for port in ports)

"""The demo's processes are its own, and an operator's tools tell the truth about the store that they leave."""

import asyncio
import json
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from wissel.assembly.demo.processes import OwnerFailed, end, running, start
from wissel.assembly.demo.setup import prepare

STEP_S, STEPS_MAX = 0.1, 300


async def test_a_port_that_another_program_answers_is_not_taken_for_our_own(tmp_path: Path) -> None:
    scene = await prepare(tmp_path / "data", pace=0.0, first_port=0)
    with socket.create_server(("127.0.0.1", scene.ports["platform"])), pytest.raises(OwnerFailed) as caught:
        async with running(scene):
            pytest.fail("the demo went on with somebody else's platform")
    assert f"{scene.ports['platform']} cannot be taken" in caught.value.sentence


def audit(settings: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wissel.cli", "audit", "--config", str(settings), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def entries(store: Path) -> list[tuple[int, bytes]]:
    with sqlite3.connect(store) as database:
        return database.execute("SELECT idx, entry FROM log_entries ORDER BY log, idx").fetchall()


async def test_an_audit_check_of_a_changed_closed_log_fails_and_nothing_is_closed_without_a_yes(tmp_path: Path) -> None:
    scene = await prepare(tmp_path / "data", pace=0.0, first_port=0)
    settings, store = tmp_path / "data/platform/wissel.toml", tmp_path / "data/platform/wissel.sqlite"
    process = await start("serve", settings)
    try:
        for _ in range(STEPS_MAX):
            if len(entries(store)) > len(scene.cards):
                break
            await asyncio.sleep(STEP_S)
    finally:
        await end([process])
    assert audit(settings, "check").returncode == 0
    asked = audit(settings, "reopen")
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "Nothing was closed" in asked.stderr
    handed_out = json.loads((tmp_path / "data/trust.json").read_bytes())
    assert json.loads(audit(settings, "trust").stdout) == handed_out
    assert audit(settings, "reopen", "--yes").returncode == 0
    after = json.loads(audit(settings, "trust").stdout)
    assert after["logs"].keys() == {"wissel.example/demo", "wissel.example/demo/2"}
    assert after["logs"]["wissel.example/demo"] == handed_out["logs"]["wissel.example/demo"]
    assert (after["quorum"], after["witnesses"]) == (handed_out["quorum"], handed_out["witnesses"])
    place, entry = entries(store)[1]
    with sqlite3.connect(store) as database:
        changed = (entry.replace(b"e", b"f", 1), place)
        database.execute("UPDATE log_entries SET entry = ? WHERE log = 1 AND idx = ?", changed)
    checked = audit(settings, "check")
    assert checked.returncode == 1
    assert checked.stdout.startswith("wissel.example/demo: Entry 1 of log wissel.example/demo was changed.\n")
    assert "wissel.example/demo/2: sound" in checked.stdout

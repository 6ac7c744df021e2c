"""A wrong setting or file is refused with one sentence that names it, before anything is started or made."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from wissel.assembly.settings import ConnectorSettings, PlatformSettings, SettingWrong, allowed, read_settings

GOOD = {
    "data": "data",
    "urn": "urn:nld:oin:00000099000000001000:systeem:wissel",
    "origin": "wissel.example/log",
}

WRONG: Mapping[str, tuple[str, str]] = {  # settings in TOML: the setting at fault, and what is said of it
    'urn = "hello"': ("urn", "it is not a participant's URN"),
    'origin = "x y"': ("origin", "it is not a name without blanks"),
    'base = "wissel.example"': ("base", "it is not an address without a path"),
    'base = "https://wissel.example/v1"': ("base", "it is not an address without a path"),
    "port = 70000": ("port", "expected `int` <= 65535"),
    'port = "many"': ("port", "expected `int`"),
    "quorum = -1": ("quorum", "expected `int` >= 0"),
    "log_keep_years = 0": ("log_keep_years", "expected `int` >= 1"),
    'prot = "8100"': ("prot", "is not known here; is port meant?"),
    "nonsense = 1": ("nonsense", "is not known here. See docs/settings.md."),
    '[partners.duo]\nkeyy = "x"': ("partners.<role>.keyy", "is not known here"),
    '[partners.bank]\nkey = "x"': ("partners.<role>", "invalid enum value 'bank'"),
    "allow = 3": ("allow", "expected `array`"),
}


def toml(values: Mapping[str, str], more: str = "") -> str:
    lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in values.items()]
    own = more.partition(" ")[0]
    return "\n".join([*(line for line in lines if line.partition(" ")[0] != own), more]) + "\n"


@pytest.mark.parametrize("more", WRONG)
def test_a_wrong_setting_is_named_with_what_would_be_right(tmp_path: Path, more: str) -> None:
    file = tmp_path / "wissel.toml"
    file.write_text(toml(GOOD, more))
    field, says = WRONG[more]
    with pytest.raises(SettingWrong) as refused:
        read_settings(PlatformSettings, file, {})
    assert refused.value.field == field
    assert refused.value.sentence.startswith(f"Setting {field}")
    assert says in refused.value.sentence


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingWrong, match="Setting data is needed"):
        read_settings(ConnectorSettings, None, {"WISSEL_PLATFORM": "https://wissel.example"})


@pytest.mark.parametrize("pair", ["nonsense", "127.0.0.1:", ":80", "127.0.0.1:70000", "127.0.0.1:x"])
def test_what_outbound_calls_may_reach_is_address_and_port(pair: str) -> None:
    with pytest.raises(SettingWrong, match="Setting allow"):
        allowed((pair,))


def wissel(folder: Path, *words: str, settings: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder that holds these settings."""
    (folder / "wissel.toml").write_text(settings)
    path = {name: value for name, value in os.environ.items() if not name.startswith("WISSEL_")}
    command = [sys.executable, "-m", "wissel.cli", *words]
    return subprocess.run(
        command, cwd=folder, env=path, check=False, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )


def assert_refused(done: subprocess.CompletedProcess[str], says: str, code: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("wissel: ")
    assert line.endswith(f"[{code}]")
    assert says in line


STARTS: Mapping[str, tuple[str, str, str]] = {  # command: more settings, what is said, code
    "a clock without a demo": ('clock = "clock.txt"', "Setting clock", "serve"),
    "a clock that is not there": ('demo = true\nclock = "nowhere"', "Setting clock", "serve"),
    "a crash without a demo": ('crash = "commit.after:7"', "Setting crash", "serve"),
    "a log in no folder": ('log = "nowhere/log.jsonl"', "Setting log", "serve"),
    "data that is a file": ('data = "wissel.toml"', "Setting data", "serve"),
}


@pytest.mark.parametrize("what", STARTS)
def test_what_only_shows_at_the_start_is_refused_as_plainly(tmp_path: Path, what: str) -> None:
    more, says, command = STARTS[what]
    done = wissel(tmp_path, command, "--config", "wissel.toml", settings=toml(GOOD, more))
    assert_refused(done, says, "setting-wrong")
    assert not (tmp_path / "data" / "wissel.sqlite").exists()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = wissel(tmp_path, "serve", "--config", "wissel.toml", settings=toml(GOOD, f"port = {port}"))
    assert_refused(done, f"127.0.0.1:{port} cannot be taken: somebody else listens there", "setting-wrong")


def test_a_connector_needs_an_institution_cards_and_a_sound_trust_file(tmp_path: Path) -> None:
    own = {"data": "data", "platform": "https://wissel.example", "cards": "cards.json"}
    start = ("connector", "--config", "wissel.toml")
    assert_refused(wissel(tmp_path, *start, settings=toml(own)), "Setting cards: cards.json cannot", "setting-wrong")
    (tmp_path / "cards.json").write_text("{}")
    assert_refused(wissel(tmp_path, *start, settings=toml(own)), "is not a list of cards", "setting-wrong")
    (tmp_path / "cards.json").write_text("[]")
    assert_refused(wissel(tmp_path, *start, settings=toml(own)), "holds no institution", "setting-wrong")


def test_an_operator_is_told_when_there_is_no_store_and_none_is_made(tmp_path: Path) -> None:
    tools = (("audit", "check"), ("audit", "reopen", "--yes"), ("audit", "trust"), ("engine", "aside"))
    for words in (*tools, ("participants", "revoke", "kid")):
        done = wissel(tmp_path, words[0], "--config", "wissel.toml", *words[1:], settings=toml(GOOD))
        assert_refused(done, "There is no platform's store in data", "nothing-there")
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_no_card_is_refused(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("hello")
    done = wissel(tmp_path, "participants", "--config", "wissel.toml", "add", "card.json", settings=toml(GOOD))
    assert_refused(done, "card.json is not a card", "card-invalid")


def test_verify_says_of_each_file_why_not(tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"\xff\x00 nothing")
    (tmp_path / "trust.json").write_text('{"logs":{},"witnesses":[],"quorum":0}')
    done = wissel(tmp_path, "verify", "garbage", "absent", "--trust", "trust.json")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "garbage: no: It is neither an afschrift nor a sealed one. [jwe]",
        "absent: no: There is no such file. [file]",
    ]
    done = wissel(tmp_path, "verify", "garbage")
    assert "no: There is no trust file" in done.stdout
    assert "Give --trust. [trust]" in done.stdout


def test_show_says_that_garbage_is_no_afschrift(tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"\xff\x00 nothing")
    done = wissel(tmp_path, "show", "garbage")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "wissel: It is neither an afschrift nor a sealed one. [jwe]\n"

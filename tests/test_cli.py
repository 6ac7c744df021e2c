"""The command line: what people type is taken as they mean it."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.messages.evidence import keys, truth

from wissel.cli import main
from wissel.messages import notes

KID = "-a" + "h" * 41
COPY = f"{KID}.afschrift"


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Return a vault in which the one copy has a name that begins as an option does."""
    (tmp_path / "vault").mkdir()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "trust.json").write_bytes(notes.trust_file(keys().trust.logs, keys().trust.witnesses, 2))
    (tmp_path / "vault" / COPY).write_bytes(truth("signed by a participant"))
    return tmp_path / "vault"


def test_a_key_whose_name_begins_with_a_minus_sign_is_no_option(tmp_path: Path) -> None:
    settings = tmp_path / "wissel.toml"
    settings.write_text(
        f'data = "{tmp_path}"\nurn = "urn:nld:oin:00000099000000001000:systeem:wissel"\norigin = "wissel.example/log"\n'
    )
    said = CliRunner().invoke(main, ["participants", "--config", str(settings), "revoke", KID])
    assert "No such option" not in said.output
    assert said.exit_code != 0
    assert CliRunner().invoke(main, ["participants", "revoke", "-h"]).exit_code == 0


@pytest.mark.parametrize("words", [["verify", COPY], ["show", COPY], ["show", "--html", "--language", "en", COPY]])
def test_a_copy_whose_name_begins_with_a_minus_sign_is_read_in_its_own_folder(vault: Path, words: list[str]) -> None:
    command = [sys.executable, "-m", "wissel.cli", *words]
    done = subprocess.run(command, cwd=vault, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout

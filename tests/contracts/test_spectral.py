"""The API's own description keeps the NL GOV API Design Rules, by the linter of Logius (CC BY 4.0)."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wissel.platform.api.document import EXAMPLE_BASE, document

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def lint(rules: Path, node_modules: Path, described: Path) -> list[dict[str, Any]]:
    program = node_modules / ".bin" / "spectral"
    command: list[str | Path] = [program, "lint", "--ruleset", rules, "--format", "json", "--quiet", described]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in {0, 1}, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.needs("node", "specs")
def test_the_description_keeps_the_design_rules_without_error_or_warning(specs: Path, node_modules: Path) -> None:
    found = lint(specs / "nlgov-adr-linter.yaml", node_modules, PUBLISHED)
    assert [(each["code"], each["path"]) for each in found] == []


@pytest.mark.needs("node", "specs")
def test_the_linter_sees_what_is_wrong(specs: Path, node_modules: Path, tmp_path: Path) -> None:
    described = json.loads(document(EXAMPLE_BASE))
    described["paths"]["/Send_Message"] = described["paths"].pop("/messages")
    described["servers"][0]["url"] = "http://wissel.example"
    del described["info"]["contact"]
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(described))
    codes = {each["code"] for each in lint(specs / "nlgov-adr-linter.yaml", node_modules, broken)}
    assert {"nlgov:paths-kebab-case", "nlgov:include-major-version-in-uri", "info-contact"} <= codes


def test_the_published_description_is_the_one_that_is_served() -> None:
    """Else: python -m wissel.platform.api.document > docs/openapi.json."""
    assert PUBLISHED.read_bytes() == document(EXAMPLE_BASE) + b"\n"


def test_every_operation_says_how_it_refuses_and_which_version_it_is() -> None:
    described = json.loads(document(EXAMPLE_BASE))
    operations = [operation for item in described["paths"].values() for operation in item.values()]
    for operation in (each for each in operations if isinstance(each, dict)):
        assert "400" in operation["responses"]
        assert operation["description"]
        for status, answer in operation["responses"].items():
            assert "API-Version" in answer["headers"]
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"]

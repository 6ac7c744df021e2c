"""What Wissel leans on: few things, named, pinned with hashes, and the same in every set-up."""

import re
from typing import Final

import pytest
from tests.house.reading import ROOT, imports, pyproject, sources

RUN_MAX: Final = 25
NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
# Run-time dependencies that are used without being imported, and by whom.
UNSEEN: Final = {"tzdata": "zoneinfo", "httptools": "uvicorn"}
REQUIREMENTS: Final = ("run", "dev", "lock")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: object) -> list[str]:
    assert isinstance(requirements, list)
    found = [NAME.match(each) for each in requirements if isinstance(each, str)]
    return [normal(match[0]) for match in found if match]


def run() -> list[str]:
    return named(pyproject()["project"]["dependencies"])


def develop() -> list[str]:
    return [name for group in pyproject()["dependency-groups"].values() for name in named(group)]


def requirements(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    return {normal(package): version for package, version in PIN.findall(requirements(name))}


def test_wissel_leans_on_at_most_25_packages() -> None:
    assert len(run()) <= RUN_MAX


def test_wissel_uses_every_package_that_it_leans_on() -> None:
    imported = {normal(name.partition(".")[0]) for source in sources("src") for _, name in imports(source.tree)}
    idle = set(run()) - imported - set(UNSEEN)
    assert not idle, f"nothing in src imports {sorted(idle)}: tests only? then it is of the dev group"


@pytest.mark.parametrize("package", run() + develop())
def test_docs_name_the_dependency_and_what_it_is_for(package: str) -> None:
    lines = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("|") and normal(line.split("|")[1].strip()) == package]
    assert rows, f"docs/dependencies.md has no row for {package}"
    assert all(cell.strip() for cell in rows[0].strip("|").split("|")), f"the row of {package} has an empty cell"


@pytest.mark.parametrize(("name", "wanted"), [("run", run()), ("dev", run() + develop())])
def test_every_direct_dependency_is_pinned(name: str, wanted: list[str]) -> None:
    assert set(wanted) <= set(pins(name)), "run `make lock`"


def test_what_is_tested_is_what_runs() -> None:
    tested = pins("dev")
    other = {name: version for name, version in pins("run").items() if tested.get(name) != version}
    assert not other, f"pinned otherwise in dev.txt: {other}; run `make lock`"


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_pin_has_its_hashes_and_no_address(name: str) -> None:
    blocks = re.split(r"\n(?=[a-zA-Z])", requirements(name).strip())
    assert all(PIN.match(block) and "--hash=sha256:" in block for block in blocks)
    assert "://" not in requirements(name)


def test_the_back_end_that_builds_the_project_is_pinned_too() -> None:
    assert set(named(pyproject()["build-system"]["requires"])) <= set(pins("run"))

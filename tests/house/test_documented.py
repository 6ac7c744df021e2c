"""What can be said, set, refused or recorded is documented, and pages that are made from code are fresh."""

import ast
import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.house.reading import ROOT, sources

from wissel.assembly import settings as assembly_settings
from wissel.messages.catalogue import CATALOGUE
from wissel.messages.leaves import EVENTS

DOCS: Final = ROOT / "docs"
MAKERS: Final = sorted((ROOT / "scripts").glob("docs_*.py"))
LINK: Final = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
VARIABLE: Final = re.compile(r"WISSEL_[A-Z][A-Z0-9_]*")


def page(name: str) -> str:
    path = DOCS / name
    assert path.is_file(), f"docs/{name} is not there"
    return path.read_text(encoding="utf-8")


def maker(name: str) -> Mapping[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))


@pytest.mark.parametrize("script", MAKERS, ids=lambda path: path.stem)
def test_a_made_page_is_what_the_code_makes_of_it(script: Path) -> None:
    made: Mapping[Path, str] = runpy.run_path(str(script))["pages"]()
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    assert not stale, f"run `make docs`: {[path.relative_to(ROOT).as_posix() for path in stale]}"


def test_every_error_has_a_code_a_status_and_a_row_of_its_own() -> None:
    errors = maker("docs_errors")["errors"]()
    text = page("errors.md")
    assert errors
    for kind in errors:
        assert f"| `{kind.code}` |" in text, f"{kind.__qualname__} ({kind.code}) is not in docs/errors.md"
        assert 400 <= kind.status <= 599, f"{kind.__qualname__} answers with {kind.status}"
        assert (kind.__doc__ or "").strip(), f"{kind.__qualname__} does not say what it is"


def test_a_code_means_one_thing() -> None:
    """Two classes share a code only when one of them is a kind of the other."""
    by_code: dict[str, type[Exception]] = {}
    clashes = []
    for kind in maker("docs_errors")["errors"]():
        other = by_code.setdefault(kind.code, kind)
        if not (issubclass(kind, other) or issubclass(other, kind)):
            clashes.append(
                f"{kind.code}: {other.__module__}.{other.__qualname__}, {kind.__module__}.{kind.__qualname__}"
            )
    assert not clashes, "\n".join(clashes)


def test_every_message_type_is_documented() -> None:
    text = page("messages.md")
    assert CATALOGUE
    assert not [name for name in CATALOGUE if f"## {name}\n" not in text]


def settings() -> set[str]:
    """Every setting of every program, by its name; nested ones by theirs."""
    structs = [kind for kind in vars(assembly_settings).values() if isinstance(kind, type)]
    own = [kind for kind in structs if issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct]
    return {field.name for kind in own for field in msgspec.structs.fields(kind)}


def test_every_setting_is_documented() -> None:
    text = page("settings.md")
    assert settings()
    assert not sorted(name for name in settings() if not re.search(rf"`(?:\w+\.|.*\.)?{name}`", text))


def test_every_variable_of_the_environment_that_is_read_is_documented() -> None:
    constants = (
        node.value for source in sources("src") for node in ast.walk(source.tree) if isinstance(node, ast.Constant)
    )
    read = {value for value in constants if isinstance(value, str) and VARIABLE.fullmatch(value)}
    text = page("settings.md") if read else ""
    assert not sorted(name for name in read if f"`{name}`" not in text)


def test_every_audit_event_and_field_is_documented() -> None:
    text = page("audit-events.md")
    assert not sorted(event for event in EVENTS if f"`{event}`" not in text)
    fields = {field for event in EVENTS.values() for field in event.fields}
    assert not sorted(field for field in fields if f"`{field}`" not in text)


def test_every_page_is_reached_from_the_front_page() -> None:
    """A page that nobody links to is a page that nobody reads."""
    text = page("README.md")
    pages = [path.relative_to(DOCS).as_posix() for path in sorted(DOCS.rglob("*.md"))]
    lost = [name for name in pages if name != "README.md" and f"({name})" not in text]
    assert not [name for name in lost if not name.startswith("plans/")], f"docs/README.md does not link to {lost}"


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)} -> {target}"
        for path in [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)

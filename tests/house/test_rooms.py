"""What belongs in which room, as far as import-linter and ruff's list of banned APIs cannot see it."""

import ast
import re
import sys
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest
from tests.house.reading import HOUSE, Source, imports, sources

from wissel.messages.envelope import Day, Id

ABOVE: Final = ("assembly/*", "simulation/*", "cli.py")
TECHNIQUE: Final = ("infra/http/*", "infra/sql/*")
DOORS: Final = ("infra/http/*", "platform/api/*", "chain/*", "portals/*", "*/door.py", "*/doors/*", "assembly/*")

# A library, and the only places that may know it.
PLACES: Final = {
    "litestar": DOORS,
    "aiohttp": ("infra/http/*",),
    "httpx": (),
    "uvicorn": ("infra/http/*", "assembly/*"),
    "uvloop": ("infra/http/*", "assembly/*"),
    "sqlite3": ("infra/sql/*",),
    "asyncpg": ("infra/sql/*",),
    "joserfc": (),  # tests only: another implementation checks ours
    "authlib": (),  # tests only
    "click": ("cli.py", "assembly/*"),
    "rich": ("cli.py", "assembly/*"),
    "logging": ("infra/telemetry/*", "infra/http/*", "assembly/*", "cli.py"),
    "importlib.import_module": (),
}
SQL_PLACES: Final = ("infra/sql/*", "platform/store/*", "*/store.py")
SQL: Final = re.compile(
    r"^\s*(?:SELECT\s.+\bFROM\b|INSERT\s+(?:OR\s+\w+\s+)?INTO\b|UPDATE\s+\S+\s+SET\b|DELETE\s+FROM\b"
    r"|(?:CREATE|DROP|ALTER)\s+(?:TABLE|INDEX|UNIQUE|VIEW|TRIGGER)\b|PRAGMA\s|VACUUM\b|ATTACH\s)",
    re.DOTALL,
)
# Methods of the event loop and of datetime that ruff cannot tell by their name alone.
HANDED_IN: Final = {
    "utcnow": "Clock",
    "today": "Clock",
    "run_in_executor": "a step that assembly runs",
    "call_later": "Clock.sleep",
    "call_at": "Clock.sleep",
    "create_task": "a step that assembly runs",
    "start_soon": "a step that assembly runs",
    "create_server": "a door that assembly opens",
    "create_connection": "Http",
    "generate_private_key": "a key drawn from Entropy",
}


def house() -> tuple[Source, ...]:
    return sources("src")


def top(name: str, library: str) -> bool:
    return name == library or name.startswith(f"{library}.")


@pytest.mark.parametrize("library", PLACES)
def test_a_library_is_known_only_in_its_places(library: str) -> None:
    found = [
        f"{source.path}:{line} imports {name}"
        for source in house()
        if not source.within(PLACES[library])
        for line, name in imports(source.tree)
        if top(name, library)
    ]
    assert not found, f"{library} belongs in {PLACES[library] or 'no room'}:\n" + "\n".join(found)


def handed_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield calls that take time, tasks or keys from the machine through an instance."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name = node.func.attr
        if name in HANDED_IN:
            yield node.lineno, f".{name}() is handed in: take {HANDED_IN[name]}"
        elif name == "now" and (node.args or node.keywords):  # Clock.now() takes nothing, datetime.now(UTC) does
            yield node.lineno, ".now(…) of a datetime is handed in: take Clock"


def test_below_assembly_nothing_asks_the_machine_through_an_instance() -> None:
    found = [
        f"{source.path}:{line} {what}"
        for source in house()
        if not source.within(ABOVE + TECHNIQUE)
        for line, what in handed_in(source.tree)
    ]
    assert not found, "\n".join(found)


def docstrings(tree: ast.AST) -> set[int]:
    """The nodes that are documentation: a string that stands alone as a statement."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def statements(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield every string that is SQL, the beginnings of f-strings included."""
    documentation = docstrings(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant | ast.JoinedStr) or id(node) in documentation:
            continue
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts)
        if SQL.match(text):
            yield node.lineno, " ".join(text.split())[:60]


def test_sql_stands_only_in_stores() -> None:
    found = [
        f"{source.path}:{line} {text}"
        for source in house()
        if not source.within(SQL_PLACES)
        for line, text in statements(source.tree)
    ]
    assert not found, "\n".join(found)


def test_the_verifier_needs_only_the_standard_library_and_cryptography() -> None:
    files = [source for source in house() if source.path == HOUSE + "messages/verify.py"]
    assert files, "messages/verify.py is not there"
    used = {name.partition(".")[0] for _, name in imports(files[0].tree)}
    assert used <= set(sys.stdlib_module_names) | {"cryptography"}


def test_processes_are_known_only_to_assembly() -> None:
    found = [
        f"{source.path}:{line} imports {name}"
        for source in house()
        if not source.within((*ABOVE, "platform/processes/*"))
        for line, name in imports(source.tree)
        if top(name, "wissel.platform.processes")
    ]
    assert not found, "\n".join(found)


CALLERS: Final = ("platform/api/*", "platform/partners/*", "platform/exchange/delivery.py")


def test_only_partners_and_delivery_call_out_of_the_platform() -> None:
    """The doors use what doors share in `infra/http`; every other room of the platform knows no HTTP at all."""
    found = [
        f"{source.path}:{line} imports {name}"
        for source in house()
        if source.within(("platform/*",)) and not source.within(CALLERS)
        for line, name in imports(source.tree)
        if top(name, "wissel.infra.http")
    ]
    assert not found, "\n".join(found)


def phases_made_up(tree: ast.AST) -> Iterator[int]:
    """Yield lines where a phase is anything but a row's, a decision's or a state's own phase."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            moved = any(isinstance(target, ast.Attribute) and target.attr == "phase" for target in targets)
            if moved and not (isinstance(node.value, ast.Attribute) and node.value.attr == "phase"):
                yield node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Decision":
            written = [word.value for word in node.keywords if word.arg == "phase"]
            if any(isinstance(value, ast.Constant) for value in written):
                yield node.lineno


def test_phases_change_only_by_the_table() -> None:
    found = [
        f"{source.path}:{line}"
        for source in house()
        if source.within(("platform/*",))
        for line in phases_made_up(source.tree)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("code", ["turn.phase = 'ready'", "turn.phase = label", "Decision(label=x, phase='ready')"])
def test_the_search_for_made_up_phases_sees_them(code: str) -> None:
    assert list(phases_made_up(ast.parse(code)))


LOOSE: Final = re.compile(r"^\^.*(\$|\\Z)$|^\^.*\\[dw].*\$", re.DOTALL)


def loose_patterns(tree: ast.AST) -> Iterator[str]:
    """Yield patterns that let a line end or a strange digit through: `$` matches before one too, `\\d` any script's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and LOOSE.search(node.value):
            yield node.value


def test_a_pattern_lets_nothing_through_behind_its_end() -> None:
    """JSON Schema and Python read `^…$(?!\\n)` alike; `$` alone lets "x\\n" pass here, and `\\Z` exists here only."""
    found = [f"{source.path} {pattern}" for source in house() for pattern in loose_patterns(source.tree)]
    assert not found, "end with $(?!\\n), and write [0-9]:\n" + "\n".join(found)


@pytest.mark.parametrize("code", ["r'^[a-z]$'", "r'^[a-z]\\Z'", "r'^\\d+$(?!\\n)'", "p = r'^(x)?$'"])
def test_the_search_for_loose_patterns_sees_them(code: str) -> None:
    assert list(loose_patterns(ast.parse(code)))


@pytest.mark.parametrize(("kind", "good"), [(Id, "01890a5d-ac96-774b-bcce-b302099a8057"), (Day, "2026-01-01")])
def test_a_field_has_no_line_behind_it(kind: Any, good: str) -> None:
    assert msgspec.convert(good, kind) == good
    for bad in (f"{good}\n", f"\n{good}", good.translate({48: 0x660})):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, kind)


def test_the_played_chain_does_not_lean_on_our_reading_of_the_formats() -> None:
    """`chain` answers by the published specifications, so that a mistake in `formats` cannot agree with itself."""
    found = [
        f"{source.path}:{line} imports {name}"
        for source in house()
        if source.within(("chain/*",))
        for line, name in imports(source.tree)
        if top(name, "wissel.formats")
    ]
    assert not found, "\n".join(found)


def test_a_test_file_has_a_name_of_its_own() -> None:
    names = [source.path.rpartition("/")[2] for source in sources("tests")]
    twice = {name for name in names if name.startswith("test_") and names.count(name) > 1}
    assert not twice, f"two test files of one name: {sorted(twice)}"


def test_every_package_says_in_few_lines_what_it_is_for() -> None:
    packages = [source for source in house() if source.path.endswith("/__init__.py")]
    said = {source.path: (ast.get_docstring(source.tree) or "").splitlines() for source in packages}
    found = [f"{path}: {len(lines)} lines" for path, lines in said.items() if not 1 <= len(lines) <= 10]
    assert not found, "a docstring of one to ten lines:\n" + "\n".join(found)


def test_every_room_is_a_package() -> None:
    """A folder without `__init__` is invisible to the import contracts."""
    folders = {source.path.rpartition("/")[0] for source in house()}
    packages = {source.path.rpartition("/")[0] for source in house() if source.path.endswith("/__init__.py")}
    assert folders <= packages, f"without __init__.py: {sorted(folders - packages)}"


@pytest.mark.parametrize("text", ["SELECT a FROM b", "  INSERT INTO a VALUES (?)", "UPDATE a SET b = 1", "PRAGMA x"])
def test_the_search_for_sql_sees_statements(text: str) -> None:
    assert list(statements(ast.parse(f"run({text!r})")))


@pytest.mark.parametrize("text", ["Select one of the programmes", "UPDATE the form", "deleted from the list"])
def test_the_search_for_sql_lets_sentences_be(text: str) -> None:
    assert not list(statements(ast.parse(f"say({text!r})")))


@pytest.mark.parametrize("code", ["dt.now(UTC)", "moment.utcnow()", "loop.call_later(1, f)", "tasks.create_task(f())"])
def test_the_search_for_machine_calls_sees_them(code: str) -> None:
    assert list(handed_in(ast.parse(code)))


def test_a_clock_may_be_asked_for_the_time() -> None:
    assert not list(handed_in(ast.parse("clock.now()")))

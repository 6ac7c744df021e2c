"""The budgets of architecture section 10, on all our Python."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import Final

import pytest
from tests.house.allowed import exceptions, only_excepted
from tests.house.reading import Source, all_sources, functions

FILE_LINES_MAX: Final = 500
FUNCTION_LINES_MAX: Final = 70
FUNCTION_LINES_P95: Final = 40
BROAD: Final = {"Exception", "BaseException"}
SILENCED: Final = re.compile(r"#\s*(?:noqa|type:\s*ignore)(?P<codes>[:\[]?[\w\s,\-\[\]]*?)?(?P<rest>\s-\s.*|#.*|;.*)?$")


def lengths(files: tuple[Source, ...]) -> dict[str, int]:
    """Lines of every function: from `def` to its last line, docstring included, decorators not."""
    return {
        f"{source.path}::{name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for source in files
        for name, node in functions(source.tree)
    }


def test_a_file_has_at_most_500_lines() -> None:
    found = [source.path for source in all_sources() if len(source.text.splitlines()) > FILE_LINES_MAX]
    only_excepted("a file has at most 500 lines", found)


def test_a_function_has_at_most_70_lines() -> None:
    found = [name for name, lines in lengths(all_sources()).items() if lines > FUNCTION_LINES_MAX]
    only_excepted("a function has at most 70 lines", found)


def test_nineteen_of_twenty_functions_have_at_most_40_lines() -> None:
    ordered = sorted(lengths(all_sources()).values())
    p95 = ordered[len(ordered) * 95 // 100]
    assert p95 <= FUNCTION_LINES_P95, f"95 % of the functions have up to {p95} lines"


def test_an_import_stands_at_the_top_of_its_file() -> None:
    found = {
        f"{source.path}::{name}"
        for source in all_sources()
        for name, function in functions(source.tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    only_excepted("an import stands at the top of its file", found)


def broad_handlers(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every handler that catches whatever comes, `contextlib.suppress(Exception)` included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or names(node.type) & BROAD):
            yield node
        if isinstance(node, ast.Call) and "suppress" in names(node.func):
            yield from (argument for argument in node.args if names(argument) & BROAD)


def names(node: ast.AST) -> set[str]:
    """All names and attributes in an expression."""
    walked = list(ast.walk(node))
    return {each.id for each in walked if isinstance(each, ast.Name)} | {
        each.attr for each in walked if isinstance(each, ast.Attribute)
    }


def test_a_broad_except_stands_only_at_a_door_or_at_the_edge_of_the_engine() -> None:
    found = set()
    for source in all_sources():
        inside = {
            id(handler): f"{source.path}::{name}"
            for name, function in functions(source.tree)
            for handler in broad_handlers(function)
        }
        found |= {inside.get(id(handler), source.path) for handler in broad_handlers(source.tree)}
    only_excepted("a broad except stands only at a door or at the edge of the engine", found)


def test_every_exception_has_a_reason() -> None:
    bare = [what for budget in exceptions().values() for what, reason in budget.items() if len(reason.split()) < 4]
    assert not bare, f"say in a sentence why: {bare}"


def comments(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line and text of every comment."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_a_rule_that_is_silenced_says_which_and_why() -> None:
    """`# noqa: S608 - the reason` and `# type: ignore[code]  # the reason`."""
    found = []
    for source in all_sources():
        for line, text in comments(source):
            silenced = SILENCED.search(text)
            if silenced and not (silenced["codes"] and silenced["rest"] and len(silenced["rest"].split()) > 1):
                found.append(f"{source.path}:{line} {text}")
    assert not found, "\n".join(found)


def test_a_test_is_left_out_only_by_a_named_need() -> None:
    """A skip or an xfail would hide a check from STRICT: `@pytest.mark.needs` is the one way."""
    found = [
        f"{source.path}:{node.lineno}"
        for source in all_sources()
        if source.path != "tests/conftest.py"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail", "importorskip"}
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "broad"),
    [
        ("try:\n    x()\nexcept Exception:\n    y()", 1),
        ("try:\n    x()\nexcept (ValueError, BaseException) as e:\n    y()", 1),
        ("try:\n    x()\nexcept:\n    y()", 1),
        ("with contextlib.suppress(Exception):\n    x()", 1),
        ("try:\n    x()\nexcept ValueError:\n    y()", 0),
    ],
)
def test_the_search_for_broad_excepts_sees_each_form(code: str, broad: int) -> None:
    assert len(list(broad_handlers(ast.parse(code)))) == broad

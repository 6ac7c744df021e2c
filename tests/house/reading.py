"""What the house tests read: the tracked files, and every Python file as a tree."""

import ast
import fnmatch
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent.parent
HOUSE: Final = "src/wissel/"

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source(NamedTuple):
    """One Python file: its path from the root, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted name under which it is imported."""
        return self.path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def within(self, patterns: Sequence[str]) -> bool:
        """Whether one of `patterns` (below src/wissel; `*` crosses folders) names this file."""
        return any(fnmatch.fnmatchcase(self.path, HOUSE + pattern) for pattern in patterns)


@cache
def sources(folder: str) -> tuple[Source, ...]:
    """Every Python file below `folder` of the project, in order of path."""
    files = sorted((ROOT / folder).rglob("*.py"))
    texts = [(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")) for file in files]
    return tuple(Source(path, text, ast.parse(text, path)) for path, text in texts)


def all_sources() -> tuple[Source, ...]:
    """Every Python file of ours: the house, its tests and its scripts."""
    return sources("src") + sources("tests") + sources("scripts")


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Yield every function with its dotted name: `Class.method`, `outer.inner`."""
    for node in ast.iter_child_nodes(tree):
        name = prefix
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}{node.name}."
            yield name[:-1], node
        elif isinstance(node, ast.ClassDef):
            name = f"{prefix}{node.name}."
        yield from functions(node, name)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of all that is imported: `from a import b` gives `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def tracked() -> list[str]:
    """The files that are or would be committed, as git sees them (needs git)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file()]


def pyproject() -> dict[str, dict[str, object]]:
    """The project's own description."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)

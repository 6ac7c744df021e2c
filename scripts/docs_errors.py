"""`docs/errors.md`: every error that Wissel answers with and every reason of its verifier; run to write it."""

import ast
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import wissel
from wissel.core.errors import WisselError

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "errors.md"
REFUSALS: Final = "Refused"  # what the verifier and its neighbours raise: Refused(code, sentence)

_HEAD: Final = """\
# Errors

*Made by `scripts/docs_errors.py` (`make docs`); do not edit.*

A code is stable: a program may rely on it. Every door answers with a problem document (RFC 9457) that bears the code,
a sentence that says what to do, and the field at fault. The status is what a door answers with; an error of a command
or of the start of a program has one too, for when it comes out at a door.

## What a door or a command answers with

| code | status | what it says | room |
|---|---|---|---|
"""

_REASONS: Final = """
## Reasons of the verifier

`wissel verify` and everything that reads signed, sealed or canonical bytes gives the first of these that it meets.

| code | what it says |
|---|---|
"""


class Refusal(NamedTuple):
    """One `Refused(code, sentence)` in the code."""

    code: str
    sentence: str


def errors() -> list[type[WisselError]]:
    """Return every error class of the house, by code."""
    for module in pkgutil.walk_packages(wissel.__path__, "wissel."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return sorted({*_below(WisselError)}, key=lambda kind: (kind.code, kind.__module__, kind.__qualname__))


def _below(kind: type[WisselError]) -> Iterator[type[WisselError]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("wissel."):
            yield child
        yield from _below(child)


def refusals() -> list[Refusal]:
    """Return every refusal of the shared language whose code and sentence stand in the code, by code."""
    found = set()
    for file in sorted((ROOT / "src" / "wissel" / "messages").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == REFUSALS:
                found |= set(_refusal(node))
    return sorted(found)


def _refusal(call: ast.Call) -> Iterator[Refusal]:
    match call.args:
        case [ast.Constant(value=str(code)), ast.Constant(value=str(sentence))]:
            yield Refusal(code, sentence)
        case [ast.Constant(value=str(code)), ast.JoinedStr() as text]:
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in text.values)
            yield Refusal(code, "".join(map(str, parts)))
        case _:
            return


def pages() -> dict[Path, str]:
    """Return every page that is made here, as {path: text}."""
    rows = [f"| `{kind.code}` | {kind.status} | {_cell(_first_line(kind))} | `{_room(kind)}` |" for kind in errors()]
    reasons: dict[str, list[str]] = {}
    for refusal in refusals():
        reasons.setdefault(refusal.code, []).append(_cell(refusal.sentence))
    lines = [f"| `{code}` | {'<br>'.join(sentences)} |" for code, sentences in reasons.items()]
    return {PAGE: _HEAD + "\n".join(rows) + "\n" + _REASONS + "\n".join(lines) + "\n"}


def _first_line(kind: type[WisselError]) -> str:
    return (kind.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")


def _room(kind: type[WisselError]) -> str:
    return kind.__module__.removeprefix("wissel.").removesuffix(".errors").replace(".", "/")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def main() -> int:
    """Write the page."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

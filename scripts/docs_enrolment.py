"""Pages that are made from the message catalogue and the enrolment process; run without arguments to write them.

`pages()` gives every page as {path: text}, so that a test can hold what is committed to it.
"""

import sys
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from wissel.core.fees import STATUTORY
from wissel.messages.catalogue import CATALOGUE, MessageType
from wissel.messages.files import FILE_BYTES_MAX, FileKind, MediaType
from wissel.messages.grounds import GROUNDS
from wissel.messages.holds import HOLD_GROUNDS
from wissel.platform.processes.enrolment.rules import RULES
from wissel.platform.processes.enrolment.table import ROWS
from wissel.platform.processes.enrolment.words import FINAL

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
BEGIN: Final = "<!-- made by scripts/docs_enrolment.py: diagram -->"
END: Final = "<!-- end of what is made -->"
_MADE: Final = "*Made by `scripts/docs_enrolment.py` (`make docs`); do not edit.*"


def pages(docs: Path = DOCS) -> dict[Path, str]:
    """Return every page that is made here. The process page keeps what stands around its diagram."""
    story = docs / "processes" / "enrolment.md"
    made = {
        docs / "messages.md": messages_page(),
        docs / "rules" / "enrolment.md": rules_page(),
        story: with_diagram(story.read_text(encoding="utf-8")),
    }
    return made | {docs / "schemas" / f"{row.type}.json": schema_of(row) for row in CATALOGUE.values()}


def schema_of(row: MessageType) -> str:
    """Return the JSON Schema (2020-12) of a payload, as msgspec describes it."""
    found: dict[str, Any] = msgspec.json.schema(row.payload)
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:wissel:schema:{row.type}"}
    return msgspec.json.format(msgspec.json.encode({**about, **found}), indent=2).decode() + "\n"


def messages_page() -> str:
    """Return `docs/messages.md`."""
    lines = [
        "# Message types",
        "",
        _MADE,
        "",
        "Each section is one arrow between two parties. The longest end date counts from the day of sending, or from",
        "31 August at the end of the study year that the message names; where it names none, of the year after the one",
        "that runs. Fields named under *apart* are sealed under a key of their own. The learner gets a copy of every",
        "message about her, unless the section says otherwise.",
        "",
        *_files(),
    ]
    for row in CATALOGUE.values():
        lines += _message(row)
    return "\n".join(lines)


def _files() -> list[str]:
    """Tell how a payload names a file that travels beside it."""
    media, kinds = (", ".join(f"`{each}`" for each in get_args(kind)) for kind in (MediaType, FileKind))
    return [
        "## Files beside a message",
        "",
        f"A payload names a file (at most {FILE_BYTES_MAX // 1_048_576} MiB) by an object with these fields; the bytes",
        "travel apart, sealed by the sender, and the platform cannot open them ([the calls](api.md#files)).",
        "",
        "| field | what it is |",
        "|---|---|",
        f"| `kind` | {kinds} |",
        "| `name` | what people see |",
        f"| `mediatype` | {media}; the receiver holds the first bytes to it |",
        "| `size`, `sha256` | of the file itself: who has it and the afschrift knows that it is the one |",
        "| `sealed` | SHA-256 of the JWE to the receiver: by this the receiver fetches it |",
        "| `copy` | SHA-256 of the JWE to the learner; absent when she is the receiver |",
        "",
        "All hashes are base64url. An `identityscan` ends 24 hours after the learner was verified, at the platform and",
        "at the receiver, and after four weeks at the latest; a hold does not keep it. What she has herself is hers.",
        "",
    ]


def _message(row: MessageType) -> list[str]:
    term = "the end of the study year" if row.term.after == "studyyear" else "sending"
    belongs = f"starts {row.process}" if row.starts else row.process or "none: a plain message"
    facts = {
        "From, to": f"{', '.join(row.senders)} → {row.recipient}",
        "Process": belongs,
        "Purpose": row.purpose,
        "Legal ground": row.ground,
        "Controller": row.controller,
        "Processing activity": f"`{row.activity}`",
        "Data class": row.dataclass,
        "Longest end date": f"{row.term.days} days after {term}",
        "Copies": f"{', '.join(row.copies)}; learner: {row.learner}",
        "Status code": row.status or "unchanged",
        "Apart": ", ".join(row.apart) or "nothing",
        "Schema": f"[{row.type}](schemas/{row.type}.json)",
    }
    what = (row.payload.__doc__ or "").strip().splitlines()[0]
    return [f"## {row.type}", "", what, "", *(f"- **{name}**: {fact}" for name, fact in facts.items()), ""]


def rules_page() -> str:
    """Return `docs/rules/enrolment.md`."""
    lines = ["# Dated rules of enrolment", "", _MADE, "", "## Dates, terms and caps", ""]
    lines += ["| rule | value | from study year | source | confidence |", "|---|---|---|---|---|"]
    for rule in RULES:
        value = f"{rule.value % 100}-{rule.value // 100}" if rule.unit == "day of year" else f"{rule.value} {rule.unit}"
        lines.append(f"| {rule.name} | {value} | {rule.since} | {rule.source} | {rule.confidence} |")
    lines += ["", "## Statutory tuition fee (cents)", ""]
    lines += ["An amount without a source is absent: then the institution states it, with its source.", ""]
    lines += ["| study year | full | least partial fee | source | confidence |", "|---|---|---|---|---|"]
    for year, fee in STATUTORY.items():
        least = "no source" if fee.least is None else str(fee.least)
        lines.append(f"| {year} | {fee.full} | {least} | {fee.source} | {fee.confidence} |")
    lines += ["", "## Grounds for refusal", "", "A closed table; a refusal names one, no rule picks one.", ""]
    lines += [
        "| ground | article | gate | levels | only when late | what the learner reads |",
        "|---|---|---|---|---|---|",
    ]
    for code, ground in GROUNDS.items():
        late = "yes" if ground.lateonly else "no"
        levels = ", ".join(ground.levels)
        lines.append(f"| {code} | {ground.article} | {ground.gate} | {levels} | {late} | {ground.text} |")
    lines += ["", "## Grounds for a hold", "", "By these alone an institution keeps messages past their end date.", ""]
    lines += ["| ground | article | most days | source | confidence | what it means |", "|---|---|---|---|---|---|"]
    for name, held in HOLD_GROUNDS.items():
        lines.append(f"| {name} | {held.article} | {held.days} | {held.source} | {held.confidence} | {held.text} |")
    return "\n".join(lines) + "\n"


def diagram() -> str:
    """Return the moves between phases as a Mermaid state diagram: labels are the guards."""
    moves: dict[tuple[str, str], dict[str, None]] = {}
    for row in ROWS:
        if row.phase != row.to:
            event = row.event.removeprefix("nl.wissel.").replace(".v1", "")
            moves.setdefault((row.phase, row.to), {})[f"{event} [{_guard(row.label)}]"] = None
    lines = ["```mermaid", "stateDiagram-v2"]
    for (before, after), guards in moves.items():
        source = "[*]" if before == "new" else before
        lines.append(f"    {source} --> {after}: {'<br/>'.join(guards)}")
    lines += [f"    {phase} --> [*]" for phase in FINAL]
    return "\n".join([*lines, "```"])


def _guard(label: str) -> str:
    """Shorten a label for the drawing: a colon would end Mermaid's text, and every gate has the same moves."""
    gate, colon, rest = label.partition(": ")
    return rest if colon and gate.isalpha() else label


def with_diagram(text: str) -> str:
    """Return the process page with a fresh diagram between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{diagram()}\n{END}{after}"


def main() -> int:
    """Write every page; pages in `docs/schemas` that no type has any more are removed."""
    made = pages()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in (DOCS / "schemas").glob("*.json"):
        if path not in made:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())

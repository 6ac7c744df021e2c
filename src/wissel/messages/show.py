"""An afschrift for a person to read: as text in a terminal, and as one HTML page without anything from elsewhere.

Rendering proves nothing: `wissel verify` does, and both forms say so. The words stand in `wording`.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

import msgspec
from jinja2 import Environment, StrictUndefined

from wissel.core.moments import AMSTERDAM, parse_rfc3339
from wissel.messages.catalogue import CATALOGUE
from wissel.messages.envelope import LEARNER
from wissel.messages.verify import Refused, b64, jws_header, parse, parse_checkpoint, parse_json, sha256, unb64
from wissel.messages.wording import CODED, LABELS, MONEY, MONTHS, PURPOSES, TEXTS, TITLES, WORDS

_LONG: Final = 300
_WORD: Final = 30  # longer items of a list stand on lines of their own
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_URN: Final = re.compile(r"urn:nld:oin:([0-9A-Z]{20}):systeem:([a-z0-9-]{1,40})")


class Row(NamedTuple):
    """One line of a table; a `group` of lines has no text of its own."""

    label: str
    text: str
    group: tuple["Row", ...] = ()


class View(NamedTuple):
    """What both forms show, in one language and clean of signs that could steer a terminal or turn text around."""

    language: str
    title: str
    outcome: str
    facts: tuple[Row, ...]
    content: tuple[Row, ...]
    instead: str
    signatures: tuple[Row, ...]
    proof: tuple[Row, ...]


def as_html(document: bytes, language: str = "nl") -> str:
    """Return one HTML page of an opened afschrift. `language`: nl or en. Raises Refused when it is none."""
    words = _Words(language, _names(document))
    return _TEMPLATE.render(view=_view(document, words), text=words.text)


def as_text(document: bytes, language: str = "nl") -> str:
    """Return an opened afschrift as text. `language`: nl or en. Raises Refused when it is none."""
    words = _Words(language, _names(document))
    view = _view(document, words)
    parts = [f"{words.text('afschrift')}: {view.title}", words.text(view.outcome), "", *_lines(view.facts), ""]
    parts += [words.text("content"), *(_lines(view.content, 1) if view.content else [f"  {view.instead}"]), ""]
    parts += [words.text("signatures"), *_lines(view.signatures, 1), "", words.text("proof"), *_lines(view.proof, 1)]
    return "\n".join([*parts, "", words.text("unchecked")])


class _Words:
    """Says things in one language. `names` calls parties by name, by their URN."""

    def __init__(self, language: str, names: Mapping[str, str]) -> None:
        self._names = names
        self.language = language if language in MONTHS else "nl"
        self._which = ("nl", "en").index(self.language)
        self._months = MONTHS[self.language].split()

    def text(self, name: str, **facts: object) -> str:
        """Return a fixed text."""
        return TEXTS[name][self._which].format(**facts)

    def title(self, name: str) -> str:
        """Return what a message type is called."""
        return TITLES[name][self._which] if name in TITLES else _clean(name)

    def purpose(self, text: str) -> str:
        """Return what a message is for."""
        return PURPOSES.get(text, _clean(text)) if self.language == "nl" else _clean(text)

    def label(self, name: str) -> str:
        """Return what a field is called."""
        return LABELS[name][self._which] if name in LABELS else _clean(name)

    def party(self, urn: str) -> str:
        """Return who a URN is, as far as the afschrift says."""
        match = _URN.fullmatch(urn)
        if urn.startswith(LEARNER):
            return self.text("learner")
        name = self._names.get(urn, "")
        return f"{_clean(name) or match[2]} (OIN {match[1]})" if match else _clean(urn)

    def day(self, day: date) -> str:
        """Return a day in words."""
        return f"{day.day} {self._months[day.month - 1]} {day.year}"

    def moment(self, moment: str) -> str:
        """Return a moment of the wire in Dutch time, as people there say it."""
        local = parse_rfc3339(moment).astimezone(AMSTERDAM)
        clock = f"{local.hour}.{local.minute:02}" if self.language == "nl" else f"{local:%H:%M}"
        return self.text("at", day=self.day(local.date()), time=clock)

    def money(self, cents: int) -> str:
        """Return an amount of cents."""
        amount = f"{cents / 100:,.2f}"
        return f"€ {amount.translate(str.maketrans(',.', '.,'))}" if self.language == "nl" else f"€{amount}"

    def value(self, name: str, value: Any) -> str:
        """Return a single value of a payload, said in this language where it is not somebody's own words."""
        if isinstance(value, bool) or value is None:
            return self.text("true" if value else "false")
        if isinstance(value, int):
            return self.money(value) if name in MONEY else str(value)
        try:
            return self._said(name, str(value))
        except ValueError:  # looks like a day or a moment, and is none
            return _clean(str(value))

    def _said(self, name: str, value: str) -> str:
        if name == "base64":
            return self.text("file", size=len(value) // 4 * 3 - value.count("="), hash=_hash(value))
        if len(value) > _LONG and " " not in value:
            return self.text("long", size=len(value), hash=_hash(value))
        if _DAY.fullmatch(value):
            return self.day(date.fromisoformat(value))
        if _MOMENT.fullmatch(value):
            return self.moment(value)
        if value.startswith("urn:"):
            return self.party(value)
        known = WORDS.get(f"{name}={value}") or WORDS.get(value) if name in CODED else None
        return known[self._which] if known else _clean(value)


def _names(document: bytes) -> dict[str, str]:
    """Return what the proven leaves of the keys call their holders."""
    try:
        entries = [parse(unb64(item["entry"])) for item in parse(document)["keys"]]
        return {entry["holder"]: str(entry.get("organisation", "")) for entry in entries}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused("form", "It has not the form of an afschrift.") from None


def _view(document: bytes, words: _Words) -> View:
    try:
        return _read(parse(document), words)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise Refused("form", "It has not the form of an afschrift.") from None


def _read(found: Mapping[str, Any], words: _Words) -> View:
    envelope = found["envelope"]
    final = found["receipt"] if "receipt" in found else found["undelivered"]
    acknowledged, ended = _claims(found["acknowledgement"]), _claims(final)
    facts = [
        Row(words.text("from"), words.party(envelope["source"])),
        Row(words.text("to"), words.party(envelope["recipient"])),
        Row(words.text("sent"), words.value("time", envelope["time"])),
        Row(words.text("received"), words.value("time", acknowledged["received"])),
        Row(words.text("ended"), words.value("time", ended["time"])),
        Row(words.text("purpose"), words.purpose(envelope["purpose"])),
        Row(words.text("ground"), _clean(envelope["legalground"])),
        Row(words.text("until"), words.value("enddate", envelope["enddate"])),
    ]
    facts += [Row(words.text("reason"), _clean(ended["reason"]))] if ended.get("reason") else []
    facts += [Row(words.text("attempts"), str(ended["attempts"]))] if "attempts" in ended else []
    return View(
        language=words.language,
        title=words.title(envelope["type"]),
        outcome={"accepted": "accepted", "rejected": "rejected"}.get(str(ended["outcome"]), "undelivered"),
        facts=tuple(facts),
        content=_rows(_in_order(found.get("payload", {}), envelope["type"]), words),
        instead=_instead(found, words),
        signatures=_signatures(found, final, words),
        proof=_proof(found, words),
    )


def _instead(found: Mapping[str, Any], words: _Words) -> str:
    return words.text("nothing") if "payload" in found else f"{words.text('gone')} {_clean(found['payloadhash'])}"


def _in_order(payload: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return a payload in the order in which its type tells it, which is how people ask; canonical is by alphabet."""
    row = CATALOGUE.get(kind)
    told = {field.encode_name: None for field in msgspec.structs.fields(row.payload)} if row else {}
    return {name: payload[name] for name in (*told, *payload) if name in payload}


def _rows(payload: Mapping[str, Any], words: _Words) -> tuple[Row, ...]:
    """Return what a payload says, groups last; what is empty is not said."""
    said = [row for name, inner in payload.items() for row in _said(name, inner, words)]
    return tuple(sorted(said, key=lambda row: bool(row.group)))


def _said(name: str, inner: Any, words: _Words) -> Iterator[Row]:
    label = words.label(name)
    if isinstance(inner, dict):
        group = _rows(inner, words)
        yield from [Row(label, "", group)] if group else []
    elif isinstance(inner, list) and any(isinstance(item, dict | list) for item in inner):
        for number, item in enumerate(inner, 1):
            group = _rows(item if isinstance(item, dict) else {name: item}, words)
            yield from [Row(f"{label} {number}", "", group)] if group else []
    elif isinstance(inner, list):
        said = [words.value(name, item) for item in inner]
        between = ", " if all(len(text) <= _WORD for text in said) else "\n"
        yield from [Row(label, between.join(said))] if inner else []
    elif inner not in ("", None):
        yield Row(label, words.value(name, inner))


def _signatures(found: Mapping[str, Any], final: str, words: _Words) -> tuple[Row, ...]:
    """Return who signed which part, as the leaves of the keys say."""
    entries = [parse(unb64(item["entry"])) for item in found["keys"]]
    keys = {str(entry["kid"]): entry for entry in entries}

    def holder(compact: str) -> str:
        entry = keys[str(jws_header(compact)["kid"])]
        note = f", {_clean(entry['note'])}" if entry.get("note") else ""
        return words.party(entry["holder"]) + note

    sender = holder(found["sender"]["jws"])
    if found["sender"]["kind"] == "authentication":
        sender = words.text("login", portal=sender)
    return (
        Row(words.text("sender"), sender),
        Row(words.text("platform"), holder(found["acknowledgement"])),
        Row(words.text("receiver" if "receipt" in found else "undelivered"), holder(final)),
    )


def _proof(found: Mapping[str, Any], words: _Words) -> tuple[Row, ...]:
    places, note, envelope = [], "", found["envelope"]
    for leaf in found["leaves"]:
        head, note = leaf["proof"].split("\n\n", 1)
        places.append(head.split("\n")[1].removeprefix("index "))
    point = parse_checkpoint(note)
    names = [line.split(" ")[1] for line in note.rpartition("\n\n")[2].split("\n")[:-1]]
    witnesses = ", ".join(_clean(name) for name in names if name != point.origin)
    accepted = parse(unb64(found["leaves"][0]["entry"]))
    entries = words.text("place", places=", ".join(places), size=point.size)
    return (
        Row(words.text("log"), f"{_clean(point.origin)}, {entries}"),
        Row(words.text("witnesses"), witnesses or words.text("none")),
        Row(words.text("commitment"), _clean(accepted["commitment"])),
        Row(words.text("message"), _clean(envelope["id"])),
        Row(words.text("process"), _clean(envelope["process"])),
    )


def _lines(rows: tuple[Row, ...], depth: int = 0) -> Iterator[str]:
    margin, width = "  " * depth, max((len(row.label) for row in rows if not row.group), default=0) + 2
    for row in rows:
        if row.group:
            yield f"{margin}{row.label}"
            yield from _lines(row.group, depth + 1)
        else:
            first, *more = row.text.split("\n")
            yield f"{margin}{row.label:<{width}}{first}"
            yield from (f"{margin}{'':<{width}}{line}" for line in more)


def _claims(compact: str) -> dict[str, Any]:
    claims: dict[str, Any] = parse_json(unb64(compact.split(".")[1]))
    return claims


def _hash(text: str) -> str:
    return b64(sha256(text.encode()))


def _clean(text: str) -> str:
    """Replace control and format signs, line ends aside: a payload steers no terminal and turns no text around."""
    return "".join("\ufffd" if unicodedata.category(sign)[0] == "C" and sign != "\n" else sign for sign in text)


_PAGE: Final = """<!doctype html>
<html lang="{{ view.language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ text("afschrift") }}: {{ view.title }}</title>
<style>
:root { --ink: #16213e; --soft: #55607d; --line: #dfe3ec; --tint: #f3f5fa; --good: #0a6847; --bad: #a4161a; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--tint); color: var(--ink); font: 1rem/1.5 system-ui, "Segoe UI", sans-serif; }
main { max-width: 44rem; margin: 2.5rem auto; background: #fff; border: 1px solid var(--line); border-radius: .5rem; }
header, section, footer { padding: 1.5rem 2.25rem; }
header { padding-top: 2.25rem; border-top: .4rem solid var(--ink); border-radius: .5rem .5rem 0 0; }
header p { margin: 0; color: var(--soft); letter-spacing: .02em; }
h1 { margin: .1rem 0 .9rem; font-size: 1.85rem; line-height: 1.2; }
.outcome { display: inline-block; padding: .15rem .8rem; border: 1px solid; border-radius: 1rem; font-weight: 600; }
.accepted { color: var(--good); } .rejected, .undelivered { color: var(--bad); }
section { border-top: 1px solid var(--line); }
h2 { margin: 0 0 .7rem; font-size: 1.15rem; } h3 { margin: 1.1rem 0 .25rem; font-size: 1rem; }
dl { margin: 0; }
dl > div { display: grid; grid-template-columns: 13rem 1fr; gap: 0 1rem; padding: .3rem 0; break-inside: avoid; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
.group { padding-left: 1rem; border-left: .2rem solid var(--line); }
.small { font-size: .875rem; } footer { border-top: 1px solid var(--line); color: var(--soft); }
@media (max-width: 36rem) {
  main { margin: 0; border: 0; } header, section, footer { padding-inline: 1.1rem; }
  dl > div { grid-template-columns: 1fr; }
}
@media print {
  @page { margin: 18mm; } body { background: #fff; font-size: 10.5pt; }
  main { max-width: none; margin: 0; border: 0; } header, section, footer { padding: .7rem 0; }
}
</style>
</head>
<body><main>
{%- macro table(rows) %}<dl>{% for row in rows if not row.group %}
<div><dt>{{ row.label }}</dt><dd>{{ row.text }}</dd></div>{% endfor %}</dl>
{%- for row in rows if row.group %}
<h3>{{ row.label }}</h3><div class="group">{{ table(row.group) }}</div>{% endfor %}{% endmacro %}
<header><p>{{ text("afschrift") }}</p><h1>{{ view.title }}</h1>
<span class="outcome {{ view.outcome }}">{{ text(view.outcome) }}</span></header>
<section>{{ table(view.facts) }}</section>
<section><h2>{{ text("content") }}</h2>
{% if view.content %}{{ table(view.content) }}{% else %}<p>{{ view.instead }}</p>{% endif %}</section>
<section><h2>{{ text("signatures") }}</h2>{{ table(view.signatures) }}</section>
<section class="small"><h2>{{ text("proof") }}</h2>{{ table(view.proof) }}</section>
<footer class="small">{{ text("unchecked") }}</footer>
</main></body>
</html>
"""
_TEMPLATE: Final = Environment(autoescape=True, undefined=StrictUndefined).from_string(_PAGE)

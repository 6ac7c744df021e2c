"""An afschrift for a person to read: as text in a terminal, and as one HTML page without anything from elsewhere.

Rendering proves nothing: `wissel verify` does. The texts are Dutch (B1) or English.
"""

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from wissel.messages.catalogue import CATALOGUE
from wissel.messages.verify import b64, parse, parse_json, sha256, unb64

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "nl": {
        "title": "Afschrift",
        "from": "Van",
        "to": "Aan",
        "learner": "de student",
        "when": "Ontvangen door Wissel",
        "why": "Waarvoor",
        "ground": "Wettelijke grondslag",
        "until": "Bewaren tot en met",
        "what": "Inhoud",
        "outcome": "Uitkomst",
        "accepted": "aangenomen door de ontvanger",
        "rejected": "geweigerd door de ontvanger",
        "undelivered": "niet bezorgd",
        "signed": "Getekend door",
        "login": "de student, door in te loggen",
        "log": "Logboek",
        "leaves": "plaats {index} van {size}",
        "note": "Controleer dit afschrift met: wissel verify",
        "hash": "De inhoud staat hier niet: het bericht is niet bezorgd. Alleen de hash is bewaard.",
    },
    "en": {
        "title": "Afschrift (signed copy)",
        "from": "From",
        "to": "To",
        "learner": "the learner",
        "when": "Received by Wissel",
        "why": "What for",
        "ground": "Legal ground",
        "until": "Keep until and including",
        "what": "Content",
        "outcome": "Outcome",
        "accepted": "accepted by the receiver",
        "rejected": "rejected by the receiver",
        "undelivered": "not delivered",
        "signed": "Signed by",
        "login": "the learner, by logging in",
        "log": "Log",
        "leaves": "place {index} of {size}",
        "note": "Check this copy with: wissel verify",
        "hash": "The content is not here: the message was not delivered. Only its hash is kept.",
    },
}

_PAGE: Final = """<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ text.title }}: {{ kind }}</title>
<style>
:root { color-scheme: light; --ink: #14213d; --soft: #5b6785; --line: #d9deea; --tint: #f4f6fb; --mark: #0b6e4f; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--tint); color: var(--ink); font: 1rem/1.55 system-ui, "Segoe UI", sans-serif; }
main { max-width: 46rem; margin: 2.5rem auto; padding: 2.5rem; background: #fff; border: 1px solid var(--line);
  border-top: .4rem solid var(--ink); border-radius: .4rem; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -.01em; }
h1 + p { margin: .2rem 0 2rem; color: var(--soft); }
h2 { margin: 2rem 0 .6rem; font-size: 1.05rem; }
dl { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; margin: 0; }
dt, dd { margin: 0; padding: .45rem .2rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
dt { color: var(--soft); }
dd dl { margin: -.45rem 0; }
.outcome { color: var(--mark); font-weight: 600; }
.undelivered, .rejected { color: #a4161a; }
footer { margin-top: 2rem; color: var(--soft); font-size: .9rem; }
code { font-size: .85rem; }
@media (max-width: 34rem) { main { margin: 0; padding: 1.2rem; } dl { grid-template-columns: 1fr; } dt { border: 0; } }
@media print { body { background: #fff; } main { border: 0; margin: 0; padding: 0; } }
</style>
</head>
<body><main>
<h1>{{ text.title }}</h1>
<p>{{ kind }}</p>
<dl>{% for name, value in facts %}<dt>{{ name }}</dt><dd>{{ value }}</dd>{% endfor %}
<dt>{{ text.outcome }}</dt><dd class="outcome {{ outcome }}">{{ text[outcome] }}</dd></dl>
<h2>{{ text.what }}</h2>
{% macro shown(value) %}
{%- if value is mapping %}<dl>{% for name, inner in value.items() %}<dt>{{ name }}</dt><dd>{{ shown(inner) }}</dd>
{%- endfor %}</dl>
{%- elif value is sequence and value is not string %}{% for inner in value %}<div>{{ shown(inner) }}</div>{% endfor %}
{%- else %}{{ value }}{% endif %}{% endmacro %}
{% if payload is none %}<p>{{ text.hash }}</p>{% else %}{{ shown(payload) }}{% endif %}
<footer><p>{{ text.log }}: <code>{{ log }}</code>, {{ place }}<br>
<code>{{ commitment }}</code><br>{{ text.note }}</p></footer>
</main></body>
</html>
"""
_ENVIRONMENT: Final = Environment(autoescape=True, undefined=StrictUndefined)
_TEMPLATE: Final = _ENVIRONMENT.from_string(_PAGE)
_LONG: Final = 300


def as_html(document: bytes, language: str = "nl") -> str:
    """Return one HTML page of an opened afschrift. `language`: nl or en. Raises Refused when it is none."""
    return _TEMPLATE.render(_view(document, language))


def as_text(document: bytes, language: str = "nl") -> str:
    """Return an opened afschrift as text. `language`: nl or en. Raises Refused when it is none."""
    view = _view(document, language)
    text = view["text"]
    rows = [*view["facts"], (text["outcome"], text[view["outcome"]])]
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{text['title']}: {view['kind']}", "", *(f"{name:<{width}}{value}" for name, value in rows), ""]
    lines += [text["what"] + ":", *(_flat(view["payload"], 1) if view["payload"] is not None else [text["hash"]])]
    lines += ["", f"{text['log']}: {view['log']}, {view['place']}", view["commitment"], text["note"]]
    return "\n".join(lines)


def _view(document: bytes, language: str) -> dict[str, Any]:
    """Return what both forms show."""
    text, found = TEXTS[language], parse(document)
    envelope = found["envelope"]
    row = CATALOGUE.get(envelope["type"])
    acknowledged = _claims(found["acknowledgement"])
    accepted = parse(unb64(found["leaves"][0]["entry"]))
    head, note = found["leaves"][0]["proof"].split("\n\n", 1)
    index, size = head.split("\n")[1].removeprefix("index "), note.split("\n")[1]
    outcome = _claims(found["receipt"])["outcome"] if "receipt" in found else "undelivered"
    signed = text["login"] if found["sender"]["kind"] == "authentication" else envelope["source"]
    facts = [
        (text["from"], _party(envelope["source"], text)),
        (text["to"], _party(envelope["recipient"], text)),
        (text["when"], str(acknowledged["received"]).replace("T", " ").removesuffix("Z") + " UTC"),
        (text["why"], envelope["purpose"]),
        (text["ground"], envelope["legalground"]),
        (text["until"], envelope["enddate"]),
        (text["signed"], signed),
    ]
    return {
        "language": language,
        "text": text,
        "kind": row.type.removeprefix("nl.wissel.").removesuffix(".v1") if row else envelope["type"],
        "facts": facts,
        "outcome": outcome,
        "payload": _short(found["payload"]) if "payload" in found else None,
        "log": envelope["log"],
        "place": text["leaves"].format(index=index, size=size),
        "commitment": accepted["commitment"],
    }


def _claims(compact: str) -> dict[str, Any]:
    claims: dict[str, Any] = parse_json(unb64(compact.split(".")[1]))
    return claims


def _party(urn: str, text: Mapping[str, str]) -> str:
    return text["learner"] if urn.startswith("urn:wissel:learner:") else urn


def _short(value: Any) -> Any:
    """Return a payload in which long texts, such as a PDF, stand as their hash."""
    if isinstance(value, dict):
        return {name: _short(inner) for name, inner in value.items() if inner not in ("", [], {})}
    if isinstance(value, list):
        return [_short(inner) for inner in value]
    if isinstance(value, str) and len(value) > _LONG and " " not in value:
        return f"({len(value)} characters, SHA-256 {b64(sha256(value.encode()))})"
    return value


def _flat(value: Any, depth: int) -> list[str]:
    margin = "  " * depth
    if isinstance(value, dict):
        lines = []
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                lines += [f"{margin}{name}:", *_flat(inner, depth + 1)]
            else:
                lines.append(f"{margin}{name}: {inner}")
        return lines
    if isinstance(value, list):
        return [line for inner in value for line in (*_flat(inner, depth), f"{margin}-")][:-1]
    return [f"{margin}{value}"]

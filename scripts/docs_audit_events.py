"""`docs/audit-events.md`: every audit event and field, and what three Dutch logs call them; run to write it."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from wissel.messages.leaves import EVENTS, FIELD_CHARS_MAX, SALT_BYTES

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "audit-events.md"


class Field(NamedTuple):
    """What a field says, and its name in Logboek dataverwerkingen, the FSC log and the authorisation decision log."""

    meaning: str
    processing: str = ""
    fsc: str = ""
    decision: str = ""


ALWAYS: Final[Mapping[str, Field]] = {
    "event": Field("which of the events above", "`name`", "", "`type`"),
    "time": Field(
        "when, RFC 3339 in UTC with milliseconds", "`start_time` and `end_time`", "`created_at`", "`timestamp`"
    ),
    "salt": Field(f"{SALT_BYTES} random bytes, base64url: nobody can guess an entry from its hash in the tree"),
    "span": Field("8 random bytes, hex: this entry among those of its process", "`span_id`", "`span_id`", "`span_id`"),
    "trace": Field(
        "16 bytes, hex, that follow from the process: there when `process` is", "`trace_id`", "`trace_id`", "`trace_id`"
    ),
}

FIELDS: Final[Mapping[str, Field]] = {
    "acknowledgement": Field("SHA-256 of the platform's acknowledgement", "", "", "`response` (by hash)"),
    "activity": Field(
        "URI of the entry in the register of processing activities (GDPR 30)", "`dpl.core.processing_activity_id`"
    ),
    "card": Field("SHA-256 of the card, in canonical JSON", "", "", "`information` (by hash)"),
    "class": Field("which kind of data key: memory, post, parcel, number, special"),
    "commitment": Field(
        "SHA-256 of nonce, envelope and payload: the message, to whoever holds it", "", "", "`request` (by hash)"
    ),
    "count": Field("how many"),
    "day": Field("an end day, in Amsterdam"),
    "form": Field("fulltime, parttime or dual"),
    "grant": Field("hash of the grant that the message leans on", "", "`grant_hash`", "`information`"),
    "ground": Field("the legal ground of a hold", "", "", "`information`"),
    "holder": Field("the participant's URN", "", "", "`information`"),
    "institution": Field("the institution's URN"),
    "intake": Field("the day on which she would start: a start of the programme, the same for all"),
    "jwk": Field("a public key (RFC 7517), canonical JSON in a text"),
    "kid": Field("RFC 7638 thumbprint of a key"),
    "kind": Field("which process", "", "", "`configuration`"),
    "label": Field("the judgement, of a closed set, that decided the step", "", "", "`response`"),
    "level": Field("associate, bachelor or master"),
    "log": Field("the origin of a log"),
    "mandate": Field("for whom a supplier's connector spoke", "", "delegator", "`information`"),
    "message": Field("id of the envelope, UUIDv7", "", "`transaction_id`", "`transaction_id`"),
    "method": Field("how a day ended"),
    "minimum": Field("the smallest index whose entry is still there"),
    "new": Field("the status code from now on", "", "", "`response`"),
    "note": Field("what else a key is, such as the adapter for a partner that signs nothing itself"),
    "old": Field("the status code until now"),
    "outcome": Field(
        "accepted, rejected or undelivered; of a process, its last status code", "`status`", "", "`response`"
    ),
    "phase": Field("the phase after the step", "", "", "`response`"),
    "policy": Field("the written policy under which entries were pruned", "", "", "`policies`"),
    "previous": Field("the last checkpoint of the log before, or the version before"),
    "process": Field("id of the process, UUIDv8", "from which `trace_id` follows", "", "`information`"),
    "programme": Field("code of the programme"),
    "reason": Field("a stable code or a sentence without personal data"),
    "receipt": Field("SHA-256 of the receipt, or of the statement that none came", "", "", "`response` (by hash)"),
    "recipient": Field(
        "URN of the receiver; the learner by her id in this process",
        "`dpl.core.foreign_operation.processor`",
        "`destination`",
        "`request`",
    ),
    "role": Field("the role, never the person, that did it", "", "", "`request`"),
    "ruleset": Field("the dated rules in force", "", "", "`policies`"),
    "sequence": Field("number within source, recipient and process", "", "", "`request`"),
    "since": Field("from when a key may be used"),
    "slots": Field("how many slots a destroyed day had"),
    "source": Field(
        "URN of the sender; the learner by her id in this process",
        "`dpl.core.foreign_operation.processor`",
        "`source`",
        "`request`",
    ),
    "studyyear": Field("the study year"),
    "subject": Field(
        "the learner in this process: a random id that is used in no other",
        "`dpl.core.data_subject_id`, of type `urn:wissel:learner`",
        "",
        "`request`",
    ),
    "type": Field("the message type", "", "`service_name`", "`request`"),
    "until": Field("until when a key may be used, or a hold lasts"),
    "use": Field("sign, seal or id_token"),
    "version": Field("version of the process table", "", "", "`policies`"),
    "week": Field("the week, for counting"),
}

_HEAD: Final = f"""\
# Audit events

*Made by `scripts/docs_audit_events.py` (`make docs`); do not edit.*

An entry of the [audit log](audit-log.md) is canonical JSON (RFC 8785) with the fields of its event and the five that
every entry has. Fields without a value are left out; a text has at most {FIELD_CHARS_MAX} characters. An event or field
that is not here cannot be written: `wissel.messages.leaves` refuses it. So no name, number, address or lasting
pseudonym gets in.

## Events

| event | what it says | its fields |
|---|---|---|
"""

_FIELDS: Final = """
## Fields, and what other logs call them

One entry serves three logs: *Logboek dataverwerkingen* (who processed what about whom, and why), the *FSC log*
(which message went from whom to whom under which grant) and the *authorisation decision log* (what was asked, under
which rules, and what was decided). Their texts are drafts in part: the mapping says which field holds the fact, not
that a conformance test was passed. FSC's `direction` follows from the event: `message.accepted` is incoming,
`message.receipted` and `message.undelivered` close the outgoing side.

| field | what it says | Logboek dataverwerkingen | FSC log | decision log |
|---|---|---|---|---|
"""


def pages() -> dict[Path, str]:
    """Return every page that is made here, as {path: text}."""
    events = [f"| `{name}` | {one.sentence} | {_names(one.fields)} |" for name, one in sorted(EVENTS.items())]
    fields = [f"| `{name}` | {' | '.join(one)} |" for name, one in (*ALWAYS.items(), *FIELDS.items())]
    return {PAGE: _HEAD + "\n".join(events) + "\n" + _FIELDS + "\n".join(fields) + "\n"}


def _names(fields: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(fields))


def main() -> int:
    """Write the page."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`docs/test-vectors/`: what another implementation must read as we do; `python -m scripts.test_vectors` writes it.

All keys are test keys that follow from a seed. The same code gives the same bytes: signatures have no chance in them.
"""

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from tests.messages.evidence import ORIGIN, START, TRUTHS, Case, Chance, P, Q, Tree, keys, truth

from wissel.core.tree import consistency_path, leaf_hash, list_reader, root
from wissel.messages import notes
from wissel.messages.jose import Sealer
from wissel.messages.verify import Refused, b64, canonical, parse, proof_hash, sha256, unb64, verify

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "test-vectors"
LIES: Final[Mapping[str, Case]] = {
    "somebody else signs for the source": Case(by={"sender": "stranger"}),
    "a sealing key signs": Case(cards={"school": {"use": "seal"}}),
    "the sender's key was published afterwards": Case(cards={"school": {"time": "2026-04-18T07:00:00.000Z"}}),
    "a key that signed nothing comes along": Case(spare=["stranger"]),
    "the acknowledgement is about another commitment": Case(
        said={"acknowledgement": {"commitment": b64(bytes(32))}},
    ),
    "the acknowledgement has one fact more": Case(said={"acknowledgement": {"more": "x"}}),
    "an id_token for another message": Case(form="id_token", said={"token": {"nonce": "x"}}),
    "the portal states what the platform saw": Case(form="statement", by={"statement": "portal"}),
    "an outcome that is not final": Case(said={"final": {"outcome": "later"}}),
    "the platform signs the learner's receipt": Case(by={"final": "platform"}),
    "a receipt from the future": Case(said={"final": {"time": "2026-04-18T07:00:00.000Z"}}),
    "the log holds another receipt": Case(leaves={"ended": {"receipt": b64(bytes(32))}}),
    "a log that is not trusted": Case(origin="wissel.example/test"),
}
TEXTS: Final = (
    '{"a":1,"b":[true,null,"é😀"]}',
    '{"\U0001f600":1,"\ufb33":2}',
    '{"\ufb33":2,"\U0001f600":1}',
    '{"b":1,"a":2}',
    '{"a": 1}',
    '{"a":1,"a":1}',
    '"\\u0041"',
    '"\\u001f\\b\\t\\n\\f\\r\\"\\\\/\u2028"',
    "9007199254740991",
    "9007199254740992",
    "1.0",
    "-0",
    '"\\ud800"',
    "",
)


def vectors() -> dict[Path, str]:
    """Return every file that is made here, as {path: text}."""
    made = {
        "keys": _keys(),
        "trust": parse(notes.trust_file(keys().trust.logs, keys().trust.witnesses, 2)),
        "canonical": [_canonical(text) for text in TEXTS],
        "tree": _tree(),
        "sealed": _sealed(),
        "revocations": _revocations(),
        "refused": [_answer(about, case.build()) for about, case in LIES.items()] + _broken(),
        **{f"afschrift-{_slug(name)}": _afschrift(name) for name in TRUTHS},
    }
    return {FOLDER / f"{name}.json": _written(value) for name, value in made.items()}


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, indent=1, sort_keys=True) + "\n"


def _slug(name: str) -> str:
    return "-".join(name.replace("'", "").replace(",", "").lower().split())


def _keys() -> dict[str, Any]:
    mine = keys()
    return {
        "about": "Test keys. P-256 as private JWKs; the log and its witnesses as C2SP notes; the two primes of RS256.",
        "signing": {role: {**key.private_jwk, "kid": key.kid} for role, key in mine.signing.items()},
        "sealing": {role: {**key.private_jwk, "kid": key.kid} for role, key in mine.sealing.items()},
        "log": {"private": mine.log.dump().decode(), "vkey": mine.log.vkey},
        "witnesses": [{"private": one.dump().decode(), "vkey": one.vkey} for one in mine.witnesses],
        "rsa": {"e": 65537, "p": P, "q": Q},
    }


def _canonical(text: str) -> dict[str, str]:
    """Return a text and why it is refused; an empty code when it is canonical."""
    try:
        return {"text": text, "code": "", "sha256": b64(sha256(canonical(parse(text.encode()))))}
    except Refused as refused:
        return {"text": text, "code": refused.code}


def _tree() -> dict[str, Any]:
    tree = Tree(keys(), 2)
    for number in range(7):
        tree.add(f"entry {number}".encode())
    hashes = [leaf_hash(entry) for entry in tree.entries]
    return {
        "entries": [entry.decode() for entry in tree.entries],
        "roots": [root(hashes[:size]).hex() for size in range(8)],
        "checkpoint": tree.checkpoint(7),
        "proofs": [tree.prove(index).proof for index in range(7)],
        "consistency": [[node.hex() for node in consistency_path(old, 7, list_reader(hashes))] for old in range(8)],
    }


def _sealed() -> dict[str, Any]:
    """Two values for one receiver: the same ephemeral key, another IV each."""
    chance, receiver = Chance("sealed"), keys().sealing["learner"]
    sealer = Sealer.new(receiver.public_jwk, chance)
    plains = ["", "één geheim"]
    return {
        "receiver": receiver.private_jwk,
        "values": [{"plain": plain, "jwe": sealer.seal(plain.encode(), chance)} for plain in plains],
    }


def _revocations() -> dict[str, Any]:
    kid = keys().signing["school"].kid
    document = truth("signed by a participant").decode()
    lists = {}
    for name, at in (("before", START), ("after", START + timedelta(days=1))):
        body = notes.revocations_body(ORIGIN, START + timedelta(days=2), {kid: at})
        lists[name] = notes.note(body, [keys().log.sign(body)])
    return {"document": document, **lists, "codes": {"before": "revoked", "after": ""}}


def _afschrift(name: str) -> dict[str, Any]:
    document = truth(name)
    found = parse(document)
    digest = sha256(canonical(found["payload"])) if "payload" in found else b""
    steps = {
        "envelope": canonical(found["envelope"]).decode(),
        "payloadhash": b64(digest) if digest else found["payloadhash"],
        "proofhash": proof_hash(found["sender"]),
        "commitment": parse(unb64(found["leaves"][0]["entry"]))["commitment"],
    }
    return {**_answer(name, document), "steps": steps}


def _broken() -> list[dict[str, Any]]:
    """Return documents that nobody signed like this: edited afterwards."""
    document = truth("signed by a participant")
    return [
        _answer("one byte more at the end", document + b"\n"),
        _answer("one letter of the payload is another", document.replace(b"half negen", b"half tienn")),
        _answer(
            "a proof with a node to spare", document.replace(b"\\n\\nwissel", b"\\n" + b"A" * 43 + b"=\\n\\nwissel")
        ),
        _answer("the receipt is missing", document.replace(b'"receipt":', b'"receipts":')),
        _answer("a checkpoint of another size", document.replace(b"vectors\\n6", b"vectors\\n7")),
    ]


def _answer(about: str, document: bytes) -> dict[str, Any]:
    verdict = verify(document, keys().trust)
    answer = {"ok": verdict.ok, "witnessed": verdict.witnessed, "code": verdict.code, "seen": verdict.seen}
    return {"about": about, "document": document.decode(), "verdict": {**answer, "notes": list(verdict.notes)}}


def main() -> int:
    """Write every file; those that nothing makes any more are removed."""
    made = vectors()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path not in made:
            path.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The verifier is one file that an auditor runs alone, and what it must say is published as test vectors."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from scripts.test_vectors import FOLDER, ROOT, vectors
from tests.messages.evidence import ORIGIN, START, Case, Chance, keys, truth

from wissel.messages import notes, verify
from wissel.messages.jose import Sealer
from wissel.messages.verify import canonical, open_jwe, parse, parse_json, read_revocations, read_trust

FILE: Final = Path(verify.__file__)
GOOD: Final = truth("signed by a participant")


def test_it_imports_the_standard_library_and_cryptography_only() -> None:
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    found |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in found}
    assert roots - sys.stdlib_module_names == {"cryptography"}
    assert not roots & {"socket", "urllib", "http", "sqlite3", "subprocess", "asyncio", "ssl"}


class Bench:
    """A folder as a learner has it, with the verifier copied beside it and no wissel anywhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "vault").mkdir()
        (folder / "keys").mkdir()
        shutil.copy(FILE, folder / "verify.py")
        self.write("keys/trust.json", notes.trust_file(keys().trust.logs, keys().trust.witnesses, 2))
        self.write("keys/seal.json", canonical(keys().sealing["learner"].private_jwk))

    def write(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return name

    def run(self, *arguments: str) -> tuple[int, list[str]]:
        """Run it isolated: no site-packages of the user, no PYTHONPATH, not the current folder."""
        command = [sys.executable, "-I", str(self.folder / "verify.py"), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def seal(document: bytes) -> bytes:
    return Sealer.new(keys().sealing["learner"].public_jwk, Chance("a")).seal(document, Chance("b")).encode()


def test_it_answers_for_each_file_and_0_when_all_are_yes(bench: Bench) -> None:
    names = {
        bench.write("vault/a.afschrift", seal(GOOD)): "yes",
        bench.write("vault/b.afschrift", GOOD): "yes",
        bench.write("vault/c.afschrift", truth("learner by id_token, RS256")): "yes (she authenticated)",
        bench.write("vault/d.afschrift", truth("learner by the platform's statement")): (
            "yes (the platform states that she authenticated)"
        ),
        bench.write("vault/e.afschrift", truth("through an adapter")): "yes (signed by an adapter for duo)",
        bench.write("vault/f.afschrift", truth("not witnessed")): "yes, not witnessed",
    }
    assert bench.run(*names) == (0, [f"{name}: {answer}" for name, answer in names.items()])


def test_it_runs_where_wissel_cannot_be_imported(bench: Bench) -> None:
    copy = bench.write("vault/a.afschrift", seal(GOOD))
    script = (
        "import runpy, sys\n"
        "sys.modules['wissel'] = None  # so that importing it fails\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    command = [sys.executable, "-I", "-c", script, "verify.py", copy]
    done = subprocess.run(command, cwd=bench.folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == f"{copy}: yes\n", done.stderr


def test_one_no_is_no_and_says_why(bench: Bench) -> None:
    good = bench.write("vault/a.afschrift", GOOD)
    bad = bench.write("vault/b.afschrift", GOOD.replace(b"half negen", b"half tienn"))
    code, (first, second) = bench.run(good, bad)
    assert code == 1
    assert first.endswith(": yes")
    assert second == f"{bad}: no: The acknowledgement is about another message. [commitment]"


def test_who_asks_for_witnesses_gets_1_without_them(bench: Bench) -> None:
    name = bench.write("vault/a.afschrift", truth("not witnessed"))
    assert bench.run(name) == (0, [f"{name}: yes, not witnessed"])
    assert bench.run("--witnessed", name) == (1, [f"{name}: yes, not witnessed"])


def test_a_file_is_held_to_the_afschrift_that_names_it(bench: Bench) -> None:
    photo = b"\x89PNG\r\n\x1a\n fictitious"
    ref = {"kind": "photo", "sha256": verify.b64(verify.sha256(photo)), "size": len(photo)}
    name = bench.write("vault/a.afschrift", seal(Case(payload={"files": [ref]}).build()))
    plain, sealed = bench.write("photo.png", photo), bench.write("photo.jwe", seal(photo))
    other = bench.write("other.png", photo + b"!")
    for file in (plain, sealed):
        assert bench.run("--file", file, name) == (0, [f"{name}: yes"])
    for file, what in ((other, name), (plain, bench.write("vault/b.afschrift", GOOD))):
        assert bench.run("--file", file, what) == (1, [f"{what}: no: It names no file of these bytes. [file-unnamed]"])
    assert bench.run("--file", "nothing.png", name)[0] == 1


def test_keys_trust_and_revocations_may_lie_elsewhere(bench: Bench) -> None:
    name = bench.write("copy", seal(GOOD))
    trust = bench.write("t.json", notes.trust_file(keys().trust.logs, keys().trust.witnesses, 1))
    key = bench.write("k.json", canonical(keys().sealing["learner"].private_jwk))
    assert bench.run(name, "--trust", trust, "--key", key) == (0, [f"{name}: yes"])
    body = notes.revocations_body(ORIGIN, START, {keys().signing["school"].kid: START})
    revoked = bench.write("r.txt", notes.note(body, [keys().log.sign(body)]).encode())
    code, (said,) = bench.run(name, "--trust", trust, "--key", key, "--revocations", revoked)
    assert (code, said) == (1, f"{name}: no: A key that signed had been revoked. [revoked]")


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("vault/x", b"", "no-key"),
        ("keys/seal.json", b"[]", "file"),
        ("keys/seal.json", b"{}", "key-kind"),
        ("keys/seal.json", b"not json", "json"),
        ("keys/trust.json", b"{}", "trust"),
        ("keys/trust.json", b"[1]", "trust"),
        ("vault/a.afschrift", b"\xff\xfe", "jwe"),
        ("vault/a.afschrift", b"", "jwe"),
        ("vault/a.afschrift", b"a.b.c.d.e", "jwe"),
    ],
)
def test_what_cannot_be_read_is_a_no_and_never_a_traceback(bench: Bench, name: str, data: bytes, code: str) -> None:
    copy = bench.write("vault/a.afschrift", seal(GOOD))
    if code == "no-key":
        (bench.folder / "keys" / "seal.json").unlink()
    else:
        bench.write(name, data)
    status, (said,) = bench.run(copy)
    assert status == 1
    assert said.startswith(f"{copy}: no: ")
    assert said.endswith(f"[{code}]")


def test_a_file_that_is_not_there_is_a_no(bench: Bench) -> None:
    status, (said,) = bench.run("vault/nothing")
    assert status == 1
    assert said.endswith("[file]")
    copy = bench.write("vault/a.afschrift", seal(GOOD))
    assert bench.run(copy, "--key", "nowhere")[0] == 1
    assert bench.run(copy, "--revocations", "nowhere")[0] == 1


# --- test vectors ------------------------------------------------------------------------------------------


def published(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def test_the_published_vectors_are_what_the_code_makes() -> None:
    made = vectors()
    assert {path.name for path in FOLDER.iterdir()} == {path.name for path in made}
    stale = [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text]
    assert not stale, f"run `python -m scripts.test_vectors`: {stale}"


def test_the_published_verdicts_are_ours() -> None:
    trust = read_trust(canonical(published("trust")))
    cases = [published(path.stem) for path in FOLDER.glob("afschrift-*.json")] + published("refused")
    assert len(cases) > 20
    for case in cases:
        verdict, expected = verify.verify(case["document"].encode(), trust), case["verdict"]
        found = {name: getattr(verdict, name) for name in expected}
        assert {**found, "notes": list(verdict.notes)} == expected, case["about"]


def test_the_published_lists_and_sealed_values_are_read() -> None:
    trust, listed = read_trust(canonical(published("trust"))), published("revocations")
    for name, code in listed["codes"].items():
        revoked = read_revocations(listed[name], trust)
        assert verify.verify(listed["document"].encode(), trust, revoked).code == code
    for value in published("sealed")["values"]:
        assert open_jwe(value["jwe"], published("sealed")["receiver"]).decode() == value["plain"]


# --- docs/afschrift.md -------------------------------------------------------------------------------------

PAGE: Final = ROOT / "docs" / "afschrift.md"


def codes() -> set[str]:
    """Return every code that the verifier can give."""
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    refused = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Refused"]
    passed = [call.args[2] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "_text"]
    verdicts = [word.value for call in calls for word in call.keywords if word.arg == "code"]
    found = [*(call.args[0] for call in refused), *passed, *verdicts]
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_code_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE.read_text(encoding="utf-8").split("## Codes")[1], re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == codes()


def test_every_field_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    documents = [parse(truth(name)) for name in ("not delivered", "learner by id_token, ES256")]
    documents.append(parse(truth("learner by the platform's statement")))
    names = {name for one in documents for part in (one, one["envelope"], one["sender"]) for name in part}
    records = [one[name] for one in documents for name in ("acknowledgement", "receipt", "undelivered") if name in one]
    records.append(documents[2]["sender"]["statement"])
    for compact in records:
        names |= set(parse_json(verify.unb64(compact.split(".")[1])))
    assert not sorted(name for name in names if f"`{name}`" not in text)

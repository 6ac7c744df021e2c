"""Looking afterwards, as an auditor would: every copy verified, the log's head, and what a thief can read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from wissel.assembly.demo.setup import Scene
from wissel.infra.http.ports import Http, Request
from wissel.messages.verify import Refused, b64, names, open_copy, parse_checkpoint, parse_json, read_trust, verify
from wissel.platform.forgetting.thief.actions import rob


@dataclass(slots=True, kw_only=True)
class Proof:
    """What was found. `troubles` are sentences; without any all is as it should be."""

    messages: int = 0
    receipts: int = 0
    copies: int = 0
    verified: int = 0
    witnessed: int = 0
    files: int = 0
    files_verified: int = 0
    size: int = 0
    root: str = ""
    seconds: float = 0.0
    forgotten: str = ""
    newest: str = ""  # the last copy in a learner's vault, below the demo's folder
    troubles: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.troubles and self.copies > 0 and self.files > 0


def count(proof: Proof, said: Mapping[str, Any]) -> None:
    """Count one line of the platform's log."""
    proof.messages += said["event"] == "message.accepted"
    proof.receipts += said["event"] == "message.ended" and said["outcome"] != "undelivered"


def vaults(scene: Scene) -> Iterable[Path]:
    """Return every vault of the demo: the learners' and the institutions'."""
    return [*scene.data.glob("learners/*/vault"), *scene.data.glob("institutions/*/vault")]


def verify_all(scene: Scene, proof: Proof) -> None:
    """Verify every file in every vault with its owner's keys."""
    commitments: dict[str, set[str]] = {}
    last = ""
    for vault in vaults(scene):
        payloads: list[Any] = []
        keys = vault.parent / "keys"
        trust = read_trust((keys / "trust.json").read_bytes())
        jwk = parse_json((keys / "seal.json").read_bytes())
        for file in sorted(vault.iterdir()):
            proof.copies += 1
            try:
                document = open_copy(file.read_bytes(), jwk)
            except Refused as error:
                proof.troubles.append(f"{vault.parent.name}/vault/{file.name}: {error.sentence}")
                continue
            verdict = verify(document, trust)
            proof.verified += verdict.ok
            proof.witnessed += verdict.witnessed
            if not verdict.ok:
                proof.troubles.append(f"{vault.parent.name}/vault/{file.name}: {verdict.reason} [{verdict.code}]")
            commitments.setdefault(_message(document), set()).add(file.stem)
            if vault.parent.parent.name == "learners" and (sent := _sent(document)) > last:
                last, proof.newest = sent, file.relative_to(scene.data).as_posix()
            payloads.append(parse_json(document).get("payload"))
        _verify_files(vault.parent / "files", jwk, payloads, proof)
    proof.troubles += [f"Copies of message {one} differ." for one, found in commitments.items() if len(found) > 1]


def _verify_files(drawer: Path, jwk: Mapping[str, Any], payloads: Sequence[Any], proof: Proof) -> None:
    """Hold every file beside a vault to the afschriften in it: one of them names these very bytes."""
    for file in sorted(drawer.glob("*.jwe")):
        proof.files += 1
        try:
            plain = open_copy(file.read_bytes(), jwk)
        except Refused as error:
            proof.troubles.append(f"{drawer.parent.name}/files/{file.name}: {error.sentence}")
            continue
        named = any(names(payload, plain) for payload in payloads)
        proof.files_verified += named
        if not named:
            proof.troubles.append(f"{drawer.parent.name}/files/{file.name}: no afschrift names it.")


async def read_log(scene: Scene, http: Http, proof: Proof) -> None:
    """Read the published checkpoint."""
    response = await http.send(Request("GET", f"{scene.address('platform')}/log/checkpoint"))
    point = parse_checkpoint(response.body.decode())
    proof.size, proof.root = point.size, b64(point.root)[:16] + "…"


def look_as_thief(scene: Scene, proof: Proof, backups: Sequence[Path] = ()) -> None:
    """Try to read the learner's data from the platform's own disk."""
    loot = rob(scene.data / "platform", backups)
    proof.forgotten = (
        f"{len(loot.readings)} of {loot.sealed} sealed values on the platform's disk can be read, with its key store "
        f"({loot.wrapped} wrapped keys and {loot.slots} slots; {len(loot.keys)} keys opened)"
    )
    if loot.readings:
        proof.troubles.append("Something of a forgotten process can still be read on the platform's disk.")


def _sent(document: bytes) -> str:
    return str(msgspec.json.decode(document)["envelope"]["time"])


def _message(document: bytes) -> str:
    envelope = msgspec.json.decode(document)["envelope"]
    return f"{envelope['process']}/{envelope['source']}/{envelope['id']}"

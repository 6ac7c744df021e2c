"""Looking afterwards, as an auditor would: every copy verified, the log's head, and what a thief can read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from wissel.assembly.demo.setup import PLATFORM_URN, Scene
from wissel.infra.http.ports import Http, Request
from wissel.messages.verify import (
    Refused,
    Trust,
    b64,
    names,
    open_copy,
    parse_checkpoint,
    parse_json,
    read_trust,
    verify,
)
from wissel.platform.forgetting.thief.actions import rob

DRAWERS: Final = ("learners/*/vault", "institutions/*/vault", "chain/*/copies")


@dataclass(slots=True, kw_only=True)
class Proof:
    """What was found. `troubles` are sentences; without any all is as it should be."""

    messages: int = 0
    receipts: int = 0
    copies: int = 0
    at_partners: int = 0  # of the copies: those in the drawers of DUO, PSP and their like
    verified: int = 0
    witnessed: int = 0
    files: int = 0
    files_verified: int = 0
    size: int = 0
    root: str = ""
    seconds: float = 0.0
    forgotten: str = ""
    newest: str = ""  # the last copy in a learner's vault, below the demo's folder
    newest_sent: str = ""
    troubles: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.troubles and self.copies > 0 and self.files > 0


def count(proof: Proof, said: Mapping[str, Any]) -> None:
    """Count one line of the platform's log."""
    proof.messages += said["event"] == "message.accepted"
    proof.receipts += said["event"] == "message.ended" and said["outcome"] != "undelivered"


def drawers(scene: Scene) -> Iterable[Path]:
    """Return every drawer of copies: the vaults of learners and institutions, and what the partners keep."""
    return [file for place in DRAWERS for file in sorted(scene.data.glob(place))]


def verify_all(scene: Scene, proof: Proof) -> None:
    """Verify every copy with its owner's keys, and hold the drawers together: everybody got one, all bear the same."""
    trust = read_trust((scene.data / "trust.json").read_bytes())
    holders: dict[str, _Said] = {}
    for drawer in drawers(scene):
        jwk = parse_json((drawer.parent / "keys" / "seal.json").read_bytes())
        documents = {file: document for file in _files(drawer) if (document := _verified(file, jwk, trust, proof))}
        for file, document in documents.items():
            holders.setdefault(_message(document), _Said(_parties(document))).commitments.append(file.stem)
            if drawer.parent.parent.name == "learners" and (sent := _sent(document)) > proof.newest_sent:
                proof.newest_sent, proof.newest = sent, file.relative_to(scene.data).as_posix()
        payloads = [parse_json(document).get("payload") for document in documents.values()]
        _verify_files(drawer.parent / "files", jwk, payloads, proof)
        proof.at_partners += len(documents) if drawer.name == "copies" else 0
    for message, said in holders.items():
        if len(said.commitments) != said.parties:
            proof.troubles.append(
                f"{len(said.commitments)} copies of message {message}, which has {said.parties} parties."
            )
        if len(set(said.commitments)) != 1:
            proof.troubles.append(f"Copies of message {message} differ.")


@dataclass(slots=True)
class _Said:
    """One message: how many parties it has, and the commitments that their copies are named for."""

    parties: int
    commitments: list[str] = field(default_factory=list)


def _files(drawer: Path) -> list[Path]:
    return sorted(drawer.iterdir())


def _verified(file: Path, jwk: Mapping[str, Any], trust: Trust, proof: Proof) -> bytes:
    """Return an afschrift that holds, opened; empty bytes when it does not, which is a trouble."""
    proof.copies += 1
    try:
        document = open_copy(file.read_bytes(), jwk)
    except Refused as error:
        proof.troubles.append(f"{_place(file)}: {error.sentence}")
        return b""
    verdict = verify(document, trust)
    if not verdict.ok:
        proof.troubles.append(f"{_place(file)}: {verdict.reason} [{verdict.code}]")
        return b""
    proof.verified += 1
    proof.witnessed += verdict.witnessed
    return document


def _verify_files(drawer: Path, jwk: Mapping[str, Any], payloads: Sequence[Any], proof: Proof) -> None:
    """Hold every file beside a vault to the afschriften in it: one of them names these very bytes."""
    for file in sorted(drawer.glob("*.jwe")):
        proof.files += 1
        try:
            plain = open_copy(file.read_bytes(), jwk)
        except Refused as error:
            proof.troubles.append(f"{_place(file)}: {error.sentence}")
            continue
        named = any(names(payload, plain) for payload in payloads)
        proof.files_verified += named
        if not named:
            proof.troubles.append(f"{_place(file)}: no afschrift names it.")


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


def _place(file: Path) -> str:
    return "/".join(file.parts[-3:])


def _parties(document: bytes) -> int:
    """Return how many get a copy (rule 4): sender, receiver and the learner whom it is about; never the platform."""
    envelope = msgspec.json.decode(document)["envelope"]
    return len({envelope["source"], envelope["recipient"], envelope["subject"]} - {PLATFORM_URN})


def _sent(document: bytes) -> str:
    return str(msgspec.json.decode(document)["envelope"]["time"])


def _message(document: bytes) -> str:
    envelope = msgspec.json.decode(document)["envelope"]
    return f"{envelope['process']}/{envelope['source']}/{envelope['id']}"

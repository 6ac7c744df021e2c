"""The exported audit log verifies with code that is not ours, and a changed leaf is refused by it."""

import base64
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.platform.registers.audit_parts import NOON, Rig, Stores, entries_of

from wissel.core.tree import consistency_path
from wissel.messages.verify import parse_checkpoint
from wissel.platform.registers.audit.actions.export import export
from wissel.platform.registers.audit.rules import wants_consistency

SCRIPT = Path(__file__).with_name("verify_log.mjs")
SIZE = 700
pytestmark = pytest.mark.needs("node")


@pytest.fixture
async def exported(tmp_path: Path) -> AsyncIterator[Path]:
    """A log of 700 entries with checkpoints at 256, 556 and 700, exported as `wissel audit export` does."""
    stores = Stores(tmp_path)
    rig = await stores.rig("platform.db", batch=300)
    leaves = await rig.pend(entries_of(256))
    await rig.run()
    leaves += await rig.pend(entries_of(SIZE - 256, start=256))
    await rig.run()
    folder = tmp_path / "export"

    def write(path: str, data: bytes) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)

    await export(rig.log, write, NOON, vkeys=[rig.key.vkey])
    write("claims.json", json.dumps(await claims_of(rig, leaves)).encode())
    yield folder
    stores.close()


async def claims_of(rig: Rig, leaves: list[bytes]) -> dict[str, Any]:
    """Proofs by our own code, for the other code to judge."""
    inclusion = []
    for proven in (await rig.prove(leaves[:: SIZE // 40])).proven:
        _, index, *path = proven.proof.partition("\n\n")[0].split("\n")
        inclusion.append({"index": int(index.removeprefix("index ")), "path": path})
    consistency = []
    for size, note in await rig.database.fetch("SELECT size, note FROM log_checkpoints ORDER BY size"):
        old = int(str(size))
        read = await rig.log.tiles.load(1, wants_consistency(old, SIZE))
        path = [base64.b64encode(step).decode() for step in consistency_path(old, SIZE, read)]
        if old < SIZE:
            consistency.append({"note": note, "path": path})
    return {"inclusion": inclusion, "consistency": consistency}


def judged(folder: Path) -> dict[str, Any]:
    done = subprocess.run(["node", str(SCRIPT), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


async def test_another_implementation_agrees_with_tree_proofs_and_signature(exported: Path) -> None:
    verdict = judged(exported)
    assert (verdict["size"], verdict["signed"], verdict["tree"], verdict["tiles"]) == (SIZE, True, True, True)
    assert len(verdict["inclusion"]) >= 40
    assert all(verdict["inclusion"])
    assert len(verdict["consistency"]) == 2
    assert all(verdict["consistency"])


async def test_another_implementation_refuses_a_changed_leaf(exported: Path) -> None:
    claims = json.loads((exported / "claims.json").read_text())
    chosen = claims["inclusion"][3]["index"]
    bundle = exported / "tile/entries" / f"{chosen // 256:03d}"
    target = bundle if bundle.exists() else Path(f"{bundle}.p/{SIZE % 256}")
    data = bytearray(target.read_bytes())
    at = 0
    for _ in range(chosen % 256):
        at += 2 + int.from_bytes(data[at : at + 2])
    data[at + 2 + 20] ^= 1
    target.write_bytes(data)
    verdict = judged(exported)
    assert (verdict["tree"], verdict["tiles"]) == (False, False)
    assert [n for n, good in enumerate(verdict["inclusion"]) if not good] == [3]


@pytest.mark.parametrize("claim", ["inclusion", "consistency"])
async def test_another_implementation_refuses_a_changed_proof(exported: Path, claim: str) -> None:
    claims = json.loads((exported / "claims.json").read_text())
    step = bytearray(base64.b64decode(claims[claim][0]["path"][0]))
    step[0] ^= 1
    claims[claim][0]["path"][0] = base64.b64encode(step).decode()
    (exported / "claims.json").write_text(json.dumps(claims))
    verdict = judged(exported)
    assert verdict[claim][0] is False
    assert all(verdict[claim][1:])


def _change_root(text: str) -> str:
    root = parse_checkpoint(text).root
    changed = base64.b64encode(bytes([root[0] ^ 1]) + root[1:]).decode()
    return text.replace(base64.b64encode(root).decode(), changed)


@pytest.mark.parametrize("change", [_change_root, lambda text: text.replace("\n700\n", "\n699\n")])
async def test_another_implementation_refuses_a_changed_checkpoint(
    exported: Path, change: Callable[[str], str]
) -> None:
    checkpoint = exported / "checkpoint"
    checkpoint.write_text(change(checkpoint.read_text(encoding="utf-8")), encoding="utf-8")
    if "\n699\n" in checkpoint.read_text(encoding="utf-8"):
        partial = exported / "tile/entries/002.p"
        (partial / "188").rename(partial / "187")
    verdict = judged(exported)
    assert (verdict["signed"], verdict["tree"]) == (False, False)

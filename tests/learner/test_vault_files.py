"""The files drawer: what a message names lies beside its copy, sealed, for the owner alone, until the day she says."""

import json
from datetime import date, timedelta

import msgspec
import pytest
from tests.learner.vault_scene import NOW, UNTIL, Scene

from wissel.infra.http.ports import Request
from wissel.learner.owner import VaultRefused
from wissel.learner.words import Asked, Given
from wissel.messages.enrolment import EnrolmentConfirmed
from wissel.messages.files import FileRef
from wissel.messages.jose import Sealer, SigningKey
from wissel.messages.verify import Refused, b64, canonical, sha256

FILES = f"files?until={UNTIL}"
PHOTO = b"\xff\xd8\xff a fictitious photo"


async def token(scene: Scene) -> str:
    given: Given = await scene.owner.give(Asked(kind="process", purpose="to deliver", until="2026-12-31"))
    return given.token


async def put(scene: Scene, data: bytes = PHOTO, until: str = UNTIL) -> tuple[str, bytes]:
    """Deliver a sealed file; return its hash and its sealed form."""
    jwe = scene.seal(data).encode()
    answer = await scene.deliver(f"files?until={until}", jwe, await token(scene))
    assert (answer.status, json.loads(answer.body)) == (200, {"stored": [b64(sha256(jwe))]})
    return b64(sha256(jwe)), jwe


async def test_a_delivered_file_lies_beside_the_copies_and_is_opened_by_its_owner_alone(scene: Scene) -> None:
    file, jwe = await put(scene)
    home = scene.folder / "noor"
    assert [path.name for path in (home / "files").iterdir()] == [f"{file}.jwe"]
    assert list((home / "vault").iterdir()) == []
    assert (home / "files" / f"{file}.jwe").read_bytes() == jwe
    assert [line.id for line in await scene.owner.files()] == [file]
    assert await scene.owner.file(file) == PHOTO
    bearer = {"authorization": f"Bearer {await token(scene)}"}
    for path in ("/files", f"/files/{file}"):
        assert (await scene.http.send(Request("GET", scene.place.url + path, bearer))).status == 403


async def test_the_same_file_again_is_harmless(scene: Scene) -> None:
    file, jwe = await put(scene)
    again = await scene.deliver(FILES, jwe, await token(scene))
    assert json.loads(again.body) == {"stored": [file]}
    assert len(await scene.owner.files()) == 1


@pytest.mark.parametrize("bad", [PHOTO, b"", b"{}", b"a.b.c", b"a..b.c.d"])
async def test_what_is_not_sealed_is_not_stored(scene: Scene, bad: bytes) -> None:
    answer = await scene.deliver(FILES, bad, await token(scene))
    assert (answer.status, json.loads(answer.body)["code"]) == (422, "vault-unfit")
    assert await scene.owner.files() == []


async def test_a_file_that_is_too_large_is_not_stored(scene: Scene) -> None:
    parts = scene.seal(PHOTO).split(".")
    parts[3] = "A" * 14_000_000
    assert (await scene.deliver(FILES, ".".join(parts).encode(), await token(scene))).status == 422
    assert await scene.owner.files() == []


async def test_only_the_platform_delivers_and_only_what_it_signed(scene: Scene) -> None:
    jwe, bearer = scene.seal(PHOTO).encode(), await token(scene)
    stranger = SigningKey.new(scene.entropy)
    assert (await scene.deliver(FILES, jwe, bearer, key=stranger)).status == 400
    assert (await scene.deliver(FILES, jwe, bearer, sent=scene.seal(b"other").encode())).status == 400
    assert (await scene.deliver(FILES, jwe, "x")).status == 401
    assert await scene.owner.files() == []


async def test_a_withdrawn_token_delivers_no_file(scene: Scene) -> None:
    given = await scene.owner.give(Asked(kind="process", purpose="to deliver", until="2026-12-31"))
    await scene.owner.revoke(given.id)
    assert (await scene.deliver(FILES, scene.seal(PHOTO).encode(), given.token)).status == 410


async def test_her_software_gives_a_file_the_end_of_the_message_that_names_it(scene: Scene) -> None:
    file, _ = await put(scene, until="2026-05-01")  # sooner than the message: a mistake that her software mends
    stray, _ = await put(scene, b"%PDF- nobody names this", until="2026-05-03")
    payload = {
        "studentnumber": "1",
        "name": "Noor",
        "birthdate": "2007-03-01",
        "institution": "Noord",
        "brin": "99XA",
        "programme": "34401",
        "title": "x",
        "form": "fulltime",
        "level": "bachelor",
        "sector": "hbo",
        "studyyear": "2026-27",
        "start": "2026-09-01",
        "end": "2027-08-31",
        "rights": ["one"],
        "file": msgspec.to_builtins(
            FileRef(
                kind="other",
                name="Bewijs",
                mediatype="application/pdf",
                size=len(PHOTO),
                sha256=b64(sha256(PHOTO)),
                sealed=file,
            )
        ),
    }
    msgspec.convert(payload, EnrolmentConfirmed)
    envelope = {"enddate": "2026-06-01", "type": "nl.wissel.enrolment.confirmed.v1"}
    document = canonical({"envelope": envelope, "payload": payload})
    copies = {"copies": [{"id": "C" * 43, "jwe": scene.seal(document), "until": "2026-06-01"}]}
    assert (await scene.deliver("copies", copies, await token(scene))).status == 200
    assert await scene.owner.tend() == 2
    ends = {line.id: line.until for line in await scene.owner.files()}
    assert ends == {file: "2026-06-01", stray: "2026-05-03"}
    await scene.owner.keep_file(stray, date(2030, 1, 1))
    scene.clock.at = NOW + timedelta(days=60)
    for step in scene.built.steps:
        await step(scene.clock.now())
    assert [line.id for line in await scene.owner.files()] == [stray]


async def test_the_owner_destroys_a_file(scene: Scene) -> None:
    file, _ = await put(scene)
    await scene.owner.destroy_file(file)
    assert await scene.owner.files() == []
    with pytest.raises(VaultRefused):
        await scene.owner.file(file)


async def test_a_file_that_was_exchanged_on_the_providers_disk_is_found_out(scene: Scene) -> None:
    file, _ = await put(scene)
    other = Sealer.new(scene.keys.seal.public_jwk, scene.entropy).seal(b"another", scene.entropy)
    (scene.folder / "noor" / "files" / f"{file}.jwe").write_bytes(other.encode())
    with pytest.raises(Refused):
        await scene.owner.file(file)

"""Files at the institution: fetched before the answer, held to their message, kept sealed, ended on their day."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.institution.connector_scene import PHOTO, Scene

from wissel.client.files import Attached
from wissel.infra.http.ports import Response
from wissel.messages.files import FileRef
from wissel.messages.identity import IdentityAnswered
from wissel.messages.jose import Sealer, SealingKey
from wissel.messages.records import Receipt
from wissel.messages.verify import b64, sha256

DAY = timedelta(days=1)
REJECTED = "rejected"


def kept(scene: Scene) -> list[str]:
    """Return the names of the files that are kept."""
    return sorted(path.name for path in (scene.folder / "files").iterdir())


def last(scene: Scene) -> Receipt:
    """Return the last receipt."""
    return scene.platform.receipts[-1]


async def listed(scene: Scene) -> list[dict[str, Any]]:
    """Return the files of the process, as the institution's people see them."""
    answer = await scene.staff("GET", f"/files?process={scene.process}")
    found: list[dict[str, Any]] = msgspec.json.decode(answer.body)["files"]
    return found


async def test_a_file_is_here_sealed_before_the_message_is_answered_and_people_can_open_it(scene: Scene) -> None:
    photo = scene.paper()
    await scene.hear(scene.request(files=(photo.ref,)))
    assert last(scene).outcome == "accepted"
    assert kept(scene) == [f"{photo.ref.sealed}.jwe"]
    assert PHOTO not in (scene.folder / "files" / kept(scene)[0]).read_bytes()
    (line,) = await listed(scene)
    assert (line["kind"], line["name"], line["size"]) == ("photo", "Pasfoto", len(PHOTO))
    answer = await scene.staff("GET", f"/files/{line['hash']}")
    assert (answer.body, answer.headers["content-type"]) == (PHOTO, "image/jpeg")
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await scene.staff("GET", f"/files/{line['hash']}", token="wrong")).status == 401
    assert (await scene.staff("GET", f"/files/{'A' * 43}")).status == 404


async def test_the_sis_learns_where_a_photo_is_and_of_a_scan_nothing(scene: Scene) -> None:
    photo, scan = scene.paper(), scene.paper("identityscan")
    await scene.hear(scene.request(files=(scan.ref, photo.ref)))
    rows = await scene.databases[1].fetch("SELECT field, value FROM facts")
    assert rows == [("photo 1", photo.ref.sealed)]


async def test_while_a_file_cannot_be_had_the_answer_is_later(scene: Scene) -> None:
    photo = scene.paper()
    there = scene.platform.files.pop(photo.ref.sealed)
    offer = scene.request(files=(photo.ref,))
    for wrong in (Response(404, {}, b""), Response(503, {}, b""), Response(200, {}, b"other bytes")):
        scene.platform.files[photo.ref.sealed] = wrong
        await scene.hear(offer)
        scene.platform.offers.clear()
        assert (last(scene).outcome, last(scene).reason) == ("later", "file-missing")
        assert (kept(scene), await listed(scene)) == ([], [])
    scene.platform.files[photo.ref.sealed] = there
    await scene.hear(offer)
    assert last(scene).outcome == "accepted"
    assert len(kept(scene)) == 1


def hash_of_other(_: Scene, made: Attached) -> FileRef:
    return msgspec.structs.replace(made.ref, sha256=b64(sha256(b"another file")))


def other_size(_: Scene, made: Attached) -> FileRef:
    return msgspec.structs.replace(made.ref, size=made.ref.size + 1)


def other_type(_: Scene, made: Attached) -> FileRef:
    return msgspec.structs.replace(made.ref, mediatype="application/pdf")


def other_key(scene: Scene, made: Attached) -> FileRef:
    stranger = SealingKey.new(scene.entropy)
    jwe = Sealer.new(stranger.public_jwk, scene.entropy).seal(PHOTO, scene.entropy).encode()
    scene.platform.files[b64(sha256(jwe))] = Response(200, {}, jwe)
    return msgspec.structs.replace(made.ref, sealed=b64(sha256(jwe)))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(hash_of_other, "file-hash"), (other_size, "file-size"), (other_type, "file-type"), (other_key, "file-sealed")],
)
async def test_a_file_that_is_not_what_the_message_says_is_refused_with_its_reason_and_not_kept(
    scene: Scene, spoil: Callable[[Scene, Attached], FileRef], reason: str
) -> None:
    await scene.hear(scene.request(files=(spoil(scene, scene.paper()),)))
    assert (last(scene).outcome, last(scene).reason) == (REJECTED, reason)
    assert kept(scene) == []
    assert (await scene.sis.counts())["registrations"] == 0


async def test_files_of_a_message_that_is_refused_for_another_reason_do_not_stay(scene: Scene) -> None:
    await scene.hear(scene.request(files=(scene.paper().ref,), programme="00000"))
    assert (last(scene).outcome, last(scene).reason) == (REJECTED, "programme-unknown")
    await scene.clock.sleep(61)
    await scene.work()
    assert kept(scene) == []


async def test_a_scan_ends_a_day_after_the_register_knew_her_and_the_photo_stays(scene: Scene) -> None:
    photo, scan = scene.paper(), scene.paper("identityscan")
    await scene.hear(scene.request(files=(photo.ref, scan.ref)))
    await scene.clock.sleep(3 * DAY.total_seconds())
    await scene.work()
    assert len(kept(scene)) == 2
    await scene.hear(scene.answer("identity.answered", "duo", IdentityAnswered(result="verified")))
    await scene.clock.sleep(DAY.total_seconds() - 1)
    await scene.work()
    assert len(kept(scene)) == 2
    await scene.clock.sleep(61)
    await scene.work()
    assert kept(scene) == [f"{photo.ref.sealed}.jwe"]
    assert [line["kind"] for line in await listed(scene)] == ["photo"]
    assert (await scene.staff("GET", f"/files/{scan.ref.sealed}")).status == 404


async def test_a_scan_ends_a_day_after_a_person_judged_her_identity(scene: Scene) -> None:
    scan = scene.paper("identityscan")
    await scene.hear(scene.request(files=(scan.ref,)))
    await scene.hear(scene.answer("identity.answered", "duo", IdentityAnswered(result="differs")))
    await scene.clock.sleep(2 * DAY.total_seconds())
    await scene.work()
    assert len(kept(scene)) == 1
    body = {"process": scene.process, "gate": "identity", "decision": "met", "role": "clerk", "ground": "RATHO 4.1"}
    assert (await scene.staff("POST", "/gates", body)).status == 204
    await scene.clock.sleep(DAY.total_seconds() + 60)
    await scene.work()
    assert kept(scene) == []


async def test_a_scan_that_nobody_judges_ends_after_four_weeks(scene: Scene) -> None:
    scan = scene.paper("identityscan")
    await scene.hear(scene.request(files=(scan.ref,)))
    await scene.clock.sleep(28 * DAY.total_seconds() - 1)
    await scene.work()
    assert len(kept(scene)) == 1
    await scene.clock.sleep(61)
    await scene.work()
    assert kept(scene) == []


async def test_a_scan_that_ended_before_it_was_fetched_holds_up_nobody(scene: Scene) -> None:
    photo, scan = scene.paper(), scene.paper("identityscan")
    scene.platform.files[scan.ref.sealed] = Response(410, {}, b"")
    await scene.hear(scene.request(files=(photo.ref, scan.ref)))
    assert last(scene).outcome == "accepted"
    assert [line["kind"] for line in await listed(scene)] == ["photo"]


async def test_a_file_is_fetched_once_also_when_the_message_comes_again(scene: Scene) -> None:
    photo = scene.paper()
    offer = scene.request(files=(photo.ref,))
    await scene.hear(offer)
    first = last(scene)
    scene.platform.files.clear()
    await scene.hear(offer)
    assert last(scene) == first


async def test_a_hold_keeps_a_photo_past_its_end_and_never_a_scan(scene: Scene) -> None:
    photo, scan = scene.paper(), scene.paper("identityscan")
    await scene.hear(scene.request(files=(photo.ref, scan.ref)))
    (stated,) = scene.platform.said("gates.stated")
    await scene.deliver(scene.copy_of(stated))
    body = {"process": scene.process, "role": "archivist", "ground": "archive", "until": "2029-01-01"}
    assert (await scene.staff("POST", "/holds", body)).status == 204
    await scene.clock.sleep(800 * DAY.total_seconds())
    await scene.work()
    assert kept(scene) == [f"{photo.ref.sealed}.jwe"]
    await scene.clock.sleep(400 * DAY.total_seconds())
    await scene.work()
    assert kept(scene) == []

"""What nobody tends ends too: a copy, a message and a file on their day, a dead grant, a vault that nobody used."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from tests.learner.vault_scene import BASE, NOW, UNTIL, Scene

from wissel.infra.files.memory import MemoryFolder
from wissel.infra.http.ports import Request
from wissel.learner.build import UNUSED
from wissel.learner.owner import Owner, VaultRefused, make_keys, open_vault
from wissel.learner.words import Asked
from wissel.messages.verify import b64, sha256

DAY = "2026-05-01"
OVER = timedelta(days=17)  # from NOW: 1 May has passed
MESSAGE = "01963a00-0000-7000-8000-000000000001"


async def token(scene: Scene) -> str:
    return (await scene.owner.give(Asked(kind="process", purpose="to deliver", until="2026-12-31"))).token


async def put(scene: Scene, copy: str = "", until: str = DAY) -> str:
    """Deliver a copy; return its id."""
    commitment, document = scene.afschrift(until)
    copies = {"copies": [{"id": copy or commitment, "jwe": scene.seal(document), "until": until}]}
    assert (await scene.deliver("copies", copies, await token(scene))).status == 200
    return copy or commitment


async def send(scene: Scene, until: str = DAY) -> str:
    """Deliver a message; return the commitment under which its copy will come."""
    said = {"id": MESSAGE, "acknowledgement": scene.acknowledgement(sha256(b"x")), "jwe": scene.seal(b"{}")}
    answer = await scene.deliver("messages", {"messages": [{**said, "until": until}]}, await token(scene))
    assert answer.status == 200
    return b64(sha256(b"x"))


async def on(scene: Scene, days: timedelta) -> int:
    """Let a day come, and the provider do what is due on it."""
    scene.clock.at = NOW + days
    return sum([await step(scene.clock.now()) for step in scene.built.steps])


async def kept(scene: Scene) -> list[str]:
    return [copy.id for copy in await scene.owner.copies()]


def profile(scene: Scene, prefix: str) -> list[str]:
    return [path.name for path in (scene.folder / "noor" / "profile").iterdir() if path.name.startswith(prefix)]


async def test_a_copy_that_nobody_tends_ends_on_the_day_of_its_message(scene: Scene) -> None:
    copy = await put(scene)
    assert await on(scene, OVER - timedelta(days=1)) == 0
    assert await kept(scene) == [copy]
    assert await on(scene, OVER) == 1
    assert await kept(scene) == []
    assert profile(scene, "end.") == []


async def test_a_file_that_nobody_tends_ends_on_the_day_of_its_message(scene: Scene) -> None:
    jwe = scene.seal(b"a photo").encode()
    assert (await scene.deliver(f"files?until={DAY}", jwe, await token(scene))).status == 200
    assert [(line.until, line.chosen) for line in await scene.owner.files()] == [(DAY, False)]
    assert await on(scene, OVER) == 1
    assert await scene.owner.files() == []


@pytest.mark.parametrize("chosen", [date(2026, 4, 20), date(2030, 1, 1)])
async def test_what_the_owner_says_stands_when_the_platform_brings_it_again(scene: Scene, chosen: date) -> None:
    copy = await put(scene)
    await scene.owner.keep(copy, chosen)
    await put(scene, copy)
    await on(scene, timedelta(days=6))
    assert await kept(scene) == ([copy] if chosen.year == 2030 else [])
    await put(scene, copy, until="2031-01-01")
    assert await kept(scene) == ([copy] if chosen.year == 2030 else []), "never beyond what she said"
    await on(scene, OVER)
    assert await kept(scene) == ([copy] if chosen.year == 2030 else [])


async def test_a_day_that_has_passed_already_destroys_at_once(scene: Scene) -> None:
    copy = await put(scene)
    await scene.owner.keep(copy, date(2026, 4, 14))
    assert await kept(scene) == []


async def test_every_vault_is_looked_after_each_day_some_at_a_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wissel.learner.provider.TENDED_PER_STEP", 1)
    for name in ("jip", "sam"):
        keys = make_keys(MemoryFolder(), scene.entropy)
        await open_vault(scene.http, base=BASE, name=name, keys=keys, folder=MemoryFolder())
    await put(scene)
    later = UNUSED + timedelta(days=1)
    assert [await on(scene, later) for _ in range(4)] == [1, 1, 1, 0], "her copy, and two vaults that nobody used"


async def test_what_she_destroyed_does_not_come_back_and_what_she_said_is_forgotten_too(scene: Scene) -> None:
    copy = await put(scene)
    await scene.owner.destroy(copy)
    await put(scene, copy)
    assert await kept(scene) == []
    assert profile(scene, "end.") == [f"end.{copy}"]
    await on(scene, timedelta(days=62))
    assert profile(scene, "end.") == []


async def test_what_the_owner_says_of_a_message_holds_for_the_copy_that_comes_after(scene: Scene) -> None:
    copy = await send(scene)
    await scene.owner.keep(copy, date(2030, 1, 1))
    await put(scene, copy)
    await on(scene, OVER)
    assert await kept(scene) == [copy]


async def test_a_message_whose_copy_never_comes_ends_on_its_day(scene: Scene) -> None:
    await send(scene)
    assert await on(scene, OVER - timedelta(days=1)) == 0
    assert len(await scene.owner.inbox()) == 1
    assert await on(scene, OVER) == 1
    assert profile(scene, "message.") == []


async def test_a_copy_that_comes_late_stays_long_enough_to_be_seen(scene: Scene) -> None:
    copy = await put(scene, until="2026-04-14")
    assert await scene.owner.tend() == 1
    await on(scene, timedelta(days=30))
    assert await kept(scene) == [copy]
    await on(scene, timedelta(days=31))
    assert await kept(scene) == []


@pytest.mark.parametrize("until", ["", "2026-02-31", "soon", None])
async def test_what_says_no_day_is_not_stored(scene: Scene, until: str | None) -> None:
    said: dict[str, Any] = {} if until is None else {"until": until}
    copy, document = scene.afschrift()
    body = {"copies": [{"id": copy, "jwe": scene.seal(document), **said}]}
    assert (await scene.deliver("copies", body, await token(scene))).status == 400
    query = "" if until is None else f"?until={until}"
    assert (await scene.deliver(f"files{query}", scene.seal(b"x").encode(), await token(scene))).status == 422
    assert await kept(scene) == []
    assert await scene.owner.files() == []


async def test_what_a_portal_gave_ends_with_its_own_grant(scene: Scene) -> None:
    given = await scene.owner.give(Asked(kind="portal", purpose="to enrol for me", until="2026-06-30"))
    place = msgspec.structs.replace(scene.place, token=given.token)
    portal = Owner(scene.http, place=place, keys=scene.keys, entropy=scene.entropy)
    reach = await portal.give(Asked(kind="capability", purpose="to reach me", until="2030-08-31"))
    assert reach.until == "2026-06-30"
    copy, document = scene.afschrift()
    body = {"copies": [{"id": copy, "jwe": scene.seal(document), "until": UNTIL}]}
    assert (await scene.deliver("copies", body, reach.token)).status == 200
    await scene.owner.revoke(given.id)
    assert (await scene.deliver("copies", body, reach.token)).status == 410
    assert {grant.id for grant in await scene.owner.grants() if grant.revoked} == {given.id, reach.id}


async def test_a_dead_grant_is_shown_for_a_month_and_then_goes(scene: Scene) -> None:
    revoked = await scene.owner.give(Asked(kind="process", purpose="one", until="2027-12-31"))
    ended = await scene.owner.give(Asked(kind="process", purpose="two", until="2026-04-20"))
    await scene.owner.give(Asked(kind="process", purpose="three", until="2026-12-31"))
    await put(scene)
    await scene.owner.revoke(revoked.id)

    async def seen() -> set[str]:
        return {grant.id for grant in await scene.owner.grants()} & {revoked.id, ended.id}

    await on(scene, timedelta(days=29))
    assert await seen() == {revoked.id, ended.id}
    await on(scene, timedelta(days=31))
    assert await seen() == {ended.id}
    await on(scene, timedelta(days=37))
    assert await seen() == set()
    assert {grant.kind for grant in await scene.owner.grants()} == {"owner", "process"}, "who lives, stays"
    late = await scene.deliver("copies", {"copies": []}, revoked.token)
    assert late.status == 401, "the platform takes this for withdrawn too"


async def test_a_vault_to_which_nothing_came_is_closed_and_its_name_is_free(scene: Scene) -> None:
    await scene.owner.write_profile(b'{"language":"nld"}', "")
    assert await on(scene, UNUSED - timedelta(hours=1)) == 0
    assert await scene.owner.profile() != (b"", "")
    assert await on(scene, UNUSED + timedelta(days=1)) == 1
    with pytest.raises(VaultRefused, match="404"):
        await scene.owner.profile()
    assert sorted(path.name for path in (scene.folder / "noor").iterdir()) == ["keys"], "hers stays, all else is gone"
    grant, _, secret = scene.place.token.partition(".")
    opening = {
        "name": "noor",
        "key": scene.keys.seal.public_jwk,
        "grant": grant,
        "digest": b64(sha256(secret.encode())),
    }
    answer = await scene.http.send(Request("POST", f"{BASE}/v", {}, msgspec.json.encode(opening)))
    assert answer.status == 201


async def test_a_vault_that_was_used_once_stays_when_all_in_it_has_ended(scene: Scene) -> None:
    await put(scene)
    await on(scene, UNUSED + timedelta(days=1))
    assert await kept(scene) == []
    assert [grant.kind for grant in await scene.owner.grants()] == ["owner", "process"]

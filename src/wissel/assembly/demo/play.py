"""The learner, played: opens a vault, fills in a profile, and enrols through the portal; then watches."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from wissel.assembly.clocks import SystemEntropy
from wissel.assembly.demo.setup import PROVIDER_URN, START, Scene
from wissel.assembly.owners import folder
from wissel.chain.people import People
from wissel.chain.steering import conduct
from wissel.core.errors import WisselError
from wissel.infra.http.ports import Http, Request
from wissel.institution.samples import urn
from wissel.learner.owner import VAULT, Keys, Owner, Place, make_keys, open_vault
from wissel.learner.words import Asked

STEP_S: Final = 0.05
GRANT_DAYS: Final = 5 * 365  # what a portal gives in her name, a way to reach her later too, ends with its own grant
STORY_S_MAX: Final = 120.0


class StoryFailed(WisselError):
    """The played enrolment did not come to its end."""

    code: ClassVar[str] = "story-failed"


class Learner(NamedTuple):
    """A played learner at home: her keys and her vault."""

    ref: str
    keys: Keys
    owner: Owner
    place: Path


class Wish(NamedTuple):
    """What she asks: an institution by BRIN, and a programme by code."""

    brin: str = "99XA"
    programme: str = "80059"


async def move_in(scene: Scene, http: Http, ref: str) -> Learner:
    """Let a learner make her keys, open a vault at the provider, fill in her profile and let the portal in."""
    person, entropy = People().get(ref), SystemEntropy()
    place = scene.data / "learners" / ref
    keys_folder = folder(place / "keys", place / "profile")
    keys = make_keys(keys_folder, entropy)
    keys_folder.replace("trust.json", (scene.data / "trust.json").read_bytes())
    vault = await open_vault(http, base=scene.address("vaults"), name=ref, keys=keys, folder=keys_folder)
    owner = Owner(http, place=vault, keys=keys, entropy=entropy)
    await owner.write_profile(msgspec.json.encode(person.profile()), "")
    until = (START + timedelta(days=GRANT_DAYS)).date().isoformat()
    given = await owner.give(Asked(kind="portal", purpose="to read my profile and to enrol for me", until=until))
    pointer = {
        "vault": vault.url,
        "grant": given.token,
        "profilekey": keys.profile.private_jwk,
        "key": keys.seal.public_jwk,
        "provider": PROVIDER_URN,
    }
    await call(http, "PUT", f"{scene.address('portal')}/play/learners/{ref}", pointer)
    return Learner(ref, keys, owner, place)


class Guest(NamedTuple):
    """A played learner who comes to the portal without a vault; her browser makes her keys there."""

    ref: str
    place: Path


def arrive(scene: Scene, ref: str) -> Guest:
    """Let a learner come as she is. She has nothing but what copies are verified against."""
    place = scene.data / "learners" / ref
    folder(place / "keys", place / "profile").replace("trust.json", (scene.data / "trust.json").read_bytes())
    return Guest(ref, place)


def has_vault(ref: str) -> bool:
    """Tell whether a learner has a vault of her own before her story begins."""
    return conduct(People().get(ref).surname).has_vault


def comes_back(ref: str) -> bool:
    """Tell whether a learner comes back to her portal to download, because she keeps nothing in a vault."""
    met = conduct(People().get(ref).surname)
    return met.keeps == "downloads" and met.comes_back


def owner_of(guest: Guest, http: Http) -> Owner | None:
    """Return a learner at the vault that was opened for her, or None when none was."""
    entropy = SystemEntropy()
    keys_folder = folder(guest.place / "keys", guest.place / "profile")
    known = keys_folder.read(VAULT)
    if known is None:
        return None
    vault, keys = msgspec.json.decode(known, type=Place), make_keys(keys_folder, entropy)
    return Owner(http, place=vault, keys=keys, entropy=entropy)


async def download(scene: Scene, http: Http, ref: str) -> int:
    """Let a learner come back to the portal and download what waits for her; return how many items."""
    taken = await call(http, "POST", f"{scene.address('portal')}/play/learners/{ref}/downloads", {})
    return int(taken["messages"]) + int(taken["copies"])


async def enrol(scene: Scene, http: Http, learner: Learner | Guest, wish: Wish) -> str:
    """Ask to enrol; return the process."""
    body = {"learner": learner.ref, "institution": urn(wish.brin), "programme": wish.programme}
    begun = await call(http, "POST", f"{scene.address('portal')}/play/enrolments", body)
    return str(begun["process"])


async def call(http: Http, method: str, url: str, body: object) -> dict[str, Any]:
    """Call a played door. Raises StoryFailed with what it said."""
    response = await http.send(
        Request(method, url, {"content-type": "application/json"}, msgspec.json.encode(body), timeout_s=30.0)
    )
    answer: dict[str, Any] = msgspec.json.decode(response.body) if response.body else {}
    if response.status >= 300:  # noqa: PLR2004 - RFC 9110 section 15: below 300 is success
        raise StoryFailed(f"{method} {url} answered {response.status}: {answer.get('detail', '')}")
    return answer


def awaited(ref: str) -> str:
    """Say in one sentence what a story that does not end is waiting for."""
    met = conduct(People().get(ref).surname)
    if met.keeps == "downloads" and not met.comes_back:
        return (
            "It waits for her, and she never comes back to download: what is for her stays sealed at her portal until "
            "its end date, many months away, and only then is the process over."
        )
    return "Somebody in it has not answered yet."


async def follow(log: Path, process: str, ref: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the platform's log lines about a process of `ref` until it is forgotten.

    Raises StoryFailed after two minutes, with what is awaited.
    """
    try:
        async with asyncio.timeout(STORY_S_MAX):
            with log.open(encoding="utf-8") as lines:
                while True:
                    line = lines.readline()
                    if not line.endswith("\n"):
                        await asyncio.sleep(STEP_S)
                        continue
                    said: dict[str, Any] = msgspec.json.decode(line)
                    if said.get("process") != process:
                        continue
                    yield said
                    if said["event"] == "process.forgotten":
                        return
    except TimeoutError:
        late = f"Process {process} was not over after {STORY_S_MAX:.0f} s; look at {log.name}."
        raise StoryFailed(f"{late} {awaited(ref)}") from None

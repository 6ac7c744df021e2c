"""The played world, put together: the chain's applications in one process, the portal in another."""

from functools import partial
from pathlib import Path

import msgspec

from wissel.assembly.following import followed_by, following
from wissel.assembly.owners import App, Owner, Parts, folder, run_owner
from wissel.assembly.runner import Job
from wissel.assembly.settings import ChainSettings
from wissel.chain.build import Addresses, Built, build_chain, build_portal
from wissel.chain.participants import Folders, make_participants
from wissel.chain.people import People
from wissel.chain.world import World
from wissel.client.follow import Followed
from wissel.infra.files.disk import DiskFolder
from wissel.infra.sql.sqlite import SqliteDatabase


async def run_chain(settings: ChainSettings) -> None:
    """Serve the chain or the portal until the process is asked to end."""
    await run_owner(settings.part, settings, partial(build_played, settings))


async def build_played(settings: ChainSettings, mine: Owner) -> Parts:
    """Return the played chain, or the played portal."""
    followed = followed_by(settings, settings.part)
    built = _build(settings, mine, followed)
    apps = [App(served.name, served.app, int(served.address.rpartition(":")[2])) for served in built.apps]
    jobs = [Job(name, step, 0.2) for name, step in built.steps]
    return Parts(apps, [*jobs, *following(settings, mine, followed)])


def folders_in(data: Path) -> Folders:
    """Return what opens a folder below the chain's."""

    def open_folder(name: str) -> DiskFolder:
        return folder(data / name, data / "scratch")

    return open_folder


def browsers_in(learners: Path) -> Folders:
    """Return what opens a folder of a learner's own: `<learner>/keys` and the like."""

    def open_folder(name: str) -> DiskFolder:
        return folder(learners / name, learners / name.partition("/")[0] / "profile")

    return open_folder


def _build(settings: ChainSettings, mine: Owner, followed: Followed) -> Built:
    data = Path(settings.data)
    world = World(mine.clock, mine.entropy, mine.http, People(), settings.pace)
    folders = folders_in(data)
    participants = make_participants(folders, mine.entropy, mine.clock.now(), addresses=settings.addresses)
    addresses = msgspec.convert(settings.addresses, Addresses)

    def database(name: str) -> SqliteDatabase:
        return mine.database(data / f"{name}.sqlite")

    if settings.part == "portal":
        return build_portal(
            world,
            participants,
            addresses,
            databases=database,
            browsers=browsers_in(Path(settings.browsers or data / "portal" / "browsers")),
            platform=settings.platform,
            platform_keys=followed.platform,
            cards=followed.cards,
            origin=settings.origin,
        )
    return build_chain(
        world,
        participants,
        addresses,
        folders=folders,
        databases=database,
        platform_key=followed.platform.get,
        institutions=settings.institutions,
    )

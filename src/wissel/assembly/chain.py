"""The played world, put together: the chain's applications in one process, the portal in another."""

from functools import partial
from pathlib import Path

import msgspec

from wissel.assembly.owners import App, Owner, Parts, folder, platform_keys, read_cards, run_owner
from wissel.assembly.runner import Job
from wissel.assembly.settings import ChainSettings
from wissel.chain.build import Addresses, Built, build_chain, build_portal
from wissel.chain.participants import Folders, make_participants
from wissel.chain.people import People
from wissel.chain.world import World
from wissel.infra.files.disk import DiskFolder
from wissel.infra.sql.sqlite import SqliteDatabase


async def run_chain(settings: ChainSettings) -> None:
    """Serve the chain or the portal until the process is asked to end."""
    await run_owner(settings.part, settings, partial(build_played, settings))


async def build_played(settings: ChainSettings, mine: Owner) -> Parts:
    """Return the played chain, or the played portal."""
    built = _build(settings, mine)
    apps = [App(served.name, served.app, int(served.address.rpartition(":")[2])) for served in built.apps]
    return Parts(apps, [Job(name, step, 0.2) for name, step in built.steps])


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


def _build(settings: ChainSettings, mine: Owner) -> Built:
    data, cards = Path(settings.data), read_cards(settings.cards)
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
            platform_keys=platform_keys(cards),
            cards=lambda: cards,
            origin=settings.origin,
        )
    return build_chain(
        world,
        participants,
        addresses,
        folders=folders,
        databases=database,
        platform_key=platform_keys(cards).get,
        institutions=settings.institutions,
    )

"""An institution's side, put together: one connector for one institution, or for several of one supplier."""

from pathlib import Path

from wissel.assembly.owners import Owner, folder, owner, read_cards, work
from wissel.assembly.runner import Job
from wissel.assembly.settings import ConnectorSettings
from wissel.infra.http.serve import Site, bind
from wissel.institution.build import Own, Tools, build, open_sample
from wissel.institution.directory import CardDirectory
from wissel.institution.setup import read_house


async def run_connector(settings: ConnectorSettings) -> None:
    """Serve institutions until the process is asked to end."""
    async with owner(settings) as mine:
        bound = bind(settings.port, host=settings.host)
        base = settings.base or bound.base
        tools = Tools(
            http=mine.http,
            clock=mine.clock,
            entropy=mine.entropy,
            log=mine.log,
            directory=CardDirectory(read_cards(settings.cards)),
            platform=settings.platform,
        )
        opened = [await open_sample(_own(place, mine, settings), tools) for place in houses(Path(settings.data))]
        built = build(opened, tools=tools, base=base)
        jobs = [Job(name, step, 0.1) for name, step in built.steps.items()]
        await work("connector", [Site("connector", built.app, bound)], jobs, mine)


def houses(data: Path) -> list[Path]:
    """Return the folders of the institutions in `data`: itself, or one each."""
    return [data] if (data / "profile").is_dir() else sorted(p.parent for p in data.glob("*/profile"))


def _own(place: Path, mine: Owner, settings: ConnectorSettings) -> Own:
    scratch = place / "profile" / "scratch"
    profile = folder(place / "profile", scratch)
    (place / "sis").mkdir(exist_ok=True, mode=0o700)
    return Own(
        house=read_house(profile),
        keys=folder(place / "keys", scratch),
        vault=folder(place / "vault", scratch),
        book=mine.database(place / "profile" / "connector.sqlite"),
        sis=mine.database(place / "sis" / "sis.sqlite"),
        finance=mine.database(place / "sis" / "finance.sqlite"),
        pulls=settings.pulls,
    )

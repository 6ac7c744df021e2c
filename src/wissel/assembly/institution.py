"""An institution's side, put together: one connector for one institution, or for several of one supplier."""

from functools import partial
from pathlib import Path

from wissel.assembly.following import followed_by, following
from wissel.assembly.owners import App, Owner, Parts, folder, run_owner
from wissel.assembly.runner import Job
from wissel.assembly.settings import ConnectorSettings, SettingWrong
from wissel.institution.build import Own, Tools, build, open_sample
from wissel.institution.directory import CardDirectory
from wissel.institution.setup import read_house


async def run_connector(settings: ConnectorSettings) -> None:
    """Serve institutions until the process is asked to end."""
    await run_owner("connector", settings, partial(build_connector, settings))


async def build_connector(settings: ConnectorSettings, mine: Owner) -> Parts:
    """Return the connector of the institutions in the settings' folder."""
    base = settings.base or f"http://{settings.host}:{settings.port}"
    followed, directory = followed_by(settings, "connector"), CardDirectory([])
    followed.watch(directory.learn)
    tools = Tools(
        http=mine.http,
        clock=mine.clock,
        entropy=mine.entropy,
        log=mine.log,
        directory=directory,
        platform=settings.platform,
    )
    places = houses(Path(settings.data))
    if not places:
        raise SettingWrong(f"Setting data: {settings.data} holds no institution (no profile/ in it).", field="data")
    opened = [await open_sample(_own(place, mine, settings), tools) for place in places]
    built = build(opened, tools=tools, base=base)
    own = {one.served.house.urn: frozenset((one.keys.sign.kid, one.keys.seal.kid)) for one in opened}
    jobs = [
        *(Job(name, step, 0.1) for name, step in built.steps.items()),
        *following(settings, mine, followed, own),
    ]
    return Parts([App("connector", built.app, settings.port)], jobs)


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
        files=folder(place / "files", scratch),
        book=mine.database(place / "profile" / "connector.sqlite"),
        sis=mine.database(place / "sis" / "sis.sqlite"),
        finance=mine.database(place / "sis" / "finance.sqlite"),
        pulls=settings.pulls,
    )

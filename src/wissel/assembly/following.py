"""How every owner beside the platform learns who may speak: from a file at set-up, from then on from the platform."""

from collections.abc import Mapping
from pathlib import Path

from wissel.assembly.owners import Owner, folder, read_cards
from wissel.assembly.runner import Job
from wissel.assembly.settings import OwnerSettings, SettingWrong
from wissel.client.follow import Followed, Follower
from wissel.messages.verify import Refused, Trust, read_trust

REST_S = 0.5


def followed_by(settings: OwnerSettings, name: str) -> Followed:
    """Return who may speak, as this owner knows it; what it follows it keeps in `followed/<name>/`."""
    place = Path(settings.data) / "followed" / name
    return Followed(read_cards(settings.cards), folder(place, place / "scratch"))


def following(
    settings: OwnerSettings, mine: Owner, followed: Followed, own: Mapping[str, frozenset[str]] | None = None
) -> list[Job]:
    """Return the job that follows the platform's lists; none without a trust file. Raises SettingWrong."""
    if not settings.trust:
        return []
    follower = Follower(
        followed,
        http=mine.http,
        log=mine.log,
        base=settings.platform,
        trust=_trust(settings.trust),
        every_s=settings.follow_s,
        own=own or {},
    )
    return [Job("participants", follower.step, REST_S)]


def _trust(file: str) -> Trust:
    try:
        return read_trust(Path(file).read_bytes())
    except OSError as error:
        raise SettingWrong(f"Setting trust: {file} cannot be read: {error.strerror}.", field="trust") from None
    except Refused as error:
        raise SettingWrong(f"Setting trust: {file}: {error.sentence}", field="trust") from None

"""Sets the demo up: folders, keys, cards, settings files. Nothing is shared between owners but public cards."""

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from wissel.assembly.chain import folders_in
from wissel.assembly.clocks import DemoClock, SystemEntropy, set_demo_time
from wissel.assembly.learner import own_key
from wissel.assembly.owners import as_toml, folder
from wissel.assembly.platform import open_platform, own_card, with_adapter
from wissel.assembly.settings import (
    ChainSettings,
    ConnectorSettings,
    Partner,
    PlatformSettings,
    SettingWrong,
    VaultsSettings,
)
from wissel.chain.participants import REMOTE_USER, make_participants
from wissel.infra.http.serve import bind
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.infra.telemetry.log import SilentLog
from wissel.institution.samples import sample_houses
from wissel.institution.setup import keep_house, keep_trust, make_card, make_keys
from wissel.learner.build import provider_card
from wissel.messages.notes import trust_file
from wissel.messages.participant import Card
from wissel.platform.forgetting.filestore import FileKeyStore

START: Final = datetime(2026, 4, 15, 7, 0, tzinfo=UTC)  # 09:00 in Amsterdam, for study year 2026-27
KEYS_UNTIL: Final = datetime(2029, 12, 31, tzinfo=UTC)
PLATFORM_URN: Final = "urn:nld:oin:00000099000000001000:systeem:wissel"
PROVIDER_URN: Final = "urn:nld:oin:00000099000001009000:systeem:vaults"
ORIGIN: Final = "wissel.example/demo"
QUORUM: Final = 2
FOLLOW_S: Final = 5
POLICY: Final = "docs/audit-log.md#retention-policy-of-entries"
FIRST_PORT: Final = 8100
NAMES: Final = (
    "platform", "noord", "zee", "land", "vaults",
    "portal", "eduid", "digid", "duo", "ind", "nuffic", "psp",
)  # fmt: skip
MARK: Final = "wissel-demo.txt"


class Scene(NamedTuple):
    """The demo as it stands on this machine."""

    data: Path
    ports: Mapping[str, int]
    cards: list[Card]
    clock: Path

    def address(self, name: str) -> str:
        """Return the base address of an owner or application."""
        return f"http://127.0.0.1:{self.ports[name]}"


def fresh_folder(data: Path) -> None:
    """Empty a demo's folder, or make a new one. Raises SettingWrong for a folder that is not a demo's."""
    if data.exists() and any(data.iterdir()):
        if not (data / MARK).exists():
            raise SettingWrong(f"{data} is not empty and not a demo's folder. Name another with --data.")
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True)
    (data / MARK).write_text("This folder was made by `wissel demo`; the next demo begins anew here.\n", "utf-8")


@contextmanager
def first_port() -> Iterator[int]:
    """Yield where this demo's ports begin, or 0 while another demo on this machine begins there.

    The port before them is held as long as the block lasts: two demos would else find the same ports free.
    """
    try:
        held = bind(FIRST_PORT - 1)
    except OSError:
        yield 0
        return
    try:
        yield FIRST_PORT
    finally:
        held.socket.close()


def free_ports(first: int = FIRST_PORT) -> dict[str, int]:
    """Return a port for everybody: `first` and on, or a free one where that is taken; 0: any free ones."""
    bound = {name: bind(first + number if first else 0, instead=True) for number, name in enumerate(NAMES)}
    for each in bound.values():
        each.socket.close()
    return {name: each.port for name, each in bound.items()}


async def prepare(data: Path, *, pace: float, first_port: int = FIRST_PORT, pushed: Collection[str] = ()) -> Scene:
    """Make everything that must be there before the first process starts. `pushed`: institutions that do not pull."""
    fresh_folder(data)
    clock = data / "clock.txt"
    set_demo_time(clock, START)
    scene = Scene(data, free_ports(first_port), [], clock)
    allow = tuple(f"127.0.0.1:{port}" for port in scene.ports.values())
    settings = PlatformSettings(
        data=str(data / "platform"),
        urn=PLATFORM_URN,
        origin=ORIGIN,
        port=scene.ports["platform"],
        base=scene.address("platform"),
        log=str(data / "platform" / "log.jsonl"),
        quorum=QUORUM,
        log_policy=POLICY,
        allow=allow,
        demo=True,
        clock=str(clock),
    )
    cards, partners = _cards(scene, pushed)
    settings = msgspec.structs.replace(settings, partners=partners)
    cards, trust = await _register(settings, cards, scene)
    scene = scene._replace(cards=cards)
    (data / "cards.json").write_bytes(msgspec.json.format(msgspec.json.encode(cards)))
    _hand_out(scene, trust)
    _write_settings(scene, settings, allow, pace)
    for short in pushed:
        _pull_no_more(scene, short)
    return scene


def _cards(scene: Scene, pushed: Collection[str]) -> tuple[list[Card], dict[str, Partner]]:
    """Let every owner make its keys and its card, in its own folder."""
    entropy, now = SystemEntropy(), START
    cards = []
    for house in sample_houses():
        place = scene.data / "institutions" / house.short
        scratch = place / "profile" / "scratch"
        keep_house(folder(place / "profile", scratch), house)
        keys = make_keys(folder(place / "keys", scratch), house, entropy)
        base = scene.address(house.short)
        since, push = now - timedelta(days=1), house.short in pushed
        cards.append(make_card(house, keys, base=base, since=since, until=KEYS_UNTIL, pushed=push))
    provider = own_key(scene.data / "provider", entropy)
    cards.append(
        provider_card(
            urn=PROVIDER_URN,
            name="Vault provider (fictitious)",
            key=provider,
            since=now,
            until=KEYS_UNTIL,
            base=scene.address("vaults"),
        )
    )
    addresses = {name: scene.address(name) for name in ("portal", "eduid", "digid", "duo", "ind", "nuffic", "psp")}
    played = make_participants(folders_in(scene.data / "chain"), entropy, now, addresses=addresses)
    cards += [participant.card for participant in played.values()]
    partners: dict[str, Partner] = {
        str(name): Partner(user=REMOTE_USER, password=participant.secrets.api)
        if name == "eduid"
        else Partner(key=participant.secrets.api)
        for name, participant in played.items()
        if name != "portal"
    }
    return cards, partners


async def _register(settings: PlatformSettings, cards: list[Card], scene: Scene) -> tuple[list[Card], bytes]:
    """Open the platform's store once, as its operator does, and register everybody."""
    place = Path(settings.data)
    keystore = FileKeyStore(place / "keys", SystemEntropy(), demo=True)
    database = SqliteDatabase(place / "wissel.sqlite")
    try:
        clock = DemoClock(scene.clock)
        platform = await open_platform(settings, database, keystore, clock, SilentLog())
        own = own_card(settings, platform.identity, START)
        for card in (own, *cards):
            await platform.participants.register(with_adapter(card, platform.identity, START), START)
        witnesses = [card.witness for card in cards if card.witness]
        return list(platform.participants.cards()), trust_file({ORIGIN: platform.identity.log.vkey}, witnesses, QUORUM)
    finally:
        database.close()
        keystore.close()


def _hand_out(scene: Scene, trust: bytes) -> None:
    """Give every owner of a vault the one file by which copies are verified."""
    for house in sample_houses():
        place = scene.data / "institutions" / house.short
        keep_trust(folder(place / "keys", place / "profile" / "scratch"), trust)
    (scene.data / "trust.json").write_bytes(trust)


def _write_settings(scene: Scene, platform: PlatformSettings, allow: tuple[str, ...], pace: float) -> None:
    cards = str(scene.data / "cards.json")
    address, clock = scene.address("platform"), str(scene.clock)
    trust = str(scene.data / "trust.json")
    common: dict[str, Any] = {
        "platform": address,
        "cards": cards,
        "trust": trust,
        "follow_s": FOLLOW_S,
        "allow": allow,
        "clock": clock,
    }
    _write(scene.data / "platform" / "wissel.toml", platform)
    for house in sample_houses():
        place = scene.data / "institutions" / house.short
        port, log = scene.ports[house.short], str(place / "profile" / "log.jsonl")
        _write(place / "profile" / "wissel.toml", ConnectorSettings(data=str(place), port=port, log=log, **common))
    provider = scene.data / "provider"
    (scene.data / "learners").mkdir()
    vaults = VaultsSettings(
        data=str(provider),
        learners=str(scene.data / "learners"),
        port=scene.ports["vaults"],
        log=str(provider / "log.jsonl"),
        **common,
    )
    _write(provider / "wissel.toml", vaults)
    brins = {house.settings.brin: f"{house.short}.example" for house in sample_houses()}
    addresses = {name: scene.address(name) for name in ("portal", "eduid", "digid", "duo", "ind", "nuffic", "psp")}
    for part in ("chain", "portal"):
        played = ChainSettings(
            data=str(scene.data / "chain"),
            addresses=addresses,
            part=part,
            origin=ORIGIN,
            institutions=brins,
            pace=pace,
            browsers=str(scene.data / "learners"),
            log=str(scene.data / "chain" / f"{part}.jsonl"),
            **common,
        )
        _write(scene.data / "chain" / f"{part}.toml", played)


def _pull_no_more(scene: Scene, short: str) -> None:
    file = scene.data / "institutions" / short / "profile" / "wissel.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("pulls = true", "pulls = false"), encoding="utf-8")


def _write(file: Path, settings: msgspec.Struct) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)  # it may hold a partner's credentials
    file.write_text(as_toml(settings), encoding="utf-8")

"""The platform, put together: store, keys, log, exchange, engine, adapters and the public API."""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from wissel.assembly.clocks import SystemEntropy
from wissel.assembly.identity import Identity, check_identity, read_identity
from wissel.assembly.owners import App, Owner, Parts, run_owner
from wissel.assembly.runner import Job
from wissel.assembly.settings import OwnerSettings, Partner, PlatformSettings, SettingWrong
from wissel.assembly.switch import CardWindow, LogWindow, Switchboard
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.core.moments import rfc3339
from wissel.infra.http.ports import Http
from wissel.infra.sql.migrate import migrate, read_migrations
from wissel.infra.sql.ports import Database
from wissel.infra.telemetry.log import Log
from wissel.messages.notes import note, revocations_body
from wissel.messages.participant import Card, Endpoints, Key
from wissel.messages.process import Process
from wissel.messages.verify import parse_checkpoint
from wissel.platform.api.app import build_api
from wissel.platform.api.words import Limits as DoorLimits
from wissel.platform.engine.rounds import Engine
from wissel.platform.exchange.copies import Copies
from wissel.platform.exchange.delivery import Delivery
from wissel.platform.exchange.desk import Desk
from wissel.platform.exchange.lifecycle import Lifecycle
from wissel.platform.exchange.words import Limits
from wissel.platform.forgetting.actions.days import Days
from wissel.platform.forgetting.actions.destroyer import Destroyer
from wissel.platform.forgetting.actions.keys import Keys
from wissel.platform.forgetting.errors import KeyStoreLost
from wissel.platform.forgetting.filestore import FileKeyStore
from wissel.platform.forgetting.ports import KeyStore
from wissel.platform.participants.actions import Participants
from wissel.platform.partners.duo import actions as duo
from wissel.platform.partners.eduid import actions as eduid
from wissel.platform.partners.ind import actions as ind
from wissel.platform.partners.nuffic import actions as nuffic
from wissel.platform.partners.ports import Translate
from wissel.platform.partners.psp import actions as psp
from wissel.platform.partners.runner import Adapter, ApiCall
from wissel.platform.processes.enrolment.process import Enrolment
from wissel.platform.processes.objection.process import Objection
from wissel.platform.registers.audit.actions.check import Check
from wissel.platform.registers.audit.actions.gather import Witnesses
from wissel.platform.registers.audit.actions.log import AuditLog
from wissel.platform.registers.audit.actions.prune import Policy, Pruner
from wissel.platform.registers.audit.actions.sequence import Sequencer
from wissel.platform.registers.audit.errors import LogInconsistent
from wissel.platform.registers.audit.ports import WitnessAnswer
from wissel.platform.registers.audit.words import WitnessCard
from wissel.platform.store import MIGRATIONS

if TYPE_CHECKING:
    from wissel.core.errors import WisselError

TRANSLATIONS: Final[Mapping[str, Translate]] = {
    "duo": duo.translate,
    "ind": ind.translate,
    "nuffic": nuffic.translate,
    "psp": psp.translate,
    "eduid": eduid.translate,
}
CHECK_S: Final = 30.0  # between two rebuilds of the whole tree in the background
PRUNE_S: Final = 60.0  # it looks whether a day has passed
SEQUENCE_S: Final = 0.1  # leaves wait this long at most for company: one checkpoint serves many
KEY_YEARS: Final = 3
WITHOUT_KEYS: Final = frozenset({"sequence", "witnesses", "keys", "check", "prune"})  # go on when keys are lost
Step = Callable[[datetime], Awaitable[int]]


class LogView:
    """The audit log as the exchange asks about it: is it behind, and how large is what is published."""

    def __init__(self, audit: AuditLog, keys: Keys) -> None:
        self._audit = audit
        self._keys = keys
        self._size = 0

    async def stalled(self, now: datetime) -> bool:
        """Tell whether nothing may be accepted: leaves wait too long, the log is inconsistent, or keys are lost."""
        return self._keys.lost is not None or self._audit.trouble is not None or await self._audit.stalled(now)

    def size(self) -> int:
        """Return the size of the newest published checkpoint."""
        return self._size

    async def look(self) -> None:
        """Read the newest published checkpoint."""
        published = await self._audit.checkpoint()
        self._size = parse_checkpoint(published).size if published else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Everything of one platform process."""

    settings: PlatformSettings
    database: Database
    keystore: KeyStore
    clock: Clock
    entropy: Entropy
    participants: Participants
    keys: Keys
    identity: Identity
    audit: AuditLog
    view: LogView
    desk: Desk
    log: Log

    def card(self) -> Card:
        """Return the platform's own card, as others need to know it."""
        return own_card(self.settings, self.identity, self.clock.now())


def own_card(settings: PlatformSettings, identity: Identity, since: datetime) -> Card:
    """Return the card of the platform itself."""
    return Card(
        urn=settings.urn,
        name=settings.name,
        roles=("platform",),
        keys=(
            published("sign", identity.signer.public_jwk, identity.signer.kid, since),
            published("seal", identity.sealer.public_jwk, identity.sealer.kid, since),
        ),
        endpoints=Endpoints(api=settings.base or f"http://{settings.host}:{settings.port}"),
    )


def published(use: str, jwk: dict[str, str], kid: str, since: datetime, note_text: str = "") -> Key:
    """Return a public key as a card holds it, valid from `since` for three years."""
    until = since + timedelta(days=366 * KEY_YEARS)
    fields = {"kid": kid, "use": use, "jwk": jwk, "since": rfc3339(since), "until": rfc3339(until), "note": note_text}
    return msgspec.convert(fields, Key)


def with_adapter(card: Card, identity: Identity, since: datetime) -> Card:
    """Return a partner's card with the key by which the platform's adapter speaks for it."""
    for role in card.roles:
        if role in identity.adapters:
            key = identity.adapters[role]
            spoken = published("sign", key.public_jwk, key.kid, since, f"adapter for {role}")
            return msgspec.structs.replace(card, keys=(*card.keys, spoken))
    return card


async def open_platform(
    settings: PlatformSettings, database: Database, keystore: KeyStore, clock: Clock, log: Log
) -> Platform:
    """Open store, log and participants; check what must fit before anything is accepted."""
    entropy = SystemEntropy()
    await migrate(database, read_migrations(MIGRATIONS))
    await check_identity(keystore, database)
    identity = read_identity(keystore, entropy, settings.origin, TRANSLATIONS.keys())
    keys = Keys(keystore, database, clock, entropy)
    await _check_keys(keys, log)
    participants = Participants(database, entropy)
    await participants.load()
    audit = AuditLog(database, vkey=identity.log.vkey, highest=keystore, quorum=settings.quorum)
    try:
        await audit.open(clock.now())
    except LogInconsistent as error:
        log.write("audit.inconsistent", code=error.code)  # it serves what is published, signs and accepts nothing
    view = LogView(audit, keys)
    desk = Desk(
        database=database,
        clock=clock,
        entropy=entropy,
        participants=participants,
        keys=keys,
        log=view,
        signer=identity.signer,
        sealer=identity.sealer,
        urn=settings.urn,
        origin=identity.log.name,
        ruleset=settings.ruleset,
        secret=identity.secret,
        journal=log,
        versions={story.name: story.version for story in stories().values()},
        limits=Limits(
            running_processes_max=settings.running_processes_max,
            mail_per_receiver_max=settings.mail_per_receiver_max,
            parcel_days=settings.parcel_days,
        ),
    )
    return Platform(
        settings=settings,
        database=database,
        keystore=keystore,
        clock=clock,
        entropy=entropy,
        participants=participants,
        keys=keys,
        identity=identity,
        audit=audit,
        view=view,
        desk=desk,
        log=log,
    )


async def _check_keys(keys: Keys, log: Log) -> None:
    """Look whether the key store has what the database knows; with lost keys the platform runs and accepts nothing."""
    try:
        await keys.check()
    except KeyStoreLost as error:
        log.write(error.code, days=len(error.days), processes=len({loss.process for loss in error.lost}))


def stories() -> dict[str, Process]:
    """Return the stories that this release runs, by kind."""
    return {"enrolment": Enrolment(), "objection": Objection()}


def jobs(platform: Platform, http: Http) -> list[Job]:
    """Return all background work of a platform that plays every role."""
    delivery = Delivery(platform.desk, http)
    sequencer = Sequencer(platform.audit, key=platform.identity.log, highest=platform.keystore)

    async def sequence(now: datetime) -> int:
        done = await sequencer.step(now)
        if done:
            await platform.view.look()
        return 0  # rest in any case: one checkpoint serves all that came meanwhile

    async def call(urn: str, body: str) -> WitnessAnswer:
        response = await delivery.call_witness(urn, body)
        return WitnessAnswer(response.status, response.body.decode("utf-8", "replace"))

    witnesses = Witnesses(
        platform.audit, call=call, cards=lambda: _witness_cards(platform.participants), entropy=platform.entropy
    )
    days = Days(
        platform.keystore,
        platform.database,
        platform.keys,
        platform.entropy,
        database_clock=database_clock(platform.clock),
        witness_clock=platform.audit.witness_time,
        journal=platform.desk.journal,
    )
    destroyer = Destroyer(platform.keystore, platform.database, platform.keys, platform.entropy)
    work = [
        Job("engine", Engine(platform.desk, stories()).step),
        Job("sequence", sequence, SEQUENCE_S),
        Job("witnesses", witnesses.step, SEQUENCE_S),
        Job("copies", Copies(platform.desk, platform.audit, platform.settings.quorum).step, 0.05),
        Job("push", delivery.push, 0.05),
        Job("delivery", delivery.copy, 0.05),
        Job("lifecycle", Lifecycle(platform.desk).step, 0.1),
        Job("keys", platform.keys.step, 1.0),
        Job("destroyer", destroyer.step, 0.05),
        Job("days", days.step, 1.0),
        Job("check", Check(platform.audit).step, CHECK_S),
        *_pruning(platform),
        *(Job(f"adapter {each.partner}", each.step, 0.1) for each in adapters(platform, http)),
    ]
    return [
        job if job.name in WITHOUT_KEYS else Job(job.name, _unless_lost(platform.keys, job.step), job.rest_s)
        for job in work
    ]


def _pruning(platform: Platform) -> list[Job]:
    policy = retention(platform.settings)
    if not policy.document:
        return []
    pruner = Pruner(platform.audit, policy, platform.entropy, platform.participants.leaves)
    return [Job("prune", pruner.step, PRUNE_S)]


def retention(settings: PlatformSettings) -> Policy:
    """Return the policy under which entries of the log are pruned; years count as leap years."""
    return Policy(settings.log_policy, timedelta(days=366 * settings.log_keep_years))


def _unless_lost(keys: Keys, step: Step) -> Step:
    """Return a step that rests while keys are lost: what does not open now may open under the right key store."""

    async def guarded(now: datetime) -> int:
        return 0 if keys.lost is not None else await step(now)

    return guarded


def adapters(platform: Platform, http: Http) -> list[Adapter]:
    """Return an adapter for each registered partner that has an API of its own."""
    board = Switchboard(platform.desk)
    return [
        Adapter(
            partner=card.urn,
            role=role,
            key=platform.identity.adapters[role],
            call=ApiCall(
                http=http, base=card.endpoints.api, headers=_credentials(platform.settings.partners.get(role))
            ),
            translate=TRANSLATIONS[role],
            mail=board,
            participants=platform.participants,
            clock=platform.clock,
            entropy=platform.entropy,
            origin=platform.desk.origin,
        )
        for card in platform.participants.cards()
        for role in card.roles
        if role in TRANSLATIONS and card.endpoints.api
    ]


class _Health:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def ready(self) -> Sequence[str]:
        """Return what is wrong, a code each."""
        troubles: Sequence[WisselError | None] = (self._platform.keys.lost, self._platform.audit.trouble)
        found = [error.code for error in troubles if error is not None]
        if not found and await self._platform.view.stalled(self._platform.clock.now()):
            found.append("log-behind")
        return found


class _Revocations:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def __call__(self) -> bytes:
        """Return the signed list of revoked keys."""
        platform = self._platform
        revoked = await platform.participants.revoked()
        body = revocations_body(platform.desk.origin, platform.clock.now(), revoked)
        return note(body, [platform.identity.log.sign(body)]).encode()


async def run_platform(settings: PlatformSettings) -> None:
    """Serve until the process is asked to end: the API and all background work in one process on SQLite."""
    if settings.clock and not settings.demo:
        raise SettingWrong("Setting clock: only a store made for a demo may have a clock of its own.", field="clock")
    await run_owner("platform", _as_owner(settings), partial(build_platform, settings))


async def build_platform(settings: PlatformSettings, mine: Owner) -> Parts:
    """Return the platform: its API and everything that it does by itself."""
    data = Path(settings.data)
    keystore = FileKeyStore(data / "keys", mine.entropy, demo=settings.demo, crash=mine.crash)
    mine.resources.callback(keystore.close)
    platform = await open_platform(settings, mine.database(data / "wissel.sqlite"), keystore, mine.clock, mine.log)
    await platform.view.look()
    board = Switchboard(platform.desk)
    api = build_api(
        base=settings.base or f"http://{settings.host}:{settings.port}",
        switch=board,
        files=board,
        directory=platform.participants,
        registry=CardWindow(platform.participants, platform.audit),
        audit=LogWindow(platform.audit),
        revocations=_Revocations(platform),
        health=_Health(platform),
        key=platform.identity.signer,
        clock=mine.clock,
        entropy=mine.entropy,
        log=mine.log,
        limits=DoorLimits(calls_per_second=settings.calls_per_second),
    )
    return Parts([App("platform", api, settings.port)], jobs(platform, mine.http))


def _as_owner(settings: PlatformSettings) -> OwnerSettings:
    return OwnerSettings(
        data=settings.data,
        platform=settings.base,
        cards="",
        log=settings.log,
        host=settings.host,
        port=settings.port,
        allow=settings.allow,
        clock=settings.clock if settings.demo else "",
        crash=settings.crash,
    )


def database_clock(clock: Clock) -> Callable[[], Awaitable[datetime]]:
    """Return the database's clock: on SQLite, and in a demo, the clock itself."""

    async def now() -> datetime:
        return clock.now()

    return now


def _witness_cards(participants: Participants) -> list[WitnessCard]:
    return [
        WitnessCard(card.urn, card.witness) for card in participants.cards() if card.witness and card.endpoints.witness
    ]


def _credentials(partner: Partner | None) -> dict[str, str]:
    if partner is None:
        return {}
    if partner.user:
        pair = base64.b64encode(f"{partner.user}:{partner.password}".encode()).decode()
        return {"authorization": f"Basic {pair}"}
    return {"x-api-key": partner.key}

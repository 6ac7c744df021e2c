"""Builds the public API: one application, one door."""

from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.http.door import Door, open_door
from wissel.infra.http.rate import Buckets
from wissel.infra.telemetry.log import Log
from wissel.messages.jose import SigningKey
from wissel.platform.api.access import GATE, Gate
from wissel.platform.api.cards import cards_router
from wissel.platform.api.document import document_router
from wissel.platform.api.files import files_router
from wissel.platform.api.ports import Directory, Files, Health, LogDoor, Registry, Revocations, Switch
from wissel.platform.api.published import log_router
from wissel.platform.api.routes import api_router
from wissel.platform.api.tokens import Tokens
from wissel.platform.api.words import VERSION, Limits


def build_api(
    *,
    base: str,
    switch: Switch,
    files: Files,
    directory: Directory,
    registry: Registry,
    audit: LogDoor,
    revocations: Revocations,
    health: Health,
    key: SigningKey,
    clock: Clock,
    entropy: Entropy,
    log: Log,
    limits: Limits | None = None,
) -> Door:
    """Return the platform's API as an ASGI application.

    `base` is its public address without a path; `key` signs access tokens and nothing else needs to know it.
    """
    limits = limits or Limits()
    tokens = Tokens(base=base, key=key, directory=directory, clock=clock, entropy=entropy, limits=limits)
    calls = Buckets(clock, per_second=limits.calls_per_second, burst=limits.calls_burst)
    token_calls = Buckets(clock, per_second=limits.token_calls_per_second, burst=limits.token_calls_burst)
    return open_door(
        [
            api_router(switch, tokens, token_calls, health),
            cards_router(registry),
            files_router(files),
            log_router(audit, revocations),
            document_router(base),
        ],
        clock=clock,
        entropy=entropy,
        log=log,
        version=VERSION,
        state={GATE: Gate(tokens, calls)},
        body_bytes_max=limits.body_bytes_max,
    )

"""Put a provider of vaults together. Everything is handed in; `assembly` chooses."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.core.moments import rfc3339
from wissel.infra.http.door import Door
from wissel.infra.http.proof import KeyOf
from wissel.infra.telemetry.log import Log
from wissel.learner.door import make_door
from wissel.learner.folders import FolderVaults
from wissel.learner.ports import Vaults
from wissel.learner.provider import Provider
from wissel.messages.jose import SigningKey
from wissel.messages.participant import Card, Endpoints, Key

UNUSED: Final = timedelta(days=90)

Step = Callable[[datetime], Awaitable[int]]


class Built(NamedTuple):
    """A provider: its application, the steps that a runner calls, and the doer behind both."""

    app: Door
    steps: tuple[Step, ...]
    provider: Provider


def build(
    *,
    vaults: Vaults,
    clock: Clock,
    entropy: Entropy,
    log: Log,
    key: SigningKey,
    platform_key: KeyOf,
    base: str,
    unused: timedelta = UNUSED,
) -> Built:
    """Return a provider. `base` is its public address; `platform_key` gives a platform's public JWK by `kid`.

    A vault to which nothing came within `unused` of its opening is closed.
    """
    provider = Provider(vaults, clock=clock, entropy=entropy, key=key, platform_key=platform_key, unused=unused)
    app = make_door(provider, clock=clock, entropy=entropy, log=log, base=base, platform_key=platform_key)
    return Built(app, (provider.step,), provider)


def vaults_in(learners: Path) -> Vaults:
    """Return the vaults in `learners`, a folder per learner."""
    return FolderVaults(learners)


def provider_card(*, urn: str, name: str, key: SigningKey, since: datetime, until: datetime, base: str = "") -> Card:
    """Return the card by which a provider makes itself known to the platform.

    With `base`, its public address, it says that it opens vaults for learners who have none.
    """
    sign = Key(kid=key.kid, use="sign", jwk=key.public_jwk, since=rfc3339(since), until=rfc3339(until))
    return Card(urn=urn, name=name, roles=("provider",), keys=(sign,), endpoints=Endpoints(api=base))

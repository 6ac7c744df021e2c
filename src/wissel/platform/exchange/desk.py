"""What every part of the exchange and the engine works with: the platform's own name, keys, clock and store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.sql.ports import Database
from wissel.infra.telemetry.log import Log as Journal
from wissel.messages.jose import SealingKey, SigningKey
from wissel.platform.exchange.ports import Log
from wissel.platform.exchange.running import Running
from wissel.platform.exchange.words import Limits
from wissel.platform.forgetting.actions.keys import Keys
from wissel.platform.participants.actions import Participants


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`urn` and `origin` name the platform and its log; `versions` gives the story version per kind of process.

    `secret` keys the hashes of ids and of vault hosts: 32 bytes of the key store.
    """

    database: Database
    clock: Clock
    entropy: Entropy
    participants: Participants
    keys: Keys
    log: Log
    signer: SigningKey
    sealer: SealingKey
    urn: str
    origin: str
    ruleset: str
    secret: bytes
    journal: Journal
    versions: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    running: Running = field(default_factory=Running)

"""The default provider of vaults, put together."""

from pathlib import Path

import msgspec

from wissel.assembly.owners import folder, owner, platform_keys, read_cards, work
from wissel.assembly.runner import Job
from wissel.assembly.settings import VaultsSettings
from wissel.core.entropy import Entropy
from wissel.infra.http.serve import Site, bind
from wissel.learner.build import build, vaults_in
from wissel.messages.jose import SigningKey


async def run_vaults(settings: VaultsSettings) -> None:
    """Serve vaults until the process is asked to end."""
    async with owner(settings) as mine:
        bound = bind(settings.port, host=settings.host)
        known = platform_keys(read_cards(settings.cards))
        built = build(
            vaults=vaults_in(Path(settings.learners)),
            clock=mine.clock,
            entropy=mine.entropy,
            log=mine.log,
            key=own_key(Path(settings.data), mine.entropy),
            platform_key=known.get,
            base=settings.base or bound.base,
        )
        jobs = [Job(f"vaults {number}", step, 1.0) for number, step in enumerate(built.steps)]
        await work("vaults", [Site("vaults", built.app, bound)], jobs, mine)


def own_key(data: Path, entropy: Entropy) -> SigningKey:
    """Return the provider's signing key, made and kept in `keys/sign.json` when it is not there."""
    keys = folder(data / "keys", data / "profile")
    known = keys.read("sign.json")
    if known is None:
        keys.add("sign.json", msgspec.json.encode(SigningKey.new(entropy).private_jwk))
        known = keys.read("sign.json") or b"{}"
    return SigningKey.from_jwk(msgspec.json.decode(known, type=dict[str, str]))

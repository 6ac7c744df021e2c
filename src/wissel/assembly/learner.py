"""The default provider of vaults, put together."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec

from wissel.assembly.following import followed_by, following
from wissel.assembly.owners import App, Owner, Parts, folder, run_owner
from wissel.assembly.runner import Job
from wissel.assembly.settings import VaultsSettings
from wissel.core.entropy import Entropy
from wissel.learner.build import build, vaults_in
from wissel.messages.jose import SigningKey


async def run_vaults(settings: VaultsSettings) -> None:
    """Serve vaults until the process is asked to end."""
    await run_owner("vaults", settings, partial(build_vaults, settings))


async def build_vaults(settings: VaultsSettings, mine: Owner) -> Parts:
    """Return the provider of the vaults in the settings' folder."""
    followed = followed_by(settings, "vaults")
    built = build(
        vaults=vaults_in(Path(settings.learners)),
        clock=mine.clock,
        entropy=mine.entropy,
        log=mine.log,
        key=own_key(Path(settings.data), mine.entropy),
        platform_key=followed.platform.get,
        base=settings.base or f"http://{settings.host}:{settings.port}",
        unused=timedelta(days=settings.unused_days),
    )
    jobs = [
        *(Job(f"vaults {number}", step, 1.0) for number, step in enumerate(built.steps)),
        *following(settings, mine, followed),
    ]
    return Parts([App("vaults", built.app, settings.port)], jobs)


def own_key(data: Path, entropy: Entropy) -> SigningKey:
    """Return the provider's signing key, made and kept in `keys/sign.json` when it is not there."""
    keys = folder(data / "keys", data / "profile")
    known = keys.read("sign.json")
    if known is None:
        keys.add("sign.json", msgspec.json.encode(SigningKey.new(entropy).private_jwk))
        known = keys.read("sign.json") or b"{}"
    return SigningKey.from_jwk(msgspec.json.decode(known, type=dict[str, str]))

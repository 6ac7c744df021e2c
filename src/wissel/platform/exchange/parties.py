"""Parties of a process: where a learner's copies go, and the capability by which an organisation reaches her later."""

from datetime import datetime

import msgspec

from wissel.core.entropy import Entropy
from wissel.core.moments import dutch_day
from wissel.messages.envelope import LEARNER, Addressee
from wissel.messages.jose import Sealer, SealingKey, SigningKey
from wissel.messages.verify import Refused, b64, canonical, open_jwe, unb64
from wissel.platform.exchange.errors import NotGranted
from wissel.platform.exchange.words import Capability, Party
from wissel.platform.store.words import ProcessRow


def from_addressee(addressee: Addressee, entropy: Entropy) -> Party:
    """Return the learner as a party, with a sealing key of her own for this process."""
    return Party(
        address=addressee.vault,
        token=addressee.token,
        key=addressee.key,
        sealer=b64(Sealer.new(addressee.key, entropy).dump()),
        provider=addressee.provider,
        pseudonym=addressee.pseudonym,
        capability=addressee.capability,
    )


def from_capability(capability: Capability, entropy: Entropy) -> Party:
    """Return the learner as a party of a message that comes after her process was forgotten."""
    return Party(
        address=capability.address,
        token=capability.token,
        key=capability.key,
        sealer=b64(Sealer.new(capability.key, entropy).dump()),
        provider=capability.provider,
    )


def sealer_of(party: Party) -> Sealer:
    """Return the sealer that was kept with a party."""
    return Sealer.load(unb64(party.sealer))


def receiver(recipient: str, process: ProcessRow, learner: Party | None) -> str:
    """Return which participant is handed a message: the learner's provider stands for her vault, or else her portal."""
    if not recipient.startswith(LEARNER):
        return recipient
    return learner.provider if learner is not None and learner.provider else process.portal


def open_capability(jwe: str, key: SealingKey, holder: str, now: datetime) -> Capability:
    """Open a delivery capability that this platform made for `holder`. Raises NotGranted."""
    try:
        capability = msgspec.json.decode(open_jwe(jwe, key.private_jwk), type=Capability)
    except (Refused, msgspec.MsgspecError):
        raise NotGranted("The delivery capability is not one of this platform.", field="/capability") from None
    if capability.holder != holder:
        raise NotGranted("The delivery capability was given to somebody else.", field="/capability")
    if dutch_day(now).isoformat() > capability.until:
        raise NotGranted("The delivery capability is past its end date.", field="/capability")
    return capability


def header(
    party: Party, holder: str, commitment: str, until: str, *, signer: SigningKey, platform: SealingKey,
    recipient: dict[str, str], entropy: Entropy,
) -> str:  # fmt: skip
    """Return the delivery header for `holder`: its pseudonym of the learner and its capability, signed and sealed.

    It stands outside the commitment and in nobody else's copy.
    """
    capability = Capability(
        holder=holder,
        purpose="to reach the learner about this enrolment",
        until=until,
        address=party.address,
        key=party.key,
        token=party.capability,
        provider=party.provider,
    )
    sealed = Sealer.new(platform.public_jwk, entropy).seal(msgspec.json.encode(capability), entropy)
    statement = {
        "commitment": commitment,
        "party": holder,
        "pseudonym": party.pseudonym,
        "capability": sealed if party.capability else "",
    }
    signed = signer.sign(canonical(statement), typ="wissel-header+jws")
    return Sealer.new(recipient, entropy).seal(signed.encode(), entropy)

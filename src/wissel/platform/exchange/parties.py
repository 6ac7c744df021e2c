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


def from_addressee(addressee: Addressee, recipient: str, entropy: Entropy) -> Party:
    """Return the learner as a party, with a sealing key of her own for this process.

    The portal may know her pseudonym in the books of who gets her first message.
    """
    return Party(
        address=addressee.vault,
        token=addressee.token,
        key=addressee.key,
        sealer=b64(Sealer.new(addressee.key, entropy).dump()),
        provider=addressee.provider,
        pseudonyms={recipient: addressee.pseudonym} if addressee.pseudonym else {},
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


def known_as(party: Party, holder: str, pseudonym: str) -> Party:
    """Return a learner of whom became known who she is in the books of `holder`."""
    return msgspec.structs.replace(party, pseudonyms={**party.pseudonyms, holder: pseudonym})


def capability_for(holder: str, party: Party, until: str, platform: SealingKey, entropy: Entropy) -> str:
    """Return the capability by which `holder` reaches the learner later: sealed to the platform, which keeps no list.

    Empty when she gave no token for it.
    """
    if not party.capability:
        return ""
    capability = Capability(
        holder=holder,
        purpose="to reach the learner about this enrolment",
        until=until,
        address=party.address,
        key=party.key,
        token=party.capability,
        provider=party.provider,
    )
    return Sealer.new(platform.public_jwk, entropy).seal(msgspec.json.encode(capability), entropy)


def header(commitment: str, party: str, pseudonym: str, capability: str, signer: SigningKey) -> str:
    """Return the platform's signed statement of who the learner of a message is in the books of `party`.

    It stands outside the commitment and in nobody else's copy (architecture section 4, Envelope).
    """
    statement = {"commitment": commitment, "party": party, "pseudonym": pseudonym, "capability": capability}
    return signer.sign(canonical(statement), typ="wissel-header+jws")

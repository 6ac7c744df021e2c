"""Is an offered card the one that was registered? Checked in the audit log, with the verifier's own code: pure."""

from typing import Final

import msgspec

from wissel.client.words import Evidence, ProvenCard
from wissel.messages.participant import Card, Key, hash_card
from wissel.messages.verify import Proofs, PublishedKey, Refused, Trust, parse_checkpoint, published_key

_MALFORMED: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError)


class Taken(msgspec.Struct, frozen=True):
    """A card that was checked: its hash as registered, since when, and the card with its keys' proven times."""

    hash: str
    since: str
    card: Card


def check_card(offered: ProvenCard, trust: Trust, held: Taken | None) -> Taken:
    """Return what is to be believed of an offered card. Raises Refused.

    Its hash must be that of a `card.registered` leaf, and each of its keys must have a `key.published` leaf of the
    same holder and use, in a log that `trust` names, under a checkpoint that the quorum of witnesses signed: so no
    key can be slipped in but by an entry that everybody sees. An older card than the one held is refused.
    """
    try:
        proofs = Proofs(trust, parse_checkpoint(offered.registered.proof.split("\n\n", 1)[1]).origin)
        leaf = proofs.entry(_plain(offered.registered))
        keys = {key.kid: key for key in (published_key(proofs.entry(_plain(each))) for each in offered.keys)}
        told = (leaf["event"], leaf["holder"], leaf["card"])
    except _MALFORMED:
        raise Refused("card", "What comes with a card is not the proof of its entries.") from None
    card = offered.card
    if told != ("card.registered", card.urn, hash_card(card)):
        raise Refused("card", "The log registered another card.")
    if proofs.witnesses < trust.quorum:
        raise Refused("card-not-witnessed", "Too few witnesses signed the checkpoint of a card. Try again later.")
    if held is not None and leaf["time"] < held.since:
        raise Refused("card-old", "This card is older than the one that we have.")
    narrowed = tuple(_as_published(key, keys.get(key.kid), card.urn) for key in card.keys)
    return Taken(hash_card(card), leaf["time"], msgspec.structs.replace(card, keys=narrowed))


def _as_published(key: Key, leaf: PublishedKey | None, holder: str) -> Key:
    """Return the key with the narrower of the times on the card and in its leaf. Raises Refused."""
    if leaf is None or (leaf.holder, leaf.use, dict(leaf.jwk)) != (holder, key.use, key.jwk):
        raise Refused("card-key", "The log did not publish a key of this card as this participant's, for this use.")
    return msgspec.structs.replace(key, since=max(key.since, leaf.since), until=min(key.until, leaf.until))


def _plain(evidence: Evidence) -> dict[str, str]:
    return {"entry": evidence.entry, "proof": evidence.proof}

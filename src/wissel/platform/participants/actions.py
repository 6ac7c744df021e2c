"""Register, revoke and look up. Look-ups are answered from memory; `load` reads what was committed."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from wissel.core.entropy import Entropy
from wissel.core.moments import dutch_day, parse_rfc3339, rfc3339, to_ms
from wissel.infra.sql.ports import Database, Statement
from wissel.messages.leaves import entry
from wissel.messages.participant import CARD_BYTES_MAX, Card, Key, StandingGrant, canonical_card, hash_card
from wissel.messages.verify import Refused, b64, canonical, check_jws, sha256, thumbprint
from wissel.platform.participants import store
from wissel.platform.participants.errors import CardInvalid, ParticipantUnknown
from wissel.platform.participants.rules import check_shape, covers
from wissel.platform.store import messages
from wissel.platform.store.leaves import pending


class KnownKey(NamedTuple):
    """A published key: whose it is, and the leaf that proves it."""

    card: Card
    key: Key
    leaf: bytes
    revoked: bool


class Registered(NamedTuple):
    """A card as it is registered: the leaf that proves it, and the leaf of each of its keys, by kid."""

    card: Card
    leaf: bytes
    keys: Mapping[str, bytes]


class Participants:
    """All who may speak. One instance per platform process; others see a change after their next `load`."""

    def __init__(self, database: Database, entropy: Entropy) -> None:
        self._database = database
        self._entropy = entropy
        self._cards: dict[str, Card] = {}
        self._leaves: dict[str, bytes] = {}
        self._keys: dict[str, KnownKey] = {}
        self._grants: dict[str, StandingGrant] = {}
        self._given: dict[tuple[str, str], list[tuple[str, StandingGrant]]] = {}

    async def load(self) -> None:
        """Read cards, keys and grants from the store."""
        rows = await store.read_cards(self._database)
        cards = {card.urn: card for card, _ in rows}
        keys = {}
        for row in await store.read_keys(self._database):
            card = cards[row.urn]
            for key in card.keys:
                if key.kid == row.kid:
                    keys[row.kid] = KnownKey(card, key, row.leaf, row.revoked_leaf is not None)
        grants = {}
        for card in cards.values():
            grants.update(read_grants(card))
        given: dict[tuple[str, str], list[tuple[str, StandingGrant]]] = {}
        for digest, grant in grants.items():
            given.setdefault((grant.grantor, grant.type), []).append((digest, grant))
        self._cards, self._keys, self._grants, self._given = cards, keys, grants, given
        self._leaves = {card.urn: leaf for card, leaf in rows}

    async def register(self, card: Card, now: datetime) -> int:
        """Register or renew a card; return how many keys were new. Raises CardInvalid.

        A key that a renewed card leaves out is kept and ends now: what it signed stays evidence. What waits for it is
        offered again at once: it may have waited for a grant, or for an address. The whole card is a leaf by
        its hash, so that who reads it can tell whether it is the one that was registered.
        """
        check_card(card)
        self._check_owners(card)
        card = self._with_ended(card, now)
        unit: list[Statement] = [messages.wake_lanes(card.urn, to_ms(now))]
        if card != self._cards.get(card.urn):
            leaf = self._entropy.draw(16)
            registered = entry("card.registered", now, self._entropy, holder=card.urn, card=hash_card(card))
            unit += [store.keep_card(card, leaf), pending(registered, leaf, to_ms(now))]
        fresh = [key for key in card.keys if key.kid not in self._keys]
        for key in fresh:
            unit += self._publish(card, key, now)
        await self._database.commit(unit)
        await self.load()
        return len(fresh)

    def _publish(self, card: Card, key: Key, now: datetime) -> list[Statement]:
        leaf = self._entropy.draw(16)
        published = entry(
            "key.published",
            now,
            self._entropy,
            holder=card.urn,
            organisation=card.name,
            use=key.use,
            kid=key.kid,
            jwk=canonical(key.jwk).decode(),
            since=key.since,
            until=key.until,
            note=key.note,
        )
        return [store.publish_key(key.kid, card.urn, leaf), pending(published, leaf, to_ms(now))]

    def _check_owners(self, card: Card) -> None:
        for number, key in enumerate(card.keys):
            known = self._keys.get(key.kid)
            if known is not None and known.card.urn != card.urn:
                raise CardInvalid("This key belongs to another participant.", field=f"/keys/{number}/kid")
        others = [other for other in self._cards.values() if other.urn != card.urn]
        taken = {client for other in others for client in clients_of(other)}
        if taken.intersection(clients_of(card)):
            raise CardInvalid("A client of this card is another portal's.", field="/settings")

    def _with_ended(self, card: Card, now: datetime) -> Card:
        before = self._cards.get(card.urn)
        kept = {key.kid for key in card.keys}
        left_out = [key for key in before.keys if key.kid not in kept] if before is not None else []
        ended = [msgspec.structs.replace(key, until=min(key.until, rfc3339(now))) for key in left_out]
        return msgspec.structs.replace(card, keys=(*card.keys, *ended))

    async def revoke(self, kid: str, now: datetime) -> None:
        """Revoke a key from now on, once. What it signed before stays valid evidence. Raises ParticipantUnknown."""
        known = self.key(kid)
        if known.revoked:
            return
        leaf = self._entropy.draw(16)
        revoked = entry("key.revoked", now, self._entropy, holder=known.card.urn, use=known.key.use, kid=kid)
        await self._database.commit([store.revoke_key(kid, leaf, to_ms(now)), pending(revoked, leaf, to_ms(now))])
        await self.load()

    async def revoked(self) -> dict[str, datetime]:
        """Return the revoked keys and since when, as their leaves say."""
        return await store.read_revoked(self._database)

    def card(self, urn: str) -> Card:
        """Return the card of a participant. Raises ParticipantUnknown."""
        try:
            return self._cards[urn]
        except KeyError:
            raise ParticipantUnknown(f"No participant {urn} is registered here.") from None

    def cards(self) -> tuple[Card, ...]:
        """Return all cards."""
        return tuple(self._cards.values())

    def registered(self, urn: str) -> Registered:
        """Return a participant's card with its leaves. Raises ParticipantUnknown."""
        card = self.card(urn)
        return Registered(card, self._leaves[urn], {key.kid: self._keys[key.kid].leaf for key in card.keys})

    async def leaves(self) -> list[bytes]:
        """Return every leaf that says what the participants' keys and cards are, or that a key was revoked."""
        keys = await store.read_keys(self._database)
        found = [leaf for row in keys for leaf in (row.leaf, row.revoked_leaf) if leaf is not None]
        return [*self._leaves.values(), *found]

    def has_role(self, role: str) -> bool:
        """Tell whether anybody is registered in `role`."""
        return any(role in card.roles for card in self._cards.values())

    def by_role(self, role: str) -> Card:
        """Return the one participant in `role`. Raises ParticipantUnknown when there is none."""
        for card in self._cards.values():
            if role in card.roles:
                return card
        raise ParticipantUnknown(f"No participant in the role {role} is registered here.")

    def key(self, kid: str) -> KnownKey:
        """Return a key that was ever published. Raises ParticipantUnknown."""
        try:
            return self._keys[kid]
        except KeyError:
            raise ParticipantUnknown(f"The key {kid} is not registered here. Register it with your card.") from None

    def live_key(self, kid: str, use: str, now: datetime) -> KnownKey:
        """Return a key that may be used for `use` now. Raises ParticipantUnknown."""
        known = self.key(kid)
        live = parse_rfc3339(known.key.since) <= now < parse_rfc3339(known.key.until)
        if known.revoked or known.key.use != use or not live:
            raise ParticipantUnknown(f"The key {kid} is revoked, out of date or not for this use ({use}).")
        return known

    def seal_key(self, urn: str, now: datetime) -> Key:
        """Return the public key to seal to for a participant. Raises ParticipantUnknown."""
        for key in self.card(urn).keys:
            if key.use == "seal" and parse_rfc3339(key.since) <= now < parse_rfc3339(key.until):
                return key
        raise ParticipantUnknown(f"{urn} has no live key to seal to.")

    def grant(self, digest: str) -> StandingGrant | None:
        """Return the standing grant whose signed form has this hash, or None."""
        return self._grants.get(digest)

    def grant_for(self, grantor: str, role: str, kind: str, now: datetime) -> str:
        """Return the hash of a live grant by which `role` may send `kind` to `grantor`, or an empty text."""
        day = dutch_day(now)
        given = self._given.get((grantor, kind), ())
        return next((digest for digest, grant in given if covers(grant, grantor, (role,), kind, day)), "")


def check_card(card: Card) -> None:
    """Raise CardInvalid for a key that is not what its id says, or a grant that the card's own key did not sign.

    Addresses and an institution's settings are looked at here too, not when a learner's request needs them.
    """
    check_shape(card)
    for number, key in enumerate(card.keys):
        if thumbprint(key.jwk) != key.kid:
            raise CardInvalid("A kid must be the RFC 7638 thumbprint of its key.", field=f"/keys/{number}/kid")
        if "d" in key.jwk:
            raise CardInvalid(
                "A card holds public keys only. Make a new key: this one is known now.",
                field=f"/keys/{number}/jwk",
            )
    check_clients(card)
    if len(_canonical(card)) > CARD_BYTES_MAX:
        raise CardInvalid(f"A card has at most {CARD_BYTES_MAX} bytes.", field="")
    read_grants(card)


def clients_of(card: Card) -> list[str]:
    """Return a portal's clients at the identity provider: `clients` sign, `logins` log in; nobody else has any."""
    if "portal" not in card.roles:
        return []
    return [client for name in ("clients", "logins") for client in card.settings.get(name, [])]


def check_clients(card: Card) -> None:
    """Raise CardInvalid unless a portal's clients are names, each for one use.

    What signs a message travels in copies to all parties: a client that also logs in would let them be the learner.
    """
    for name in ("clients", "logins"):
        given = card.settings.get(name, [])
        if not isinstance(given, list | tuple) or not all(isinstance(client, str) and client for client in given):
            raise CardInvalid("A portal's clients are a list of names.", field=f"/settings/{name}")
    clients = clients_of(card)
    if len(clients) != len(set(clients)):
        raise CardInvalid("A client signs or logs in, never both.", field="/settings/logins")


def _canonical(card: Card) -> bytes:
    try:
        return canonical_card(card)
    except Refused as error:
        raise CardInvalid(f"The card is not what can be hashed: {error.sentence}", field="/settings") from None


def read_grants(card: Card) -> dict[str, StandingGrant]:
    """Return the standing grants of a card by the hash of their signed form. Raises CardInvalid."""
    keys = {key.kid: key.jwk for key in card.keys if key.use == "sign"}
    grants = {}
    for number, compact in enumerate(card.grants):
        field = f"/grants/{number}"
        try:
            grant = _read_grant(compact, keys)
        except (Refused, KeyError, msgspec.MsgspecError, ValueError) as error:
            raise CardInvalid(f"A standing grant is not signed by this participant: {error}", field=field) from error
        if grant.grantor != card.urn:
            raise CardInvalid("A participant can only grant access to itself.", field=field)
        grants[b64(sha256(compact.encode()))] = grant
    return grants


def _read_grant(compact: str, keys: dict[str, dict[str, str]]) -> StandingGrant:
    for jwk in keys.values():
        try:
            _, payload = check_jws(compact, jwk)
        except Refused:
            continue
        return msgspec.json.decode(payload, type=StandingGrant)
    raise ValueError("no key of the card fits")

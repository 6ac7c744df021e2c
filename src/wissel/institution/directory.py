"""Who may speak, as an institution knows it: the public cards of participants, and the grants that they signed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from wissel.core.moments import parse_rfc3339
from wissel.messages.jose import hash64
from wissel.messages.participant import Card, Key, StandingGrant
from wissel.messages.verify import Refused, check_jws, thumbprint


class Published(NamedTuple):
    """A published key and whose it is."""

    holder: Card
    key: Key
    revoked: datetime | None = None

    def live(self, use: str, at: datetime) -> bool:
        """Say whether the key was for `use` at that moment."""
        within = parse_rfc3339(self.key.since) <= at < parse_rfc3339(self.key.until)
        return self.key.use == use and within and (self.revoked is None or at < self.revoked)


class Directory(Protocol):
    """Where an institution looks up the others."""

    def key(self, kid: str) -> Published | None:
        """Return a published key, or None when nobody published it."""
        ...

    def role(self, role: str) -> str:
        """Return the URN of the one participant in a role, or an empty text."""
        ...

    def signers(self, role: str) -> Mapping[str, Mapping[str, str]]:
        """Return the public signing keys of who is in a role: kid -> JWK."""
        ...

    def grant(self, grantor: str, role: str, kind: str) -> str:
        """Return the hash of the grant by which `role` may send `kind` to `grantor`, or an empty text."""
        ...


class CardDirectory:
    """A `Directory` over cards that were handed in. A key whose id is not its thumbprint is left out."""

    def __init__(self, cards: Iterable[Card]) -> None:
        self._keys: dict[str, Published] = {}
        self._roles: dict[str, str] = {}
        self._grants: dict[tuple[str, str, str], str] = {}
        self.learn(cards, {})

    def learn(self, cards: Iterable[Card], revoked: Mapping[str, datetime]) -> None:
        """Take in all cards as they are now, and which keys were revoked. Keys that were published stay known."""
        self._roles, self._grants = {}, {}
        for card in cards:
            for key in card.keys:
                if thumbprint(key.jwk) == key.kid:
                    self._keys[key.kid] = Published(card, key)
            for role in card.roles:
                self._roles.setdefault(role, card.urn)
            for compact in card.grants:
                grant = _read_grant(compact, card)
                if grant is not None:
                    self._grants[grant.grantor, grant.role, grant.type] = hash64(compact)
        self._keys = {kid: known._replace(revoked=revoked.get(kid)) for kid, known in self._keys.items()}

    def key(self, kid: str) -> Published | None:
        """Return a published key; see `Directory`."""
        return self._keys.get(kid)

    def role(self, role: str) -> str:
        """Return who is in a role; see `Directory`."""
        return self._roles.get(role, "")

    def signers(self, role: str) -> Mapping[str, Mapping[str, str]]:
        """Return signing keys by role; see `Directory`."""
        found = self._keys.items()
        return {kid: each.key.jwk for kid, each in found if role in each.holder.roles and each.key.use == "sign"}

    def grant(self, grantor: str, role: str, kind: str) -> str:
        """Return a grant's hash; see `Directory`."""
        return self._grants.get((grantor, role, kind), "")


def _read_grant(compact: str, card: Card) -> StandingGrant | None:
    """Return a grant that this participant signed over access to itself, or None."""
    for key in card.keys:
        if key.use != "sign":
            continue
        try:
            _, payload = check_jws(compact, key.jwk)
            grant = msgspec.json.decode(payload, type=StandingGrant)
        except (Refused, msgspec.MsgspecError):
            continue
        return grant if grant.grantor == card.urn else None
    return None

"""The played participants: their keys, their secrets and their cards, made once and read afterwards.

Each has a folder of its own, `<name>/keys`: `sign.json`, `seal.json` (private JWKs) and, where it has one,
`idtoken.json` and `secrets.json`. OINs are fictitious. A partner that only has an API signs nothing itself; the
platform's adapter speaks for it with a key of its own, which stands on the partner's card as "adapter for ...".
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, Final, Literal, NamedTuple

import msgspec

from wissel.chain.oidc.keys import RsaKey
from wissel.core.entropy import Entropy
from wissel.core.moments import dutch_day, rfc3339
from wissel.infra.files.ports import Folder
from wissel.messages.catalogue import CATALOGUE
from wissel.messages.jose import SealingKey, SigningKey
from wissel.messages.participant import Card, Endpoints, Jwk, Key, Role, StandingGrant
from wissel.messages.verify import b64, canonical, thumbprint

Name = Literal["portal", "eduid", "digid", "duo", "ind", "nuffic", "psp"]
Folders = Callable[[str], Folder]  # a path below data/chain, say "duo/keys" -> that folder

LOGIN_CLIENT: Final = "portal-login"
SIGN_CLIENT: Final = "portal-sign"
REMOTE_USER: Final = "studielink"  # the API user of eduID's remote-creation calls
YEARS: Final = 5


class _Row(NamedTuple):
    number: int
    name: str
    role: Role


_ROWS: Final[Mapping[Name, _Row]] = {
    "portal": _Row(1001, "Portal (played)", "portal"),
    "eduid": _Row(1002, "eduID (played)", "eduid"),
    "duo": _Row(1003, "DUO (played)", "duo"),
    "ind": _Row(1004, "IND (played)", "ind"),
    "nuffic": _Row(1005, "Nuffic (played)", "nuffic"),
    "psp": _Row(1006, "PSP (played)", "psp"),
}


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What two applications share. `api`: the key or password that the platform shows; the others are the portal's."""

    api: str
    login: str = ""
    sign: str = ""
    digid: str = ""


class Participant(NamedTuple):
    """One played participant. `id_token` is eduID's alone."""

    name: Name
    urn: str
    card: Card
    sign: SigningKey
    seal: SealingKey
    secrets: Secrets
    id_token: RsaKey | None = None


def urn_of(name: Name) -> str:
    """Return the URN of a played participant: a fictitious OIN under the prefix that Logius keeps for tests' sake."""
    return f"urn:nld:oin:{_oin(_ROWS[name].number)}:systeem:{name}"


def make_participants(
    folders: Folders,
    entropy: Entropy,
    now: datetime,
    *,
    addresses: Mapping[str, str],
    adapters: Mapping[str, Jwk] | None = None,
) -> dict[Name, Participant]:
    """Return all participants; keys and secrets are made on the first call and read on the next.

    `addresses` are base URLs by name; `adapters` the public keys with which the platform's adapters speak for
    partners, by name. Cards are made anew each time, so a changed address shows.
    """
    known = {}
    for name, row in _ROWS.items():
        folder = folders(f"{name}/keys")
        keys = _keys(folder, row.role, entropy)
        secrets = msgspec.convert(_kept(folder, "secrets.json", partial(_secrets, row.role, entropy)), Secrets)
        published = _publish(keys, (adapters or {}).get(name), row.name, now)
        card = Card(
            urn=urn_of(name),
            name=row.name,
            roles=(row.role,),
            keys=published,
            endpoints=_endpoints(row.role, addresses[name]),
            grants=_grants(urn_of(name), row.role, keys.sign, dutch_day(now)),
            issuer=addresses[name] if row.role == "eduid" else "",
            settings={"clients": [SIGN_CLIENT], "logins": [LOGIN_CLIENT]} if row.role == "portal" else {},
        )
        known[name] = Participant(name, card.urn, card, keys.sign, keys.seal, secrets, keys.id_token)
    return known


class _Keys(NamedTuple):
    sign: SigningKey
    seal: SealingKey
    id_token: RsaKey | None


def _keys(folder: Folder, role: Role, entropy: Entropy) -> _Keys:
    sign = SigningKey.from_jwk(_kept(folder, "sign.json", lambda: SigningKey.new(entropy).private_jwk))
    seal = SealingKey.from_jwk(_kept(folder, "seal.json", lambda: SealingKey.new(entropy).private_jwk))
    if role != "eduid":
        return _Keys(sign, seal, None)
    id_token = RsaKey.from_jwk(_kept(folder, "idtoken.json", lambda: RsaKey.new(entropy).private_jwk))
    return _Keys(sign, seal, id_token)


def _endpoints(role: Role, address: str) -> Endpoints:
    """Return a partner's API and drawer. A portal has neither: it is sender in the learner's name, never a party."""
    return Endpoints() if role == "portal" else Endpoints(copies=address, api=address)


def _grants(urn: str, role: Role, sign: SigningKey, today: date) -> tuple[str, ...]:
    """Sign a standing grant for every message type that this role receives, by who may send it."""
    until = date(today.year + YEARS, 12, 31).isoformat()
    found = []
    for row in CATALOGUE.values():
        if row.recipient != role:
            continue
        for sender in row.senders:
            grant = StandingGrant(
                grantor=urn,
                role=sender,
                type=row.type,
                purpose=row.purpose,
                ground=row.ground,
                since=date(today.year, 1, 1).isoformat(),
                until=until,
            )
            found.append(sign.sign(canonical(msgspec.to_builtins(grant))))
    return tuple(found)


def _publish(keys: _Keys, adapter: Jwk | None, name: str, now: datetime) -> tuple[Key, ...]:
    """Return the public keys as a card holds them, from the beginning of this year."""
    since = rfc3339(now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0))
    until = rfc3339(now.replace(year=now.year + YEARS, month=12, day=31))
    found = [
        Key(kid=keys.sign.kid, use="sign", jwk=keys.sign.public_jwk, since=since, until=until),
        Key(kid=keys.seal.kid, use="seal", jwk=keys.seal.public_jwk, since=since, until=until),
    ]
    if keys.id_token:
        jwk = keys.id_token.public_jwk
        found.append(Key(kid=keys.id_token.kid, use="id_token", jwk=jwk, since=since, until=until))
    if adapter:
        note = f"adapter for {name}"
        found.append(Key(kid=thumbprint(adapter), use="sign", jwk=adapter, since=since, until=until, note=note))
    return tuple(found)


def _secrets(role: Role, entropy: Entropy) -> dict[str, str]:
    names = ("api", "login", "sign", "digid") if role == "portal" else ("api",)
    return {name: b64(entropy.draw(24)) for name in names}


def _kept(folder: Folder, name: str, make: Callable[[], Mapping[str, str]]) -> dict[str, Any]:
    """Return what a file holds; make it when it is not there."""
    data = folder.read(name)
    if data is None:
        folder.add(name, msgspec.json.encode(make()))
        data = folder.read(name) or b"{}"
    return msgspec.json.decode(data, type=dict[str, Any])


def _oin(number: int) -> str:
    """Return a fictitious OIN: 20 digits with the prefix 00000099."""
    return f"00000099{number:09}000"

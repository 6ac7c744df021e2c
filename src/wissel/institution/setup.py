"""Set an institution up: its keys, its card with standing grants and settings, and what its connector reads at start.

`keys/` gets sign.json, seal.json, witness.txt, desk.txt (the token of its people) and, when the platform is known,
trust.json; `profile/` gets house.json. What is there already is read, never made anew.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, TypeVar

import msgspec

from wissel.core.entropy import Entropy
from wissel.core.moments import dutch_day, rfc3339
from wissel.infra.files.ports import Folder
from wissel.institution.errors import SettingsWrong
from wissel.institution.words import House
from wissel.messages.catalogue import CATALOGUE
from wissel.messages.jose import SealingKey, SigningKey
from wissel.messages.notes import WitnessKey
from wissel.messages.participant import MANDATE, Card, Endpoints, Key, StandingGrant
from wissel.messages.verify import Trust, b64, canonical, read_trust

SIGN: Final = "sign.json"
SEAL: Final = "seal.json"
WITNESS: Final = "witness.txt"
DESK: Final = "desk.txt"
TRUST: Final = "trust.json"
HOUSE: Final = "house.json"

T = TypeVar("T", SigningKey, SealingKey)


class HouseKeys(NamedTuple):
    """The private keys of an institution. `desk` is the token of its people."""

    sign: SigningKey
    seal: SealingKey
    witness: WitnessKey
    desk: str


def make_keys(folder: Folder, house: House, entropy: Entropy) -> HouseKeys:
    """Make an institution's keys in `keys/`, or read those that are there."""
    witness = _kept(folder, WITNESS, lambda: WitnessKey.new(f"{house.short}.witness", entropy).dump())
    return HouseKeys(
        sign=_pair(folder, SIGN, SigningKey, entropy),
        seal=_pair(folder, SEAL, SealingKey, entropy),
        witness=WitnessKey.load(witness),
        desk=_kept(folder, DESK, lambda: b64(entropy.draw(32)).encode()).decode(),
    )


def keep_house(profile: Folder, house: House) -> None:
    """Write what the institution laid down about itself to `profile/house.json`."""
    profile.replace(HOUSE, msgspec.json.format(msgspec.json.encode(house)))


def read_house(profile: Folder) -> House:
    """Read `profile/house.json`. Raises SettingsWrong that names the setting."""
    data = profile.read(HOUSE)
    if data is None:
        raise SettingsWrong(f"There is no {HOUSE} in the institution's profile folder. Set the institution up first.")
    try:
        return msgspec.json.decode(data, type=House)
    except msgspec.DecodeError as error:
        sentence, _, path = str(error).partition(" - at `$.")
        raise SettingsWrong(f"{HOUSE}: {sentence}.", field=path.rstrip("`")) from None


def keep_trust(keys: Folder, trust: bytes) -> None:
    """Write `keys/trust.json`: what copies are verified against, and which logs the witness cosigns."""
    keys.replace(TRUST, trust)


def read_trust_file(keys: Folder) -> Trust | None:
    """Read `keys/trust.json`, or return None when the platform is not known yet."""
    data = keys.read(TRUST)
    return None if data is None else read_trust(data)


def make_card(
    house: House, keys: HouseKeys, *, base: str, since: datetime, until: datetime, pushed: bool = False
) -> Card:
    """Return the card by which an institution makes itself known. `base` is its connector's public address.

    With `pushed` the platform pushes to it; else the connector pulls.
    """
    place = f"{base}/{house.short}"
    return Card(
        urn=house.urn,
        name=house.name,
        roles=("institution",),
        keys=(
            _published(keys.sign, "sign", since, until, house.mandate),
            _published(keys.seal, "seal", since, until, house.mandate),
        ),
        endpoints=Endpoints(push=place if pushed else "", copies=place, witness=place),
        grants=standing_grants(house, keys.sign, dutch_day(since), dutch_day(until)),
        witness=keys.witness.vkey,
        settings=msgspec.to_builtins(house.settings),
    )


def standing_grants(house: House, key: SigningKey, since: date, until: date) -> tuple[str, ...]:
    """Sign that whoever the message-type table names may send this institution what it names, until then."""
    rows = [row for row in CATALOGUE.values() if row.recipient == "institution"]
    grants = [
        StandingGrant(
            grantor=house.urn,
            role=role,
            type=row.type,
            purpose=row.purpose,
            ground=row.ground,
            since=since.isoformat(),
            until=until.isoformat(),
        )
        for row in rows
        for role in row.senders
    ]
    return tuple(key.sign(canonical(msgspec.to_builtins(grant))) for grant in grants)


def witness_keys(houses: Sequence[HouseKeys]) -> tuple[str, ...]:
    """Return the verifier keys of institutions' witnesses, for a trust file."""
    return tuple(keys.witness.vkey for keys in houses)


def _published(key: SigningKey | SealingKey, use: str, since: datetime, until: datetime, note: str) -> Key:
    fields = {"kid": key.kid, "use": use, "jwk": key.public_jwk, "since": rfc3339(since), "until": rfc3339(until)}
    return msgspec.convert({**fields, "note": f"{MANDATE}{note}" if note else ""}, Key)


def _pair(folder: Folder, name: str, kind: type[T], entropy: Entropy) -> T:
    data = _kept(folder, name, lambda: msgspec.json.encode(kind.new(entropy).private_jwk))
    return kind.from_jwk(msgspec.json.decode(data, type=dict[str, str]))


def _kept(folder: Folder, name: str, make: Callable[[], bytes]) -> bytes:
    known = folder.read(name)
    if known is None:
        known = make()
        folder.add(name, known)
    return known

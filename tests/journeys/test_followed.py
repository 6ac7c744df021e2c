"""Everybody follows who may speak: keys are rotated and revoked at the platform while the nation runs."""

from pathlib import Path

import msgspec
from tests.journeys.nation import Nation, nation

from wissel.assembly.clocks import SystemEntropy
from wissel.assembly.demo.setup import KEYS_UNTIL
from wissel.core.moments import dutch_day, rfc3339
from wissel.infra.http.ports import Request
from wissel.institution.samples import sample_houses
from wissel.institution.setup import standing_grants
from wissel.messages.jose import SigningKey
from wissel.messages.participant import Card, Key
from wissel.messages.verify import Verdict, jws_header, open_copy, parse_json, read_revocations, read_trust, verify

FOLLOWERS = ("connector/noord", "connector/zee", "connector/land", "vaults", "chain", "portal")


async def register(here: Nation, card: Card) -> None:
    """Hand a card to the operator, who adds it."""
    file = here.scene.data / "card.json"
    file.write_bytes(msgspec.json.encode(card))
    await here.operate("participants", "add", str(file))


def followed(here: Nation) -> list[dict[str, Card]]:
    """Return the cards that each follower has kept, by URN."""
    files = sorted(here.scene.data.rglob("followed/*/cards.json"))
    kept = [msgspec.json.decode(file.read_bytes()) for file in files]
    return [{urn: msgspec.convert(taken["card"], Card) for urn, taken in each["cards"].items()} for each in kept]


def verdicts(here: Nation, revocations: bytes) -> list[Verdict]:
    """Verify every copy in every vault against the newest list of revoked keys."""
    trust = read_trust((here.scene.data / "trust.json").read_bytes())
    revoked = read_revocations(revocations.decode(), trust)
    found = []
    for vault in (*here.scene.data.glob("learners/*/vault"), *here.scene.data.glob("institutions/*/vault")):
        jwk = parse_json((vault.parent / "keys" / "seal.json").read_bytes())
        found += [verify(open_copy(file.read_bytes(), jwk), trust, revoked) for file in vault.iterdir()]
    return found


def signers(here: Nation, owner: str, source: str) -> set[str]:
    """Return the keys with which `source` signed what lies in a vault."""
    copies = [copy for copy in here.copies(owner) if copy["envelope"]["source"] == source]
    return {str(jws_header(copy["sender"]["jws"])["kid"]) for copy in copies}


def published(key: SigningKey, since: str) -> Key:
    return Key(kid=key.kid, use="sign", jwk=key.public_jwk, since=since, until=rfc3339(KEYS_UNTIL))


async def test_a_rotated_key_is_followed_by_everybody_and_old_copies_stay_valid(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        house = next(each for each in sample_houses() if each.short == "noord")
        card = next(card for card in here.scene.cards if card.urn == house.urn)
        old = next(key for key in card.keys if key.use == "sign")
        first = await here.enrol(await here.learner("everything-fine"))
        await here.until("process.forgotten", first)
        under_way = await here.enrol(await here.learner("without-diploma"))
        await here.settle(5)

        new = SigningKey.new(SystemEntropy())
        both = msgspec.structs.replace(card, keys=(*card.keys, published(new, rfc3339(here.clock.now()))))
        await register(here, both)
        await here.settle(15)
        kept = followed(here)
        assert len(kept) == len(FOLLOWERS)
        assert all(new.kid in {key.kid for key in cards[house.urn].keys} for cards in kept)

        keys = here.scene.data / "institutions" / "noord" / "keys" / "sign.json"
        keys.write_bytes(msgspec.json.encode(new.private_jwk))
        here.stop("noord")  # the one process that must read a private key anew
        await here.start("noord")
        ended = tuple(
            msgspec.structs.replace(key, until=rfc3339(here.clock.now())) if key.kid == old.kid else key
            for key in both.keys
        )
        fresh = standing_grants(house, new, dutch_day(here.clock.now()), dutch_day(KEYS_UNTIL))
        await register(here, msgspec.structs.replace(both, keys=ended, grants=(*card.grants, *fresh)))
        await here.operate("participants", "revoke", old.kid)

        body = {"process": under_way, "decision": "refused", "role": "board", "ground": "education", "text": "None."}
        await here.settle(60)
        await here.desk("noord", "/admissions", body)
        await here.until("process.forgotten", under_way, rounds=800)
        later = await here.enrol(await here.learner("everything-fine-2"))
        await here.until("process.forgotten", later)

        assert signers(here, "learners/everything-fine", house.urn) == {old.kid}
        assert new.kid in signers(here, "learners/without-diploma", house.urn)
        assert signers(here, "learners/everything-fine-2", house.urn) == {new.kid}
        answer = await here.network.send(Request("GET", f"{here.scene.address('platform')}/log/revocations"))
        assert old.kid in answer.body.decode()
        assert [verdict for verdict in verdicts(here, answer.body) if not verdict.ok] == []

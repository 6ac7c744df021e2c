"""What a follower takes: cards that the log proves, and nothing from a platform that lies, is away or is old."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.journeys.nation import Nation, nation

from wissel.assembly.clocks import SystemEntropy
from wissel.assembly.demo.setup import KEYS_UNTIL, PLATFORM_URN
from wissel.client.cards import Taken, check_card
from wissel.client.follow import Followed, Follower
from wissel.client.words import Participants, ProvenCard
from wissel.core.moments import rfc3339
from wissel.infra.files.memory import MemoryFolder
from wissel.infra.http.ports import Request, Response, Unreachable
from wissel.institution.directory import CardDirectory
from wissel.messages.jose import SigningKey
from wissel.messages.participant import Card, Key
from wissel.messages.verify import Refused, Trust, b64, read_trust

STRANGER = SigningKey.new(SystemEntropy())
Lie = Callable[[Response], Response]


def trust_of(here: Nation) -> Trust:
    return read_trust((here.scene.data / "trust.json").read_bytes())


async def get(here: Nation, path: str, **headers: str) -> Response:
    return await here.network.send(Request("GET", here.scene.address("platform") + path, headers))


async def proven(here: Nation, urn: str) -> ProvenCard:
    return msgspec.json.decode((await get(here, f"/v1/participants/{urn}")).body, type=ProvenCard)


def with_key(card: Card, key: SigningKey) -> Card:
    """Return the card with the signing key of somebody else in the place of its own."""
    slipped = Key(kid=key.kid, use="sign", jwk=key.public_jwk, since=card.keys[0].since, until=rfc3339(KEYS_UNTIL))
    return msgspec.structs.replace(card, keys=(slipped, *card.keys[1:]))


class Between:
    """A network in which somebody changes answers, or lets none through."""

    def __init__(self, here: Nation) -> None:
        self.here = here
        self.lies: dict[str, Lie] = {}
        self.asked: list[str] = []
        self.away = False

    async def send(self, request: Request) -> Response:
        path = request.url.removeprefix(self.here.scene.address("platform"))
        answer = await self.here.network.send(request._replace(headers={}) if self.lies else request)
        self.asked.append(f"{answer.status} {path.partition('?')[0]}")
        if self.away:
            raise Unreachable("Nobody answers.")
        return next((lie(answer) for prefix, lie in self.lies.items() if path.startswith(prefix)), answer)


class Scene:
    """A nation, and one more follower with a directory."""

    def __init__(self, here: Nation, own: dict[str, frozenset[str]] | None = None) -> None:
        self.here, self.between, self.folder = here, Between(here), MemoryFolder()
        self.followed = Followed(here.scene.cards, self.folder)
        self.directory = CardDirectory([])
        self.followed.watch(self.directory.learn)
        self.follower = Follower(
            self.followed,
            http=self.between,
            log=here.log,
            base=here.scene.address("platform"),
            trust=trust_of(here),
            every_s=60,
            own=own or {},
        )

    async def look(self) -> int:
        """Let a minute pass and the follower look."""
        await self.here.clock.sleep(60)
        return await self.follower.step(self.here.clock.now())

    def said(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.here.log.said if name == event]


@asynccontextmanager
async def scene(data: Path) -> AsyncIterator[Scene]:
    async with nation(data) as here:
        await here.settle(5)
        here.log.said.clear()
        yield Scene(here)


def listed_with(change: Callable[[Card], Card]) -> Lie:
    """Change the first institution's card in the list, as a server that lies would."""

    def lie(answer: Response) -> Response:
        page = msgspec.json.decode(answer.body, type=Participants)
        cards = [
            msgspec.structs.replace(each, card=change(each.card)) if number == 0 else each
            for number, each in enumerate(page.participants)
        ]
        return answer._replace(body=msgspec.json.encode(msgspec.structs.replace(page, participants=tuple(cards))))

    return lie


def one_with(change: Callable[[ProvenCard], ProvenCard]) -> Lie:
    def lie(answer: Response) -> Response:
        return answer._replace(body=msgspec.json.encode(change(msgspec.json.decode(answer.body, type=ProvenCard))))

    return lie


async def test_an_unchanged_list_is_read_again_without_its_body(tmp_path: Path) -> None:
    async with scene(tmp_path / "data") as s:
        assert (await s.look(), await s.look()) == (0, 0)
        assert [each for each in s.between.asked if "participants" in each] == [
            "200 /v1/participants",
            "304 /v1/participants",
        ]


async def test_pages_follow_one_another_to_the_end(tmp_path: Path) -> None:
    async with scene(tmp_path / "data") as s:
        urns, after = list[str](), ""
        for _ in range(20):
            answer = await get(s.here, f"/v1/participants?limit=2&after={after}")
            page = msgspec.json.decode(answer.body, type=Participants)
            assert len(page.participants) <= 2
            urns += [each.card.urn for each in page.participants]
            after = page.next
            if not after:
                break
        assert urns == sorted(card.urn for card in s.here.scene.cards)
        assert (await get(s.here, "/v1/participants?limit=26")).status == 400
        assert (await get(s.here, "/v1/participants/urn:nld:oin:00000000000000000000:systeem:nobody")).status == 404


async def test_a_leaf_is_named_by_where_it_stands(tmp_path: Path) -> None:
    """Index and leaf hash lead to the public tile: who wants to, proves it without asking us."""
    async with scene(tmp_path / "data") as s:
        page = msgspec.json.decode((await get(s.here, "/v1/participants")).body, type=Participants)
        tile = (await get(s.here, f"/log/tile/0/000.p/{await size(s.here)}")).body
        for each in page.participants:
            assert each.leaf is not None
            assert {key.kid for key in each.card.keys} == {leaf.kid for leaf in each.keys}
            for leaf in (each.leaf, *each.keys):
                assert b64(tile[32 * leaf.index :][:32]) == leaf.hash


async def size(here: Nation) -> int:
    return int((await get(here, "/log/checkpoint")).body.decode().split("\n")[1])


async def attacked(here: Nation) -> dict[str, tuple[str, ProvenCard]]:
    """Return what a lying server could answer about the first institution, and how that is refused."""
    first, second = sorted(card.urn for card in here.scene.cards if "institution" in card.roles)[:2]
    good, other, owner = await proven(here, first), await proven(here, second), await proven(here, PLATFORM_URN)
    card, change = good.card, msgspec.structs.replace
    as_platform = change(card, roles=("institution", "platform"))
    forged = b64(msgspec.json.encode({"event": "card.registered"}))
    return {
        "a key of a stranger": ("card", change(good, card=with_key(card, STRANGER))),
        "another role": ("card", change(good, card=as_platform)),
        "another address": ("card", change(good, card=change(card, endpoints=other.card.endpoints))),
        "another's proof": ("card", change(good, registered=other.registered)),
        "the proof of a key for that of a card": ("card", change(good, registered=good.keys[0])),
        "no proof of a key": ("card-key", change(good, keys=good.keys[:1])),
        "the proofs of another's keys": ("card-key", change(good, keys=other.keys)),
        "the platform's keys": ("card-key", change(good, keys=owner.keys)),
        "a forged entry": ("inclusion", change(good, registered=change(good.registered, entry=forged))),
        "no proof": ("card", change(good, registered=change(good.registered, proof=""))),
    }


async def test_a_lying_server_can_slip_nothing_into_a_card(tmp_path: Path) -> None:
    async with scene(tmp_path / "data") as s:
        trust, attacks = trust_of(s.here), await attacked(s.here)
        for name, (code, lie) in attacks.items():
            with pytest.raises(Refused) as refused:
                check_card(lie, trust, None)
            assert refused.value.code == code, name


async def test_a_card_needs_the_quorum_of_witnesses_and_is_never_older_than_the_one_held(tmp_path: Path) -> None:
    async with scene(tmp_path / "data") as s:
        trust, good = trust_of(s.here), await proven(s.here, s.here.scene.cards[0].urn)
        taken = check_card(good, trust, None)
        with pytest.raises(Refused, match="witnesses"):
            check_card(good, Trust(trust.logs, trust.witnesses, len(trust.witnesses) + 1), None)
        with pytest.raises(Refused, match="older"):
            check_card(good, trust, Taken(taken.hash, rfc3339(s.here.clock.now()), taken.card))


async def test_a_lie_is_logged_and_the_last_good_list_stays(tmp_path: Path) -> None:
    async with scene(tmp_path / "data") as s:
        before = s.followed.cards()
        s.between.lies = {
            "/v1/participants/": one_with(lambda one: msgspec.structs.replace(one, card=with_key(one.card, STRANGER))),
            "/v1/participants?": listed_with(lambda card: with_key(card, STRANGER)),
        }
        assert await s.look() == 0
        assert s.said("participants.followed") == [{"cards": 0, "refused": "card"}]
        assert s.directory.key(STRANGER.kid) is None
        s.between.lies, s.between.away = {}, True
        assert await s.look() == 0
        assert s.said("participants.kept") == [{"code": "unreachable"}]
        s.between.away, s.between.lies = False, {"/log/revocations": lambda answer: answer._replace(body=b"no note")}
        assert await s.look() == 0
        assert s.said("participants.kept")[-1] == {"code": "note"}
        assert s.followed.cards() == before


async def test_a_list_of_revoked_keys_that_is_old_counts_for_nothing(tmp_path: Path) -> None:
    """Who holds back a revocation must sign an older list; a day is all that this gains."""
    async with scene(tmp_path / "data") as s:
        old = await get(s.here, "/log/revocations")
        s.between.lies = {"/log/revocations": lambda _: old}
        assert await s.look() == 0
        assert s.said("participants.kept") == []
        await s.here.clock.sleep(timedelta(days=1).total_seconds())
        assert await s.look() == 0
        assert s.said("participants.kept") == [{"code": "revocations-old"}]


async def test_what_was_followed_is_there_after_a_restart_and_a_revoked_key_proves_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path / "data") as s:
        card = s.here.scene.cards[0]
        kid, now = card.keys[0].kid, s.here.clock.now()
        (signer,) = s.followed.platform
        s.followed.take([Taken("h", "t", msgspec.structs.replace(card, name="Renamed"))], {kid: rfc3339(now)})
        s.followed.take([], {kid: rfc3339(now + timedelta(days=1)), signer: rfc3339(now)})
        again = Followed(s.here.scene.cards, s.folder)
        held = again.held(card.urn)
        assert held is not None
        assert held.card.name == "Renamed"
        assert again.revoked()[kid] == now  # the earliest moment stands
        assert again.platform == s.followed.platform == {}
        known = s.directory.key(kid)
        assert known is not None
        assert known.live("sign", now - timedelta(seconds=1))
        assert not known.live("sign", now)


async def test_who_sees_a_key_published_as_its_own_that_it_does_not_hold_says_so(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        await here.settle(5)
        card = min(here.scene.cards, key=lambda each: each.urn)
        s = Scene(here, {card.urn: frozenset(key.kid for key in card.keys)})
        assert await s.look() == 0
        assert s.said("participants.stranger") == []
        s.between.lies = {"/v1/participants?": listed_with(lambda each: with_key(each, STRANGER))}
        await s.look()
        assert s.said("participants.stranger") == [{"urn": card.urn, "kid": STRANGER.kid}]

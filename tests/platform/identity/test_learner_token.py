"""The learner's token: the id_token of her log-in at the calling portal, and nothing else that looks like it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.journeys.parties import EDUID, PORTAL, SCHOOL, START, World, card_of, urn

from wissel.assembly.switch import Switchboard
from wissel.core.errors import WisselError
from wissel.messages.jose import SigningKey
from wissel.platform.identity.actions import learner_of
from wissel.platform.participants.errors import CardInvalid

NOW_S = int(START.timestamp())
MADE: dict[str, Callable[[World], str]] = {
    "there is none": lambda _: "",
    "no token at all": lambda _: "her-name",
    "longer than any": lambda _: "a" * 8001,
    "of another issuer": lambda world: world.logged_in(iss="https://elsewhere.test"),
    "of a portal's own key": lambda world: world.logged_in(key=PORTAL),
    "for another client": lambda world: world.logged_in(aud="somebody"),
    "for the client that signs, which travels in copies": lambda world: world.logged_in(aud="signer"),
    "for two clients, and authorized for the other": lambda world: world.logged_in(aud=["login", "x"], azp="x"),
    "for two clients, and for neither more": lambda world: world.logged_in(aud=["login", "x"]),
    "authorized for a client that it was not made for": lambda world: world.logged_in(aud="x", azp="login"),
    "an access token": lambda world: world.logged_in(typ="at+jwt"),
    "a logout token": lambda world: world.logged_in(typ="logout+jwt"),
    "of nobody": lambda world: world.logged_in(""),
    "of somebody with an endless name": lambda world: world.logged_in("a" * 256),
    "over": lambda world: world.logged_in(iat=NOW_S - 700, exp=NOW_S - 60),
    "of the future": lambda world: world.logged_in(iat=NOW_S + 61),
    "good for a day": lambda world: world.logged_in(exp=NOW_S + 86_400),
    "without an end": lambda world: world.logged_in(exp=None),
    "with a number for a name": lambda world: world.logged_in(sub=7),
    "changed after it was signed": lambda world: world.logged_in()[:-9] + "AAAAAAAAA",
}


@pytest.mark.parametrize("what", MADE)
async def test_whatever_is_no_log_in_at_this_portal_is_nobody(world: World, what: str) -> None:
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).mine(PORTAL, MADE[what](world))
    assert (caught.value.code, caught.value.status, caught.value.field) == (
        "learner-token-refused",
        403,
        "Learner-Token",
    )
    assert "pseudonym" not in caught.value.sentence, "an error never repeats what was sent"


@pytest.mark.parametrize("claims", [{}, {"aud": ["login"]}, {"aud": ["login", "x"], "azp": "login"}])
async def test_a_log_in_at_this_portal_says_who_she_is_there(world: World, claims: dict[str, Any]) -> None:
    learner = learner_of(world.logged_in(**claims), PORTAL, world.platform.participants, START)
    assert learner == ("https://eduid.test", PORTAL, "her-pseudonym", "high")


async def test_a_log_in_at_one_portal_is_nothing_at_another(world: World) -> None:
    other = urn(9, "otherportal")
    card = card_of(other, "portal", {other: SigningKey.new(world.entropy)}, settings={"logins": ["other-login"]})
    await world.platform.participants.register(card, START)
    board = Switchboard(world.platform.desk)
    assert await board.mine(other, world.logged_in(aud="other-login")) == []
    for caller in (other, SCHOOL, EDUID):
        with pytest.raises(WisselError) as caught:
            await board.mine(caller, world.logged_in())
        assert caught.value.code == "learner-token-refused"


async def test_a_revoked_key_of_the_identity_provider_logs_nobody_in(world: World) -> None:
    await world.platform.participants.revoke(world.keys[EDUID].kid, START)
    with pytest.raises(WisselError) as caught:
        await Switchboard(world.platform.desk).mine(PORTAL, world.logged_in())
    assert caught.value.code == "learner-token-refused"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"logins": ["login"]}, "/settings"),  # another portal's
        ({"logins": ["signer"]}, "/settings"),
        ({"clients": ["mine"], "logins": ["mine"]}, "/settings/logins"),
        ({"logins": "mine"}, "/settings/logins"),
        ({"logins": [""]}, "/settings/logins"),
        ({"clients": [{"id": "mine"}]}, "/settings/clients"),
    ],
)
async def test_a_card_claims_no_client_of_another_and_none_for_two_uses(
    world: World, settings: dict[str, object], field: str
) -> None:
    other = urn(9, "otherportal")
    card = card_of(other, "portal", {other: SigningKey.new(world.entropy)}, settings=settings)
    with pytest.raises(CardInvalid) as caught:
        await world.platform.participants.register(card, START)
    assert caught.value.field == field
    renewed = msgspec.structs.replace(world.platform.participants.card(PORTAL), name="Renewed")
    assert await world.platform.participants.register(renewed, START) == 0

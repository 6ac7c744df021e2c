"""The delivery header: who she is in this institution's books, signed by the platform, for this message and party."""

import pytest
from tests.institution.connector_scene import Scene, urn

from wissel.institution.connector import store
from wissel.messages.enrolment import GateAsked
from wissel.messages.envelope import Offered
from wissel.messages.identity import EduidLinked, IdentityAnswered


async def pseudonym(scene: Scene) -> str:
    """Return who the SIS says that she is, beside her registration."""
    registration = await scene.sis.registration(scene.process)
    assert registration is not None
    return registration.pseudonym


def asked(scene: Scene) -> Offered:
    """Return a question of the platform."""
    return scene.answer("gate.asked", "platform", GateAsked(gate="education", why="unproven"))


async def test_the_pseudonym_in_the_header_stands_beside_her_registration(scene: Scene) -> None:
    await scene.hear(scene.known(scene.request(), "first-pseudonym", capability="cap.jwe"))
    assert await pseudonym(scene) == "first-pseudonym"
    case = await store.case(scene.databases[0], scene.process)
    reach = await store.reach(scene.databases[0], scene.process)
    assert case is not None
    assert reach is not None
    assert (case.pseudonym, reach.capability) == ("first-pseudonym", "cap.jwe"), "both ride in one header"


async def test_it_is_booked_once_however_many_messages_bring_it_and_a_new_one_replaces_it(scene: Scene) -> None:
    await scene.hear(scene.request())
    assert await pseudonym(scene) == ""
    await scene.hear(scene.known(asked(scene), "one"))
    before = (await scene.sis.counts())["changes"]
    await scene.hear(scene.known(asked(scene), "one"))
    assert (await scene.sis.counts())["changes"] == before
    assert await pseudonym(scene) == "one"
    await scene.hear(scene.known(asked(scene), "another"))
    assert await pseudonym(scene) == "another"


async def test_eduids_own_word_and_the_header_beside_it_are_one_fact(scene: Scene) -> None:
    await scene.hear(scene.request())
    before = (await scene.sis.counts())["changes"]
    linked = scene.answer("eduid.linked", "eduid", EduidLinked(result="linked", pseudonym="hers"))
    await scene.hear(scene.known(linked, "hers"))
    await scene.hear(scene.known(asked(scene), "hers"))
    assert await pseudonym(scene) == "hers"
    assert (await scene.sis.counts())["changes"] == before + 1


@pytest.mark.parametrize(
    ("forged", "outcome"),
    [
        ({"by": "duo"}, "later"),
        ({"party": urn("another")}, "rejected"),
    ],
)
async def test_a_header_of_another_signer_or_for_another_party_is_not_believed(
    scene: Scene, forged: dict[str, str], outcome: str
) -> None:
    await scene.hear(scene.request())
    await scene.hear(scene.known(asked(scene), "forged", **forged))
    assert await pseudonym(scene) == ""
    assert scene.platform.receipts[-1].outcome == outcome
    assert any(line["event"] == "message.unsound" and line["why"] == "header" for line in scene.log.lines)


async def test_a_header_of_another_message_is_not_believed(scene: Scene) -> None:
    await scene.hear(scene.request())
    first, second = asked(scene), asked(scene)
    crossed = type(second)(
        envelope=second.envelope,
        data=second.data,
        nonce=second.nonce,
        sender=second.sender,
        acknowledgement=second.acknowledgement,
        header=scene.known(first, "crossed").header,
    )
    await scene.hear(crossed)
    assert await pseudonym(scene) == ""
    assert scene.platform.receipts[-1].outcome == "rejected"


async def test_what_is_rejected_leaves_no_pseudonym(scene: Scene) -> None:
    scene.process = scene.new_id()
    answered = scene.answer("identity.answered", "duo", IdentityAnswered(result="verified"))
    await scene.hear(scene.known(answered, "of nobody"))
    assert (await scene.sis.counts())["changes"] == 0

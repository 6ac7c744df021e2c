"""A place for downloads: the platform puts in, she alone takes out, and the portal signs for what she has."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.chain.played import START, CountedEntropy
from tests.chain.test_chain_portal import INSTITUTION, PLATFORM, Stage

from wissel.client.vaults import WITHDRAWN
from wissel.infra.http.ports import Request, Response
from wissel.infra.http.problem import MEDIA_TYPE, read_problem
from wissel.infra.http.proof import HEADER, make_proof
from wissel.messages.envelope import Addressee, SenderProof
from wissel.messages.jose import Sealer, SigningKey
from wissel.messages.records import acknowledge, read_receipt
from wissel.messages.verify import b64, sha256

REF = "everything-fine-downloads"
CHANCE = CountedEntropy("deliveries")
ID = "0197a1b2-0000-7000-8000-000000000001"
COMMITMENT = sha256(b"a message")
UNTIL = "2026-12-31"
FILES = f"files?until={UNTIL}"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Return a stage on which a learner without a vault has asked to enrol."""
    found = Stage(tmp_path)
    async with AsyncExitStack() as stack:
        await found.open(stack)
        answer = await found.enrol(REF)
        assert answer.status_code == 201, answer.text
        yield found
    found.close()


def addressee(stage: Stage) -> Addressee:
    ((read, _),) = stage.platform.taken.values()
    assert read.submission.addressee is not None
    return read.submission.addressee


def acknowledged(key: SigningKey = PLATFORM) -> str:
    proof = SenderProof(kind="signature", jws="a..b")
    facts: dict[str, Any] = {"received": START, "decision": "accepted", "ruleset": "1", "log": "log", "keys": {}}
    return acknowledge(key, commitment=COMMITMENT, sender=proof, **facts)


def message(stage: Stage, acknowledgement: str = "", until: str = UNTIL) -> dict[str, Any]:
    offered = msgspec.json.encode({"envelope": {"source": INSTITUTION}, "data": {"text": "MARKER"}})
    jwe = Sealer.new(addressee(stage).key, CHANCE).seal(offered, CHANCE)
    return {"messages": [{"id": ID, "acknowledgement": acknowledgement or acknowledged(), "jwe": jwe, "until": until}]}


def copy(stage: Stage, until: str = UNTIL) -> dict[str, Any]:
    jwe = Sealer.new(addressee(stage).key, CHANCE).seal(b"{}", CHANCE)
    return {"copies": [{"id": b64(COMMITMENT), "jwe": jwe, "until": until}]}


async def deliver(
    stage: Stage, what: str, body: object, *, token: str = "", url: str = "", key: SigningKey = PLATFORM
) -> Response:
    """Call the place as the platform does, or with one thing otherwise."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    url = f"{url or addressee(stage).vault}/{what}"
    proof = make_proof(key, method="POST", url=url, body=raw, now=stage.clock.now(), entropy=CHANCE)
    headers = {"authorization": f"Bearer {token or addressee(stage).token}", HEADER: proof}
    return await stage.http.send(Request("POST", url, {**headers, "content-type": "application/json"}, raw))


def outcome(stage: Stage, answer: Response) -> str:
    (given,) = msgspec.json.decode(answer.body)["receipts"]
    return read_receipt(given["receipt"], stage.participants["portal"].sign.public_jwk).outcome


async def download(stage: Stage, ref: str = REF) -> dict[str, int]:
    answer = await stage.client.post(f"/play/learners/{ref}/downloads")
    found: dict[str, int] = answer.json()
    return found


async def test_the_portal_itself_is_named_as_her_place_and_nobody_reaches_her_there_later(stage: Stage) -> None:
    place = addressee(stage)
    assert place.provider == stage.participants["portal"].urn
    assert place.capability == ""
    assert set(place.key) == {"kty", "crv", "x", "y"}


async def test_a_message_is_for_later_until_she_has_it(stage: Stage) -> None:
    delivery = message(stage)
    assert outcome(stage, await deliver(stage, "messages", delivery)) == "later"
    assert outcome(stage, await deliver(stage, "messages", delivery)) == "later"
    assert await download(stage, "everything-fine") == {"messages": 0, "copies": 0, "files": 0}
    assert await download(stage) == {"messages": 1, "copies": 0, "files": 0}
    assert outcome(stage, await deliver(stage, "messages", delivery)) == "accepted"
    assert await download(stage) == {"messages": 0, "copies": 0, "files": 0}


async def test_the_copy_takes_the_place_of_its_message_and_goes_when_she_has_it(stage: Stage) -> None:
    await deliver(stage, "messages", message(stage))
    for _ in range(2):
        answer = await deliver(stage, "copies", copy(stage))
        assert msgspec.json.decode(answer.body) == {"stored": [b64(COMMITMENT)]}
    assert await download(stage) == {"messages": 0, "copies": 1, "files": 0}
    assert stage.folders(f"{REF}/vault").names() == [f"{b64(COMMITMENT)}.afschrift"]
    assert await stage.stores["portal"].fetch("SELECT COUNT(*) FROM items") == [(0,)]


async def test_what_is_not_sealed_to_her_is_not_signed_for(stage: Stage) -> None:
    other = Sealer.new(stage.participants["portal"].seal.public_jwk, CHANCE).seal(b"{}", CHANCE)
    delivery = message(stage)
    delivery["messages"][0]["jwe"] = other
    await deliver(stage, "messages", delivery)
    assert await download(stage) == {"messages": 0, "copies": 0, "files": 0}
    assert outcome(stage, await deliver(stage, "messages", delivery)) == "later"


def code(answer: Response) -> tuple[int, str]:
    """Return the status and the code of a problem document, which is all that the platform believes."""
    assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPE
    return answer.status, read_problem(answer.status, answer.body).code


@pytest.mark.parametrize("what", ["messages", "copies"])
async def test_only_the_platform_puts_in_and_only_with_the_token_of_the_place(stage: Stage, what: str) -> None:
    body = message(stage) if what == "messages" else copy(stage)
    unknown = addressee(stage).vault[:-1] + "x"
    stranger = SigningKey.new(CHANCE)
    assert code(await deliver(stage, what, body, token="another")) == (401, WITHDRAWN[401])
    assert (await deliver(stage, what, body, key=stranger)).status == 400
    assert (await deliver(stage, what, body, url=unknown)).status in {400, 404}
    stage.clock.jump(86_400 * 700)
    gone = await deliver(stage, what, body)
    assert code(gone) == (410, WITHDRAWN[410]), "the platform hears that it need not come again"
    await stage.steps["portal.downloads"](stage.clock.now())
    assert code(await deliver(stage, what, body)) == (404, WITHDRAWN[404])
    assert await stage.stores["portal"].fetch("SELECT COUNT(*) FROM items") == [(0,)]


async def test_a_message_that_the_platform_did_not_acknowledge_is_refused_whole(stage: Stage) -> None:
    forged = message(stage, acknowledged(SigningKey.new(CHANCE)))
    assert (await deliver(stage, "messages", forged)).status == 422
    assert (await deliver(stage, "messages", {"messages": []})).status == 400
    await deliver(stage, "messages", message(stage))
    again = message(stage, acknowledged())
    again["messages"][0]["acknowledgement"] += "A"
    assert (await deliver(stage, "messages", again)).status == 409
    assert await download(stage) == {"messages": 1, "copies": 0, "files": 0}


async def test_a_file_waits_sealed_and_goes_when_she_has_it(stage: Stage) -> None:
    jwe = Sealer.new(addressee(stage).key, CHANCE).seal(b"%PDF-1.4 MARKER", CHANCE).encode()
    digest = b64(sha256(jwe))
    for _ in range(2):
        answer = await deliver(stage, FILES, jwe)
        assert (answer.status, msgspec.json.decode(answer.body)) == (200, {"stored": [digest]})
    assert (await deliver(stage, FILES, b"%PDF-1.4 not sealed")).status == 422
    assert (await deliver(stage, FILES, jwe, token="another")).status == 401
    assert (await deliver(stage, FILES, jwe, key=SigningKey.new(CHANCE))).status == 400
    assert await download(stage, "everything-fine") == {"messages": 0, "copies": 0, "files": 0}
    assert await download(stage) == {"messages": 0, "copies": 0, "files": 1}
    assert await stage.stores["portal"].fetch("SELECT COUNT(*) FROM items") == [(0,)]
    assert stage.folders(f"{REF}/files").read(f"{digest}.jwe") == jwe


async def test_what_nobody_fetches_ends_on_its_day_and_not_with_its_place(stage: Stage) -> None:
    day = str((START + timedelta(days=3)).date())
    jwe = Sealer.new(addressee(stage).key, CHANCE).seal(b"a photo", CHANCE).encode()
    await deliver(stage, "messages", message(stage, until=day))
    assert (await deliver(stage, f"files?until={day}", jwe)).status == 200
    other = copy(stage)
    other["copies"][0]["id"] = b64(sha256(b"of another message"))
    await deliver(stage, "copies", other)
    for days, left in ((3, 3), (1, 1)):
        stage.clock.jump(86_400 * days)
        await stage.steps["portal.downloads"](stage.clock.now())
        assert await stage.stores["portal"].fetch("SELECT COUNT(*) FROM items") == [(left,)]
    assert await download(stage) == {"messages": 0, "copies": 1, "files": 0}


@pytest.mark.parametrize("until", ["", "2026-02-31", "soon"])
async def test_what_says_no_day_is_not_kept(stage: Stage, until: str) -> None:
    jwe = Sealer.new(addressee(stage).key, CHANCE).seal(b"a photo", CHANCE).encode()
    assert (await deliver(stage, f"files?until={until}", jwe)).status == 422
    assert (await deliver(stage, "messages", message(stage, until=until))).status == 400
    assert (await deliver(stage, "copies", copy(stage, until))).status == 400
    assert await stage.stores["portal"].fetch("SELECT COUNT(*) FROM items") == [(0,)]

"""The client against doors that behave, and doors that do not. What behaves is in tests/platform/api."""

from collections.abc import Callable

import msgspec
import pytest
from tests.client.test_client_compose import COLLEGE, KEY, NOTICE, given
from tests.infra.http_scene import NOON, CountedEntropy, StillClock

from wissel.client import AnswerInvalid, Client, Refusal, compose
from wissel.client.compose import commitment_of
from wissel.client.words import Sent, Settled, Settlement, Settlements, TokenAnswer
from wissel.infra.http.ports import Request, Response, Unreachable
from wissel.infra.http.problem import problem
from wissel.messages.envelope import Submission
from wissel.messages.jose import SigningKey
from wissel.messages.records import acknowledge

PLATFORM = SigningKey.new(CountedEntropy("platform"))
OTHER = SigningKey.new(CountedEntropy("other"))
MESSAGE = compose("nl.wissel.notice.sent.v1", NOTICE, key=KEY, **given())
MORE = compose("nl.wissel.notice.sent.v1", NOTICE, key=KEY, **given(entropy=CountedEntropy("more")))

Answer = Callable[[Request], Response]


class PlayedDoor:
    """Gives tokens, and answers every other call as told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.tokens = 0
        self.calls: list[Request] = []

    async def send(self, request: Request) -> Response:
        if request.url.endswith("/oauth/token"):
            self.tokens += 1
            token = TokenAnswer(access_token=f"token-{self.tokens}", expires_in=300, scope="")
            return Response(200, {}, msgspec.json.encode(token))
        self.calls.append(request)
        return self.answer(request)


def always(answer: Response) -> Answer:
    return lambda _: answer


def client(door: PlayedDoor, clock: StillClock | None = None, *, platform: bool = False) -> Client:
    return Client(
        door,
        clock or StillClock(),
        CountedEntropy(),
        base="https://wissel.example/",
        urn=COLLEGE,
        key=KEY,
        platform={PLATFORM.kid: PLATFORM.public_jwk} if platform else None,
    )


def acknowledged(message: Submission, key: SigningKey = PLATFORM, *, about: Submission | None = None) -> Response:
    about = about or message
    compact = acknowledge(
        key,
        commitment=commitment_of(about),
        sender=about.sender,
        received=NOON,
        decision="accepted",
        ruleset="1",
        log="log.example",
        keys={},
    )
    return Response(202, {}, msgspec.json.encode(Sent(id=message.envelope.id, acknowledgement=compact)))


async def test_one_token_serves_until_shortly_before_its_end() -> None:
    clock, door = StillClock(), PlayedDoor(lambda _: Response(200, {}, b'{"offered":[]}'))
    asking = client(door, clock)
    for _ in range(3):
        await asking.pull()
    clock.forward(269)
    await asking.pull()
    assert door.tokens == 1
    clock.forward(1)
    await asking.pull()
    assert door.tokens == 2
    assert door.calls[-1].headers["Authorization"] == "Bearer token-2"
    assert door.calls[-1].url == "https://wissel.example/v1/mailbox?limit=100"


async def test_a_token_that_is_no_longer_taken_is_renewed_once() -> None:
    def answer(request: Request) -> Response:
        taken = request.headers["Authorization"] == "Bearer token-2"
        return Response(200, {}, b'{"offered":[]}') if taken else Response(401, {}, b"")

    door = PlayedDoor(answer)
    assert await client(door).pull() == []
    assert door.tokens == 2
    never = PlayedDoor(lambda _: Response(401, {}, b""))
    with pytest.raises(Refusal) as caught:
        await client(never).pull()
    assert (never.tokens, caught.value.problem.status) == (2, 401)


@pytest.mark.parametrize(
    ("status", "headers", "retry"),
    [
        (400, {}, None),
        (403, {"retry-after": "5"}, None),
        (409, {}, None),
        (413, {}, None),
        (302, {"location": "https://elsewhere.example"}, None),
        (408, {}, 30.0),
        (429, {"retry-after": "5"}, 5.0),
        (500, {}, 30.0),
        (503, {"retry-after": "120"}, 120.0),
        (503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        (503, {"retry-after": "-1"}, 30.0),
        (503, {"retry-after": "9" * 40}, 30.0),
    ],
)
async def test_a_refusal_says_whether_and_when_to_try_again(
    status: int, headers: dict[str, str], retry: float | None
) -> None:
    body = msgspec.json.encode(problem(max(status, 400), "some-code", "Some sentence.", field="/envelope/id"))
    with pytest.raises(Refusal) as caught:
        await client(PlayedDoor(lambda _: Response(status, headers, body))).send(MESSAGE)
    assert caught.value.retry_after_s == retry
    assert caught.value.problem.code == "some-code"
    assert caught.value.field == "/envelope/id"
    assert "Some sentence." in str(caught.value)


async def test_a_refusal_that_explains_nothing_is_still_a_refusal() -> None:
    for body in (b"", b"<html>", b"[]", b'{"status":"x"}'):
        with pytest.raises(Refusal) as caught:
            await client(PlayedDoor(always(Response(502, {}, body)))).pull()
        assert (caught.value.problem.status, caught.value.problem.code) == (502, "unexplained")


async def test_an_answer_that_the_api_does_not_give_is_not_taken() -> None:
    for body in (b"", b"{}", b"[]", b'{"id":"x","acknowledgement":"y"}'):
        with pytest.raises(AnswerInvalid):
            await client(PlayedDoor(always(Response(202, {}, body)))).send(MESSAGE)


async def test_an_acknowledgement_is_held_to_what_was_sent() -> None:
    good = PlayedDoor(lambda _: acknowledged(MESSAGE))
    assert (await client(good, platform=True).send(MESSAGE)).id == MESSAGE.envelope.id
    assert (await client(good, platform=True).send(msgspec.json.encode(MESSAGE))).id == MESSAGE.envelope.id
    bad = (acknowledged(MESSAGE, OTHER), acknowledged(MESSAGE, about=MORE), acknowledged(MESSAGE, OTHER, about=MORE))
    for answer in bad:
        with pytest.raises(AnswerInvalid):
            await client(PlayedDoor(always(answer)), platform=True).send(MESSAGE)
    for compact in ("", "a.b.c", "x"):
        body = msgspec.json.encode(Sent(id=MESSAGE.envelope.id, acknowledgement=compact))
        with pytest.raises(AnswerInvalid):
            await client(PlayedDoor(always(Response(202, {}, body))), platform=True).send(MESSAGE)


async def test_many_receipts_go_in_calls_of_a_hundred() -> None:
    sizes: list[int] = []

    def answer(request: Request) -> Response:
        receipts = msgspec.json.decode(request.body)["receipts"]
        sizes.append(len(receipts))
        settled = tuple(Settlement(id=each["id"], source=each["source"]) for each in receipts)
        return Response(200, {}, msgspec.json.encode(Settlements(settled=settled)))

    receipts = [Settled(id=MESSAGE.envelope.id, source=COLLEGE, receipt="a.b.c")] * 250
    assert len(await client(PlayedDoor(answer)).settle(receipts)) == 250
    assert sizes == [100, 100, 50]
    assert await client(PlayedDoor(answer)).settle([]) == []


async def test_no_answer_is_handed_on_as_such() -> None:
    def nothing(_: Request) -> Response:
        raise Unreachable("No answer came.")

    with pytest.raises(Unreachable):
        await client(PlayedDoor(nothing)).pull()

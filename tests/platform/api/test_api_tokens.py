"""Who calls: private_key_jwt in, access token out, and every way in which that must fail."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from tests.infra.http_scene import CountedEntropy
from tests.platform.api.api_scene import BASE, COLLEGE, INSPECTOR, PLATFORM, PORTAL, Scene

from wissel.client.words import ASSERTION
from wissel.infra.http.jwt import seconds, sign_jwt
from wissel.infra.http.ports import Request, Response
from wissel.messages.jose import SigningKey
from wissel.platform.api.words import Limits

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ENDPOINT = f"{BASE}/v1/oauth/token"


def claims(scene: Scene, urn: str = PORTAL, **other: Any) -> dict[str, Any]:
    now = seconds(scene.clock.now())
    made = {"iss": urn, "sub": urn, "aud": ENDPOINT, "iat": now, "exp": now + 60, "jti": "one", **other}
    return {name: value for name, value in made.items() if value is not None}


async def ask(scene: Scene, assertion: str, **other: str) -> Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": assertion,
        **other,
    }
    return await scene.http.send(Request("POST", ENDPOINT, FORM, urlencode(form).encode()))


async def mailbox(scene: Scene, token: str) -> Response:
    return await scene.http.send(Request("GET", f"{BASE}/v1/mailbox", {"Authorization": f"Bearer {token}"}))


def signed(scene: Scene, urn: str = PORTAL, **other: Any) -> str:
    return sign_jwt(scene.directory.keys[urn], "JWT", claims(scene, urn, **other))


async def test_a_proven_participant_gets_a_short_lived_token_in_the_form_of_rfc_9068() -> None:
    scene = Scene()
    answer = await ask(scene, signed(scene), client_id=PORTAL)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    given = msgspec.json.decode(answer.body)
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 300)
    assert given["scope"] == "entries mailbox messages processes"
    token = jwt.decode(given["access_token"], ECKey.import_key(dict[str, str | list[str]](PLATFORM.public_jwk)))
    assert token.header["typ"] == "at+jwt"
    assert token.claims["sub"] == token.claims["client_id"] == PORTAL
    assert token.claims["iss"] == token.claims["aud"] == BASE
    assert token.claims["exp"] - token.claims["iat"] == 300
    assert (await mailbox(scene, given["access_token"])).status == 200


async def test_a_library_that_is_not_ours_gets_in() -> None:
    scene = Scene()
    key = ECKey.import_key(dict[str, str | list[str]](scene.directory.keys[COLLEGE].private_jwk))
    header = {"alg": "ES256", "kid": scene.directory.keys[COLLEGE].kid}
    assertion = jwt.encode(header, claims(scene, COLLEGE, aud=[BASE]), key)
    assert (await ask(scene, assertion)).status == 200


@pytest.mark.parametrize(
    "other",
    [
        {"iss": COLLEGE},
        {"sub": COLLEGE},
        {"iss": None},
        {"sub": None},
        {"aud": None},
        {"aud": "https://other.example/v1/oauth/token"},
        {"aud": ["https://other.example"]},
        {"exp": None},
        {"exp": 1},
        {"exp": 4_000_000_000},
        {"exp": "soon"},
        {"exp": True},
        {"iat": None},
        {"iat": "now"},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 101},
        {"jti": 7},
    ],
)
async def test_an_assertion_with_a_wrong_claim_is_refused(other: dict[str, Any]) -> None:
    scene = Scene()
    answer = await ask(scene, signed(scene, **other))
    assert answer.status == 401
    problem = msgspec.json.decode(answer.body)
    assert (problem["error"], problem["code"]) == ("invalid_client", "client-unproven")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_assertion_by_another_key_or_algorithm_is_refused() -> None:
    scene = Scene()
    good = scene.directory.keys[PORTAL]
    stranger = SigningKey.new(CountedEntropy("stranger"))
    header = {"alg": "RS256", "kid": good.kid}
    rsa = jwt.encode(header, claims(scene), RSAKey.generate_key(2048))
    head, body, _ = sign_jwt(good, "JWT", claims(scene)).split(".")
    for assertion in (
        sign_jwt(stranger, "JWT", claims(scene)),
        sign_jwt(good, "at+jwt", claims(scene)),
        sign_jwt(good, "wissel-proof+jwt", claims(scene)),
        rsa,
        f"{head}.{body}.",
        "",
        "a.b.c",
        "x" * 9000,
    ):
        assert (await ask(scene, assertion)).status == 401


async def test_an_assertion_is_good_once_as_long_as_it_is_good() -> None:
    scene = Scene()
    assertion = signed(scene)
    assert (await ask(scene, assertion)).status == 200
    for _ in range(13):
        assert (await ask(scene, assertion)).status == 401
        scene.clock.forward(10)
    assert (await ask(scene, signed(scene))).status == 401  # the same jti, while an older one might still be good
    scene.clock.forward(600)
    assert (await ask(scene, signed(scene))).status == 200


async def test_an_assertion_that_was_used_gives_no_token_after_a_restart() -> None:
    scene = Scene()
    scene.clock.forward(30)
    assertion = signed(scene, exp=seconds(scene.clock.now()) + 300)
    assert (await ask(scene, assertion)).status == 200
    scene.clock.forward(1)
    scene.restart()
    answer = await ask(scene, assertion)
    problem = msgspec.json.decode(answer.body)
    assert (answer.status, problem["error"], problem["code"]) == (401, "invalid_client", "client-assertion-old")
    assert "Make a new one" in problem["detail"]
    assert answer.headers["retry-after"] == "1"
    assert (await ask(scene, signed(scene, jti="two"))).status == 200


async def test_the_second_in_which_a_process_starts_belongs_to_the_one_before_it() -> None:
    scene = Scene()
    scene.clock.at += timedelta(milliseconds=400)
    assertion = signed(scene)
    assert (await ask(scene, assertion)).status == 200
    scene.clock.at += timedelta(milliseconds=400)
    scene.restart()
    assert (await ask(scene, assertion)).status == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        (b"", 400, "invalid_request"),
        (b"\xff", 400, "invalid_request"),
        (b"grant_type", 400, "invalid_request"),
        (b"grant_type=a&grant_type=b", 400, "invalid_request"),
        (b"&".join(b"a%d=b" % number for number in range(20)), 400, "invalid_request"),
        (b"grant_type=password&username=a&password=b", 400, "unsupported_grant_type"),
        (b"grant_type=client_credentials", 400, "invalid_request"),
        (b"grant_type=client_credentials&client_assertion_type=x", 400, "invalid_request"),
    ],
)
async def test_a_form_that_is_none_of_ours_is_refused(form: bytes, status: int, error: str) -> None:
    answer = await Scene().http.send(Request("POST", ENDPOINT, FORM, form))
    assert (answer.status, msgspec.json.decode(answer.body)["error"]) == (status, error)


async def test_another_client_id_media_type_or_scope_is_refused() -> None:
    scene = Scene()
    assert (await ask(scene, signed(scene, jti="a"), client_id=COLLEGE)).status == 401
    answer = await ask(scene, signed(scene, jti="b"), scope="mailbox inspect")
    assert (answer.status, msgspec.json.decode(answer.body)["error"]) == (400, "invalid_scope")
    answer = await scene.http.send(Request("POST", ENDPOINT, {"Content-Type": "application/json"}, b"{}"))
    assert answer.status == 415


async def test_a_token_for_less_gives_less() -> None:
    scene = Scene()
    token = msgspec.json.decode((await ask(scene, signed(scene), scope="messages")).body)["access_token"]
    answer = await mailbox(scene, token)
    assert (answer.status, msgspec.json.decode(answer.body)["code"]) == (403, "out-of-scope")


async def test_a_role_gives_no_more_than_its_own_scopes() -> None:
    scene = Scene()
    for urn, path, status in (
        (COLLEGE, "/v1/mailbox", 200),
        (COLLEGE, "/v1/processes/01890a5d-ac96-774b-bcce-b302099a8057", 403),
        (COLLEGE, "/log/tile/entries/000.p/3", 403),
        (INSPECTOR, "/log/tile/entries/000.p/3", 200),
        (INSPECTOR, "/v1/mailbox", 403),
    ):
        token = msgspec.json.decode((await ask(scene, signed(scene, urn, jti=path))).body)["access_token"]
        answer = await scene.http.send(Request("GET", BASE + path, {"Authorization": f"Bearer {token}"}))
        assert answer.status == status, path


async def test_a_token_ends_in_time_and_with_its_key() -> None:
    scene = Scene()
    token = msgspec.json.decode((await ask(scene, signed(scene))).body)["access_token"]
    scene.clock.forward(299)
    assert (await mailbox(scene, token)).status == 200
    scene.clock.forward(1)
    assert (await mailbox(scene, token)).status == 401
    token = msgspec.json.decode((await ask(scene, signed(scene, jti="two"))).body)["access_token"]
    assert (await mailbox(scene, token)).status == 200
    scene.directory.revoked.add(scene.directory.keys[PORTAL].kid)
    answer = await mailbox(scene, token)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert (await ask(scene, signed(scene, jti="three"))).status == 401


async def test_a_token_that_the_platform_did_not_make_is_refused() -> None:
    scene = Scene()
    good = {
        "iss": BASE,
        "aud": BASE,
        "sub": PORTAL,
        "exp": seconds(scene.clock.now()) + 60,
        "scope": "mailbox",
        "client_key": scene.directory.keys[PORTAL].kid,
    }
    assert (await mailbox(scene, sign_jwt(PLATFORM, "at+jwt", good))).status == 200
    for token in (
        sign_jwt(scene.directory.keys[PORTAL], "at+jwt", good),
        sign_jwt(PLATFORM, "JWT", good),
        sign_jwt(PLATFORM, "at+jwt", {**good, "iss": "https://other.example"}),
        sign_jwt(PLATFORM, "at+jwt", {**good, "aud": "https://other.example"}),
        sign_jwt(PLATFORM, "at+jwt", {**good, "exp": seconds(scene.clock.now())}),
        sign_jwt(PLATFORM, "at+jwt", {**good, "client_key": "other"}),
        "",
        "x",
    ):
        assert (await mailbox(scene, token)).status == 401
    for header in ("", "Basic abc", "Bearer", "bearer  "):
        answer = await scene.http.send(Request("GET", f"{BASE}/v1/mailbox", {"Authorization": header}))
        assert answer.status == 401
    assert (await scene.http.send(Request("GET", f"{BASE}/v1/mailbox"))).status == 401


async def test_tokens_are_asked_for_at_a_bounded_rate() -> None:
    scene = Scene(limits=Limits(token_calls_burst=2, token_calls_per_second=1))
    for jti in ("a", "b"):
        assert (await ask(scene, signed(scene, jti=jti))).status == 200
    answer = await ask(scene, signed(scene, jti="c"))
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")


async def test_one_participant_cannot_use_up_the_memory_of_used_assertions() -> None:
    """From many addresses it could fill that memory, and then nobody would get a token."""
    scene = Scene(limits=Limits(tokens_burst=3, tokens_per_second=1))
    answers = [(await ask(scene, signed(scene, jti=f"j{number}"))).status for number in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert (await ask(scene, signed(scene, COLLEGE))).status == 200
    strange = sign_jwt(scene.directory.keys[PORTAL], "JWT", claims(scene, COLLEGE, jti="x"))
    for _ in range(5):
        assert (await ask(scene, strange)).status == 401, "who is not the college does not take of its share"
    assert (await ask(scene, signed(scene, COLLEGE, jti="more"))).status == 200

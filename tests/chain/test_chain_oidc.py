"""eduID and DigiD as OpenID Connect providers, held to it by parties that are not ours: Authlib and joserfc."""

import base64
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response, prepare_grant_uri  # type: ignore[import-untyped] # it has no types
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped] # it has no types
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped] # it has no types
from authlib.oidc.discovery import OpenIDProviderMetadata  # type: ignore[import-untyped] # it has no types
from joserfc import jwt
from joserfc.jwk import KeySet
from litestar import Litestar
from litestar.testing import AsyncTestClient
from tests.chain.played import CountedEntropy, JumpingClock, database, world

from wissel.chain.copies.actions import Drawer
from wissel.chain.digid.actions import DigiIds
from wissel.chain.digid.door import digid_app
from wissel.chain.eduid.actions import EduIds
from wissel.chain.eduid.door import eduid_app
from wissel.chain.eduid.store import Book
from wissel.chain.oidc.actions import Provider
from wissel.chain.oidc.keys import EcKey, RsaKey
from wissel.chain.oidc.words import Client
from wissel.chain.people import People, eleven_test
from wissel.infra.files.memory import MemoryFolder
from wissel.messages.jose import SigningKey
from wissel.messages.verify import check_jws

ISSUER = "https://eduid.test"
BACK = "https://portal.test/callback"
IAP_HIGH = "https://refeds.org/assurance/IAP/high"
LOGIN = Client(id="portal-login", secret="login secret/1", redirects=(BACK,), service="portal")
OTHER = Client(id="other", secret="other secret", redirects=("https://other.test/back",), service="other")
SIGN = Client(id="portal-sign", secret="sign secret", redirects=(BACK,), kind="sign")
RSA = RsaKey.new(CountedEntropy("id_token"))
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


class Played(NamedTuple):
    """A provider with its clock."""

    client: AsyncTestClient[Litestar]
    clock: JumpingClock
    app: Litestar

    async def ask(self, client: Client = LOGIN, /, **other: str) -> httpx.Response:
        asked = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": client.redirects[0],
            "scope": "openid",
            "state": "s1",
            "nonce": "n1",
            "login_hint": "everything-fine",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        params = {name: value for name, value in (asked | other).items() if value}
        return await self.client.get("/oidc/authorize", params=params, follow_redirects=False)

    async def code(self, client: Client = LOGIN, /, **other: str) -> str:
        return back(await self.ask(client, **other))["code"]

    async def redeem(self, code: str, client: Client = LOGIN, /, **other: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirects[0],
            "code_verifier": VERIFIER,
            "client_id": client.id,
            "client_secret": client.secret,
        }
        return await self.client.post("/oidc/token", data=form | other)

    async def tokens(self, client: Client = LOGIN, /, **other: str) -> dict[str, Any]:
        answer = await self.redeem(await self.code(client, **other), client)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def claims(self, client: Client = LOGIN, /, **other: str) -> dict[str, Any]:
        return await self.read((await self.tokens(client, **other))["id_token"])

    async def read(self, token: str) -> dict[str, Any]:
        """Read an id_token with joserfc and the published keys."""
        keys = KeySet.import_key_set((await self.client.get("/oidc/certs")).json())
        decoded = jwt.decode(token, keys, algorithms=["RS256", "ES256"])
        now = int(self.clock.now().timestamp())
        jwt.JWTClaimsRegistry(
            now=now,
            iss={"essential": True},
            sub={"essential": True},
            aud={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(decoded.claims)
        return dict(decoded.claims)


def back(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


@pytest.fixture
async def eduid(tmp_path: Path) -> AsyncIterator[Played]:
    clock = JumpingClock()
    store = database(tmp_path)
    book = Book(store)
    there = world(clock)
    eduids = EduIds(there, book, {"99AA": "voorbeeld.example"})
    provider = Provider(there, ISSUER, (LOGIN, OTHER, SIGN), RSA, eduids)
    drawer = Drawer(MemoryFolder(), f"{ISSUER}/copies", lambda _: None, clock)
    app = eduid_app(there, eduids, provider, book, drawer, users={"studielink": "pw"})
    async with AsyncTestClient(app) as client:
        yield Played(client, clock, app)
    store.close()


@pytest.fixture
async def digid() -> AsyncIterator[Played]:
    clock = JumpingClock()
    there = world(clock)
    key = EcKey(SigningKey.new(CountedEntropy("digid")))
    client = Client(id="portal-login", secret="login secret/1", redirects=(BACK,), scopes=("openid",))
    app = digid_app(Provider(there, "http://digid.test", (client,), key, DigiIds(there)))
    async with AsyncTestClient(app) as testing:
        yield Played(testing, clock, app)


async def test_authlib_finds_its_way_by_the_discovery_document_and_takes_the_id_token(eduid: Played) -> None:
    there = (await eduid.client.get("/.well-known/openid-configuration")).json()
    OpenIDProviderMetadata(there).validate()
    assert there["issuer"] == ISSUER
    uri = prepare_grant_uri(
        there["authorization_endpoint"],
        client_id=LOGIN.id,
        response_type="code",
        redirect_uri=BACK,
        scope="openid profile email",
        state="s1",
        nonce="n1",
        login_hint="everything-fine",
        code_challenge=create_s256_code_challenge(VERIFIER),
        code_challenge_method="S256",
    )
    sent = await eduid.client.get(uri.removeprefix(ISSUER), follow_redirects=False)
    found = parse_authorization_code_response(sent.headers["location"], state="s1")
    tokens = (await eduid.redeem(found["code"])).json()
    keys = KeySet.import_key_set((await eduid.client.get(there["jwks_uri"].removeprefix(ISSUER))).json())
    decoded = jwt.decode(tokens["id_token"], keys, algorithms=there["id_token_signing_alg_values_supported"])
    options = {"iss": {"value": ISSUER}, "aud": {"value": LOGIN.id}, "nonce": {"value": "n1"}}
    params = {"access_token": tokens["access_token"], "client_id": LOGIN.id, "nonce": "n1", "max_age": 60}
    claims = CodeIDToken(decoded.claims, decoded.header, options, params)
    claims.validate(now=int(eduid.clock.now().timestamp()))
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    known = (await eduid.client.get(there["userinfo_endpoint"].removeprefix(ISSUER), headers=bearer)).json()
    assert known["sub"] == claims["sub"] == claims["eduid"]
    assert (known["name"], known["email"]) == ("Test Everything-Fine", "everything-fine@example.org")


async def test_a_client_may_show_its_secret_by_http_basic(eduid: Played) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": await eduid.code(),
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    auth = (quote_plus(LOGIN.id), quote_plus(LOGIN.secret))  # RFC 6749 section 2.3.1
    answer = await eduid.client.post("/oidc/token", data=form, auth=auth)
    assert answer.status_code == 200


async def test_a_service_sees_one_pseudonym_for_good_and_another_service_another(eduid: Played) -> None:
    one, again, other = await eduid.claims(), await eduid.claims(), await eduid.claims(OTHER)
    somebody = await eduid.claims(login_hint="everything-fine-2")
    assert one["sub"] == again["sub"]
    assert len({one["sub"], other["sub"], somebody["sub"]}) == 3


async def test_a_signature_has_a_new_subject_each_time_and_says_nothing_of_her(eduid: Played) -> None:
    one, again = await eduid.claims(SIGN, nonce="a"), await eduid.claims(SIGN, nonce="b")
    assert one["sub"] != again["sub"]
    assert set(one) == {"iss", "sub", "aud", "iat", "exp", "auth_time", "acr", "nonce"}
    assert (one["nonce"], again["nonce"]) == ("a", "b")
    tokens = await eduid.tokens(SIGN)
    known = await eduid.client.get("/oidc/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert set(known.json()) == {"sub"}


async def test_a_signing_client_may_ask_no_more_than_openid_and_must_give_a_nonce(eduid: Played) -> None:
    assert back(await eduid.ask(SIGN, scope="openid profile"))["error"] == "invalid_scope"
    assert back(await eduid.ask(SIGN, nonce=""))["error"] == "invalid_request"


async def test_the_id_token_passes_our_own_verifier_by_the_key_on_the_card(eduid: Played) -> None:
    token = (await eduid.tokens(SIGN))["id_token"]
    header, payload = check_jws(token, RSA.public_jwk)
    assert header == {"alg": "RS256", "kid": RSA.kid, "typ": "JWT"}
    assert json.loads(payload)["aud"] == SIGN.id


async def test_the_asked_assurance_comes_back_or_the_call_fails(eduid: Played) -> None:
    assert (await eduid.claims(acr_values=IAP_HIGH))["acr"] == IAP_HIGH
    unmet = await eduid.ask(acr_values="https://eduid.nl/trust/affiliation-student")
    assert back(unmet)["error"] == "unmet_authentication_requirements"


async def test_the_moment_of_authentication_is_now_each_time(eduid: Played) -> None:
    before = (await eduid.claims())["auth_time"]
    eduid.clock.jump(3600)
    assert (await eduid.claims())["auth_time"] == before + 3600


async def test_a_code_works_once_and_a_second_use_takes_the_token_back(eduid: Played) -> None:
    code = await eduid.code()
    access = (await eduid.redeem(code)).json()["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    assert (await eduid.client.get("/oidc/userinfo", headers=bearer)).status_code == 200
    again = await eduid.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await eduid.client.get("/oidc/userinfo", headers=bearer)).status_code == 401


async def test_a_code_lives_a_minute(eduid: Played) -> None:
    code = await eduid.code()
    eduid.clock.jump(60)
    assert (await eduid.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("other", "error", "status"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant", 400),
        ({"code_verifier": ""}, "invalid_grant", 400),
        ({"redirect_uri": "https://portal.test/elsewhere"}, "invalid_grant", 400),
        ({"client_secret": "wrong"}, "invalid_client", 401),
        ({"client_id": OTHER.id, "client_secret": OTHER.secret}, "invalid_grant", 400),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
    ],
)
async def test_a_code_is_for_its_client_its_address_and_its_verifier(
    eduid: Played, other: dict[str, str], error: str, status: int
) -> None:
    answer = await eduid.redeem(await eduid.code(), LOGIN, **other)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid groups"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"login_hint": "nobody"}, "login_required"),
        ({"login_hint": "", "prompt": "none"}, "login_required"),
        ({"login_hint": "cancels-login"}, "access_denied"),
    ],
)
async def test_what_is_wrong_goes_back_to_the_client_with_its_state(
    eduid: Played, other: dict[str, str], error: str
) -> None:
    found = back(await eduid.ask(LOGIN, **other))
    assert (found["error"], found["state"], found["iss"]) == (error, "s1", ISSUER)
    assert "code" not in found


@pytest.mark.parametrize("other", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.test/"}])
async def test_nothing_is_sent_to_an_address_that_nobody_registered(eduid: Played, other: dict[str, str]) -> None:
    answer = await eduid.ask(LOGIN, **other)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_without_a_hint_a_visitor_chooses_who_to_be(eduid: Played) -> None:
    page = await eduid.ask(login_hint="", state='"><script>')
    assert page.headers["content-type"].startswith("text/html")
    assert "login_hint=everything-fine" in page.text
    assert "<script>" not in page.text


async def test_introspection_says_for_whom_a_token_lives(eduid: Played) -> None:
    access = (await eduid.tokens())["access_token"]
    form = {"token": access, "client_id": OTHER.id, "client_secret": OTHER.secret}
    living = (await eduid.client.post("/oidc/introspect", data=form)).json()
    assert (living["active"], living["client_id"]) == (True, LOGIN.id)
    eduid.clock.jump(3600)
    assert (await eduid.client.post("/oidc/introspect", data=form)).json() == {"active": False}


async def test_digid_gives_a_test_number_to_its_client(digid: Played) -> None:
    sector, _, bsn = str((await digid.claims())["sub"]).partition(":")
    assert sector == "s00000000"
    assert bsn == People().get("everything-fine").bsn
    assert eleven_test(bsn)


async def test_an_rsa_key_is_repeatable_and_survives_its_file() -> None:
    again = RsaKey.new(CountedEntropy("id_token"))
    assert again.kid == RSA.kid == RsaKey.from_jwk(RSA.private_jwk).kid
    assert again.sign({"a": 1}) == RSA.sign({"a": 1})
    assert len(base64.urlsafe_b64decode(RSA.public_jwk["n"] + "==")) * 8 == 2048
    assert RsaKey.new(CountedEntropy("other")).kid != RSA.kid

"""The operations, over the real server and in memory."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.infra.http_scene import NOON, CountedEntropy, bind, served
from tests.platform.api.api_scene import BASE, COLLEGE, INSPECTOR, PLATFORM, PORTAL, Leaf, Refused, Scene, offered

from wissel.client import Refusal, SealedFile, Settled, compose
from wissel.core.errors import WisselError
from wissel.infra.http.ports import Request, Response
from wissel.messages.enrolment import NoticeSent
from wissel.messages.envelope import Submission
from wissel.messages.files import JWE_BYTES_MAX
from wissel.messages.verify import b64, sha256
from wissel.platform.api.published import ENTRIES_PER_PAGE
from wissel.platform.api.words import Limits

PROCESS = "01890a5d-ac96-874b-bcce-b302099a8057"
SUBJECT = "urn:wissel:learner:11111111-1111-4111-8111-111111111111"


def notice(scene: Scene, seed: str = "") -> Submission:
    return compose(
        "nl.wissel.notice.sent.v1",
        NoticeSent(title="Key", text="Your locker key is ready."),
        key=scene.directory.keys[COLLEGE],
        source=COLLEGE,
        recipient=SUBJECT,
        subject=SUBJECT,
        grant="g",
        log="log.example",
        now=NOON,
        entropy=CountedEntropy(seed),
    )


async def call(scene: Scene, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
    token = await scene.client()._bearer()
    given = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    return await scene.http.send(Request(method, BASE + path, given, body))


def code_of(answer: Response) -> str:
    return str(msgspec.json.decode(answer.body)["code"])


async def test_a_message_goes_through_the_real_server_and_is_acknowledged() -> None:
    bound = bind()
    scene = Scene(bound.base)
    async with served({"platform": (scene.door, bound)}) as http:
        scene.http = http
        client, message = scene.client(COLLEGE), notice(scene)
        first, again = await client.send(message), await client.send(message)
        assert first == again
        assert first.id == message.envelope.id
        scene.switch.waiting = [offered(1), offered(2)]
        assert await client.pull(1) == [offered(1)]
        assert len(await client.pull()) == 2
        receipts = [Settled(id=each.envelope.id, source=COLLEGE, receipt="a.b.c") for each in await client.pull()]
        assert [each.code for each in await client.settle(receipts)] == ["", ""]
        assert scene.switch.settled == receipts
        view = await scene.client(PORTAL).status(PROCESS, learner="hers")
        assert (view.phase, view.open, scene.switch.learner) == ("open", ("payment",), "hers")
        (hers,) = await scene.client(PORTAL).processes("also hers")
        assert (hers.process, hers.sequence, scene.switch.learner) == (PROCESS, 2, "also hers")
        await scene.client(PORTAL).send(message, learner="hers again")
        assert scene.switch.learner == "hers again"
        assert await client.checkpoint() == scene.audit.note
        assert await client.tile("0/000") == bytes(32 * 256)
    assert set(scene.switch.callers) == {COLLEGE, PORTAL}


async def test_a_first_message_is_answered_202_and_the_same_again_200() -> None:
    scene = Scene()
    body = msgspec.json.encode(notice(scene))
    first, again = await call(scene, "POST", "/v1/messages", body), await call(scene, "POST", "/v1/messages", body)
    assert (first.status, again.status) == (202, 200)
    assert first.body == again.body
    assert set(msgspec.json.decode(first.body)) == {"id", "acknowledgement"}


async def test_the_switch_gets_the_very_bytes_and_the_caller_of_the_token() -> None:
    scene = Scene()
    body = b"  " + msgspec.json.encode(notice(scene)) + b"\n"
    assert (await call(scene, "POST", "/v1/messages", body)).status == 202
    assert list(scene.switch.bodies) == [body]
    assert scene.switch.callers == [PORTAL]


async def test_what_the_switch_refuses_is_answered_in_its_own_words() -> None:
    scene = Scene()
    scene.switch.error = Refused("You may not.", field="/envelope/grant")
    answer = await call(scene, "POST", "/v1/messages", msgspec.json.encode(notice(scene)))
    problem = msgspec.json.decode(answer.body)
    assert answer.status == 403
    assert (problem["code"], problem["field"], problem["detail"]) == ("unknown", "/envelope/grant", "You may not.")
    with pytest.raises(Refusal) as caught:
        await scene.client(COLLEGE).send(notice(scene))
    assert caught.value.problem.code == "unknown"
    assert caught.value.retry_after_s is None


async def test_what_breaks_behind_the_door_says_nothing_of_what_it_held() -> None:
    scene = Scene()
    scene.switch.error = ValueError("SECRET")
    answer = await call(scene, "POST", "/v1/messages", msgspec.json.encode(notice(scene)))
    assert (answer.status, code_of(answer)) == (500, "internal")
    assert b"SECRET" not in answer.body
    assert "SECRET" not in str(scene.log.lines)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b'{"a":1,"a":2}', 400),
        (b"[" * 17 + b"]" * 17, 400),
        (b'{"a":1.5}', 400),
        (b" " * (1024 * 1024) + b"{}", 413),
    ],
)
async def test_a_body_that_is_not_strict_json_never_reaches_the_switch(body: bytes, status: int) -> None:
    scene = Scene()
    answer = await call(scene, "POST", "/v1/messages", body)
    assert answer.status == status
    assert scene.switch.callers == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(body=st.binary(max_size=300) | st.text(alphabet='{}[]":,\\ud0 receipts', max_size=80).map(str.encode))
async def test_no_body_makes_the_door_stumble(body: bytes) -> None:
    scene = Scene()
    for path in ("/v1/messages", "/v1/mailbox/_settle"):
        scene.switch.error = Refused("No.")
        answer = await call(scene, "POST", path, body)
        assert answer.status in {400, 403}
        assert code_of(answer)


@pytest.mark.parametrize("media_type", ["text/plain", "", "application/xml", "application/jsonx"])
async def test_a_body_in_another_media_type_is_refused(media_type: str) -> None:
    scene = Scene()
    headers = {"Content-Type": media_type}
    answer = await call(scene, "POST", "/v1/messages", b"{}", **headers)
    assert (answer.status, code_of(answer)) == (415, "media-type")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"receipts": []}, "/receipts"),
        ({"receipts": [{"id": "x", "source": COLLEGE, "receipt": "a.b.c"}]}, "/receipts/0/id"),
        ({"receipts": [{"id": PROCESS, "source": "x", "receipt": "a.b.c"}]}, "/receipts/0/source"),
        ({"receipts": [{"id": PROCESS, "source": COLLEGE, "receipt": "a b"}]}, "/receipts/0/receipt"),
        ({"receipts": [{"id": PROCESS, "source": COLLEGE, "receipt": "a.b.c", "x": 1}]}, "/receipts/0"),
        ({"receipts": [{"id": PROCESS, "source": COLLEGE, "receipt": "a.b.c"}] * 101}, "/receipts"),
        ({}, ""),
        ([], ""),
    ],
)
async def test_receipts_are_read_whole_or_not_at_all(body: object, field: str) -> None:
    scene = Scene()
    answer = await call(scene, "POST", "/v1/mailbox/_settle", msgspec.json.encode(body))
    assert answer.status == 400
    assert msgspec.json.decode(answer.body).get("field", "") == field
    assert scene.switch.settled == []


@pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?limit=-1", "?limit=x", "?limit=1.5", "?limit="])
async def test_a_limit_outside_1_to_100_is_refused(query: str) -> None:
    answer = await call(Scene(), "GET", f"/v1/mailbox{query}")
    assert (answer.status, msgspec.json.decode(answer.body)["field"]) == (400, "limit")


async def test_a_lane_is_asked_for_by_its_process() -> None:
    scene = Scene()
    answer = await call(scene, "GET", f"/v1/mailbox/{PROCESS}")
    sealed = {"id": PROCESS, "acknowledgement": "a.b.c", "jwe": "a..b.c.d", "until": "2026-12-31"}
    assert (answer.status, msgspec.json.decode(answer.body)) == (200, {"sealed": [sealed]})


@pytest.mark.parametrize("process", ["x", PROCESS.upper(), PROCESS + "0", "..", "%2e%2e", "a%2Fb"])
async def test_what_is_no_process_id_never_reaches_the_switch(process: str) -> None:
    scene = Scene()
    for path in ("processes", "mailbox"):
        assert (await call(scene, "GET", f"/v1/{path}/{process}")).status in {400, 404, 405}
    assert scene.switch.callers == []


async def test_each_participant_has_its_own_rate_and_hears_when_to_come_back() -> None:
    scene = Scene(limits=Limits(calls_burst=2, calls_per_second=0.5))
    portal, college = scene.client(PORTAL), scene.client(COLLEGE)
    await portal.pull()
    await portal.pull()
    with pytest.raises(Refusal) as caught:
        await portal.pull()
    assert caught.value.problem.status == 429
    assert caught.value.retry_after_s == 2
    await college.pull()
    scene.clock.forward(2)
    await portal.pull()


async def test_health_says_whether_it_lives_and_whether_it_can_work() -> None:
    scene = Scene()
    assert (await scene.http.send(Request("GET", f"{BASE}/v1/health/live"))).status == 204
    assert (await scene.http.send(Request("GET", f"{BASE}/v1/health/ready"))).status == 204
    scene.health.wrong = ["log-stalled"]
    answer = await scene.http.send(Request("GET", f"{BASE}/v1/health/ready"))
    assert (answer.status, code_of(answer)) == (503, "not-ready")
    assert b"log-stalled" in answer.body
    assert (await scene.http.send(Request("GET", f"{BASE}/v1/health/live"))).status == 204


async def test_only_named_addresses_are_open_to_strangers() -> None:
    """Every route of the application, asked without a token: 401, but for the list below."""
    scene = Scene()
    open_to_all = {
        "/v1/oauth/token",
        "/v1/health/live",
        "/v1/health/ready",
        "/v1/openapi.json",
        "/v1/participants",
        "/v1/participants/{urn}",
        "/log/checkpoint",
        "/log/revocations",
        "/log/tile/{level}/{number}",
    }
    seen = set()
    for route in scene.door.app.routes:
        for method in route.methods:
            path = route.path_format.replace("{process}", PROCESS).replace("{index}", "0").replace("{level}", "0")
            path = path.replace("/{number}", "/000")
            answer = await scene.http.send(Request(method, BASE + path))
            if route.path_format in open_to_all:
                seen.add(route.path_format)
                assert answer.status != 401 or method == "OPTIONS"
            else:
                assert answer.status in {401, 403}, (method, path)
    assert seen == open_to_all
    assert scene.switch.callers == []


async def test_the_description_is_open_to_any_website() -> None:
    answer = await Scene().http.send(Request("GET", f"{BASE}/v1/openapi.json"))
    assert answer.headers["access-control-allow-origin"] == "*"
    found = msgspec.json.decode(answer.body)
    assert found["openapi"].startswith("3.1")
    assert found["servers"][0]["url"] == f"{BASE}/v1"


async def test_the_log_of_calls_names_organisations_and_routes_only() -> None:
    scene = Scene()
    await scene.client(PORTAL).status(PROCESS, learner="SECRET")
    await scene.client(COLLEGE).send(notice(scene))
    lines = [line for line in scene.log.lines if line["event"] == "http.answered"]
    assert [(line["route"], line["caller"]) for line in lines] == [
        ("/v1/oauth/token", ""),
        ("/v1/processes/{process}", PORTAL),
        ("/v1/oauth/token", ""),
        ("/v1/messages", COLLEGE),
    ]
    for marker in ("SECRET", PROCESS, "locker", SUBJECT, "eyJ"):
        assert marker not in str(scene.log.lines)


# --- the audit log -------------------------------------------------------------------------------------------


async def public(scene: Scene, path: str) -> Response:
    return await scene.http.send(Request("GET", BASE + path))


async def test_the_checkpoint_is_text_and_always_asked_anew() -> None:
    scene = Scene()
    answer = await public(scene, "/log/checkpoint")
    assert answer.body.decode() == scene.audit.note
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    scene.audit.note = ""
    assert (await public(scene, "/log/checkpoint")).status == 404


@pytest.mark.parametrize(
    ("path", "size"),
    [("0/000", 256), ("0/000.p/1", 1), ("0/000.p/255", 255), ("0/x001/x234/067", 256), ("0/x001/x234/067.p/8", 8)],
)
async def test_tiles_have_their_c2sp_paths(path: str, size: int) -> None:
    answer = await public(Scene(), f"/log/tile/{path}")
    assert (answer.status, len(answer.body)) == (200, size * 32)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert ("immutable" in answer.headers["cache-control"]) is (size == 256)


@pytest.mark.parametrize(
    "path",
    [
        "0/0",
        "0/0000",
        "0/001",
        "0/x000/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p/",
        "0/000.p",
        "0/x001/x234/67",
        "0/1234/067",
        "8/000",
        "-1/000",
        "x/000",
        "0/000/",
        "0/\u0660\u0660\u0660",
        "0/" + "x999/" * 6 + "999",
    ],
)
async def test_no_other_path_is_a_tile(path: str) -> None:
    assert (await public(Scene(), f"/log/tile/{path}")).status in {400, 404}


async def test_entries_are_for_their_parties_and_bundles_for_the_inspector() -> None:
    scene = Scene()

    async def ask(urn: str, path: str) -> Response:
        headers = {"Authorization": f"Bearer {await scene.client(urn)._bearer()}"}
        return await scene.http.send(Request("GET", BASE + path, headers))

    assert (await ask(COLLEGE, "/log/entries/0")).status == 200
    assert (await ask(COLLEGE, "/log/entries/1")).status == 404
    assert (await ask(COLLEGE, "/log/entries/7")).status == 404
    answer = msgspec.json.decode((await ask(COLLEGE, f"/log/entries?process={PROCESS}")).body)
    assert [each["index"] for each in answer["entries"]] == [0, 2]
    answer = msgspec.json.decode((await ask(PORTAL, f"/log/entries?process={PROCESS}")).body)
    assert [each["entry"]["salt"] for each in answer["entries"]] == ["b"]
    assert (await ask(COLLEGE, "/log/entries")).status == 400
    assert (await ask(INSPECTOR, "/log/tile/entries/000.p/3")).body == b"bundle"
    assert (await ask(INSPECTOR, "/log/tile/entries/001")).status == 404
    assert (await ask(COLLEGE, "/log/tile/entries/000.p/3")).status == 403


async def test_entries_of_a_process_come_page_by_page_and_none_is_lost() -> None:
    scene = Scene()
    made = [
        Leaf(number, msgspec.json.encode({"source": COLLEGE if number % 2 else PORTAL}), log)
        for log in (1, 2)
        for number in range(ENTRIES_PER_PAGE)
    ]
    scene.audit.leaves = made
    headers = {"Authorization": f"Bearer {await scene.client(COLLEGE)._bearer()}"}
    found, after = list[int](), ""
    for _ in range(3):
        path = f"/log/entries?process={PROCESS}" + (f"&after={after}" if after else "")
        answer = msgspec.json.decode((await scene.http.send(Request("GET", BASE + path, headers))).body)
        found += [each["index"] for each in answer["entries"]]
        after = answer.get("next", "")
        if not after:
            break
    assert found == [leaf.index for leaf in made if leaf.index % 2]
    for wrong in ("x", "1", "1.", "-1.0", "1.2.3", "1" * 20 + ".0"):
        path = f"/log/entries?process={PROCESS}&after={wrong}"
        assert (await scene.http.send(Request("GET", BASE + path, headers))).status == 400, wrong


FILES = f"/v1/files?process={PROCESS}&recipient={COLLEGE}"


async def test_a_file_goes_in_and_out_over_the_real_server_larger_than_any_message() -> None:
    bound = bind()
    scene = Scene(bound.base)
    jwe = b"a" * (JWE_BYTES_MAX - 1)
    async with served({"platform": (scene.door, bound)}) as http:
        scene.http = http
        client, message = scene.client(COLLEGE), notice(scene)
        file = SealedFile(b64(sha256(jwe)), jwe, hers=True, special=True)
        await client.upload(file, message.envelope)
        asked, _ = scene.switch.files[file.hash]
        assert (asked.process, asked.recipient, asked.dataclass) == (message.envelope.process, SUBJECT, "special")
        assert await client.download(file.hash) == jwe


async def test_a_file_is_answered_201_and_the_same_again_200() -> None:
    scene, jose = Scene(), {"Content-Type": "application/jose"}
    answers = [await call(scene, "POST", FILES, b"e..e.e.e", **jose) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 200]
    assert {answer.body for answer in answers} == {msgspec.json.encode({"file": b64(sha256(b"e..e.e.e"))})}


@pytest.mark.parametrize(
    ("path", "body", "media_type", "status"),
    [
        (FILES, b"{}", "application/json", 415),
        (FILES, b"x" * (JWE_BYTES_MAX + 1), "application/jose", 413),
        (f"/v1/files?process={PROCESS}", b"x", "application/jose", 400),
        (f"/v1/files?process=me&recipient={COLLEGE}", b"x", "application/jose", 400),
        (f"/v1/files?process={PROCESS}&recipient=mailto:noor@example.org", b"x", "application/jose", 400),
        (f"{FILES}&dataclass=none", b"x", "application/jose", 400),
        ("/v1/messages", b"x" * (1024 * 1024 + 1), "application/json", 413),
    ],
)
async def test_what_is_no_upload_never_reaches_the_switch(path: str, body: bytes, media_type: str, status: int) -> None:
    scene = Scene()
    answer = await call(scene, "POST", path, body, **{"Content-Type": media_type})
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert scene.switch.files == {}


async def test_files_are_for_who_has_a_token_with_the_scope() -> None:
    scene = Scene()
    digest = "A" * 43
    for method, path in (("POST", FILES), ("GET", f"/v1/files/{digest}")):
        bare = await scene.http.send(Request(method, BASE + path, {"Content-Type": "application/jose"}, b"x"))
        assert (bare.status, code_of(bare)) == (401, "unauthenticated")
    token = await scene.client(INSPECTOR)._bearer()
    headers = {"Authorization": f"Bearer {token}"}
    assert (await scene.http.send(Request("GET", f"{BASE}/v1/files/{digest}", headers))).status == 403
    assert (await call(scene, "GET", "/v1/files/..%2Fetc")).status in {400, 404}
    assert scene.switch.callers == []


def test_every_error_of_the_api_has_a_code_of_its_own() -> None:
    def below(kind: type[WisselError]) -> list[type[WisselError]]:
        return [each for child in kind.__subclasses__() for each in (child, *below(child))]

    mine = [kind for kind in below(WisselError) if kind.__module__.startswith(("wissel.platform.api", "wissel.infra"))]
    codes: list[Any] = [kind.code for kind in mine]
    assert len(mine) > 8
    assert len(codes) == len(set(codes))
    assert PLATFORM.kid not in codes

"""Talks to the platform for one participant: gets a token, sends, pulls, settles and looks."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from wissel.client.compose import commitment_of
from wissel.client.errors import AnswerInvalid, Refusal
from wissel.client.files import SealedFile
from wissel.client.words import (
    ASSERTION,
    PULL_MAX,
    SETTLE_MAX,
    Lane,
    LearnerProcess,
    LearnerProcesses,
    Mailbox,
    ProcessView,
    Receipts,
    SealedMessage,
    Sent,
    Settled,
    Settlement,
    Settlements,
    TokenAnswer,
    Uploaded,
)
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.http.jwt import NotValid, after, kid_of, seconds, sign_jwt
from wissel.infra.http.ports import Http, Request, Response
from wissel.infra.http.problem import read_problem
from wissel.messages.envelope import Envelope, Offered, Submission
from wissel.messages.files import JWE_BYTES_MAX
from wissel.messages.jose import SigningKey
from wissel.messages.records import hash_proof, read_acknowledgement
from wissel.messages.verify import Refused, b64, sha256

ASSERTION_S: Final = 60
FILE_S: Final = 60.0  # that one file may take, either way
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024  # a mailbox of 8 MiB, as JSON
JSON: Final = "application/json"
JOSE: Final = "application/jose"
SPARE_S: Final = 30  # a token is renewed this long before its end
_AGAIN_S: Final = 30.0  # when a refusal is temporary and does not say how long
_TEMPORARY: Final = frozenset({401, 408, 429, 500, 502, 503, 504})  # 401 is about the caller, whose card can be mended
_T = TypeVar("_T")


class Client:
    """One participant at the platform at `base` (say "https://wissel.example", without /v1).

    `urn` and `key` are the participant's own; its card at the platform has the public half. `platform` maps kid ->
    public JWK of the platform's signing keys: with it each acknowledgement is checked against what was sent.
    Every call raises Unreachable (no answer; try later), Refusal (the platform said no) or AnswerInvalid.
    """

    def __init__(
        self,
        http: Http,
        clock: Clock,
        entropy: Entropy,
        *,
        base: str,
        urn: str,
        key: SigningKey,
        platform: Mapping[str, Mapping[str, str]] | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self._http = http
        self._clock = clock
        self._entropy = entropy
        self._base = base.rstrip("/")
        self._key = key
        self._platform = {} if platform is None else platform  # it may grow: whoever follows keeps it current
        self._timeout_s = timeout_s
        self._token = ""
        self._token_until = clock.now()
        self.urn = urn

    async def send(self, submission: Submission | bytes, *, learner: str = "") -> Sent:
        """Send a message, or exactly the bytes of one; sending the same bytes again gives the same answer.

        `learner` is the token of the learner who is logged in, where the message is hers.
        """
        body = submission if isinstance(submission, bytes) else msgspec.json.encode(submission)
        answer = await self._call("POST", "/v1/messages", body, headers=_for(learner))
        sent = _read(answer, Sent)
        if self._platform:
            self._check(body, sent.acknowledgement)
        return sent

    async def upload(self, file: SealedFile, envelope: Envelope) -> None:
        """Upload a sealed file before the message that names it; the same file again changes nothing."""
        asked = {"process": envelope.process, "recipient": file.recipient(envelope)}
        query = urlencode({**asked, "dataclass": "special" if file.special else "personal"})
        answer = await self._call("POST", f"/v1/files?{query}", file.jwe, kind=JOSE)
        if _read(answer, Uploaded).file != file.hash:
            raise AnswerInvalid("The platform took in other bytes than were uploaded.")

    async def download(self, digest: str) -> bytes:
        """Return the sealed file that a message to us names by the hash of its sealed form."""
        found = (await self._call("GET", f"/v1/files/{digest}", kind=JOSE)).body
        if b64(sha256(found)) != digest:
            raise AnswerInvalid("The platform handed out other bytes than the message names.")
        return found

    async def pull(self, limit: int = PULL_MAX) -> list[Offered]:
        """Return the messages that wait, one per lane. Nothing changes until they are settled."""
        answer = await self._call("GET", f"/v1/mailbox?limit={limit}")
        return list(_read(answer, Mailbox).offered)

    async def lane(self, process: str) -> list[SealedMessage]:
        """Return what comes next, sealed, for a learner who downloads here, in one process; empty: nothing waits."""
        return list(_read(await self._call("GET", f"/v1/mailbox/{process}"), Lane).sealed)

    async def settle(self, settled: Sequence[Settled]) -> list[Settlement]:
        """Hand in receipts; return what became of each, in order. More than 100 go in several calls."""
        done: list[Settlement] = []
        for start in range(0, len(settled), SETTLE_MAX):
            body = msgspec.json.encode(Receipts(receipts=tuple(settled[start : start + SETTLE_MAX])))
            answer = await self._call("POST", "/v1/mailbox/_settle", body)
            done += _read(answer, Settlements).settled
        return done

    async def status(self, process: str, *, learner: str = "") -> ProcessView:
        """Return where a process stands; only its portal may ask. `learner` is her token, where she is there."""
        answer = await self._call("GET", f"/v1/processes/{process}", headers=_for(learner))
        return _read(answer, ProcessView)

    async def processes(self, learner: str) -> list[LearnerProcess]:
        """Return what runs for the learner whose token this is, begun at this portal on whichever device."""
        answer = await self._call("GET", "/v1/processes", headers=_for(learner))
        return list(_read(answer, LearnerProcesses).processes)

    async def checkpoint(self) -> str:
        """Return the audit log's newest checkpoint, a signed note. Anybody may ask."""
        return (await self._public("/log/checkpoint")).decode()

    async def tile(self, path: str) -> bytes:
        """Return a tile of the audit log by its C2SP path, such as "0/x001/234" or "0/000.p/17"."""
        return await self._public(f"/log/tile/{path}")

    async def revocations(self) -> bytes:
        """Return the signed list of revoked keys."""
        return await self._public("/log/revocations")

    async def _public(self, path: str) -> bytes:
        answer = await self._http.send(Request("GET", self._base + path, timeout_s=self._timeout_s))
        return _checked(answer).body

    async def _call(
        self, method: str, path: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None, kind: str = JSON
    ) -> Response:
        """Call with a token; when it is no longer taken (the platform has a new key), once more with a new one."""
        more = {**(headers or {}), **({"Content-Type": kind} if body else {})}
        large = kind == JOSE
        request = Request(
            method,
            self._base + path,
            body=body,
            timeout_s=FILE_S if large else self._timeout_s,
            answer_bytes_max=JWE_BYTES_MAX if large else ANSWER_BYTES_MAX,
        )
        answer = await self._authorized(request, more)
        if answer.status == 401:  # noqa: PLR2004 - RFC 6750: the token is not taken
            self._token = ""
            answer = await self._authorized(request, more)
        return _checked(answer)

    async def _authorized(self, request: Request, more: Mapping[str, str]) -> Response:
        headers = {"Authorization": f"Bearer {await self._bearer()}", **more}
        return await self._http.send(request._replace(headers=headers))

    async def _bearer(self) -> str:
        now = self._clock.now()
        if not self._token or after(now, SPARE_S) >= self._token_until:
            answer = _read(await self._ask_token(), TokenAnswer)
            self._token, self._token_until = answer.access_token, after(now, answer.expires_in)
        return self._token

    async def _ask_token(self) -> Response:
        """Client authentication by private_key_jwt (RFC 7523), client_credentials (RFC 6749 section 4.4)."""
        url = f"{self._base}/v1/oauth/token"
        now = seconds(self._clock.now())
        claims = {
            "iss": self.urn,
            "sub": self.urn,
            "aud": url,
            "iat": now,
            "exp": now + ASSERTION_S,
            "jti": b64(self._entropy.draw(16)),
        }
        form = {
            "grant_type": "client_credentials",
            "client_id": self.urn,
            "client_assertion_type": ASSERTION,
            "client_assertion": sign_jwt(self._key, "JWT", claims),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        answer = await self._http.send(Request("POST", url, headers, body, self._timeout_s))
        if answer.status >= 300:  # noqa: PLR2004 - whatever is wrong with the caller, its messages may be well
            raise Refusal(read_problem(answer.status, answer.body), _retry_after(answer) or _AGAIN_S)
        return answer

    def _check(self, body: bytes, acknowledgement: str) -> None:
        """Hold the counter-signature to what was sent: this commitment, this proof of the sender."""
        submission = msgspec.json.decode(body, type=Submission)
        try:
            jwk = self._platform[kid_of(acknowledgement)]
            found = read_acknowledgement(acknowledgement, jwk)
            fits = found.commitment == b64(commitment_of(submission))
        except (KeyError, Refused, NotValid) as error:
            raise AnswerInvalid(f"The acknowledgement is not signed by the platform: {error}") from None
        if not fits or found.sender != hash_proof(submission.sender):
            raise AnswerInvalid("The acknowledgement is about another message than the one sent.")


def _for(learner: str) -> dict[str, str]:
    return {"Learner-Token": learner} if learner else {}


def _checked(answer: Response) -> Response:
    if answer.status < 300:  # noqa: PLR2004 - redirects are refusals here
        return answer
    problem = read_problem(answer.status, answer.body)
    raise Refusal(problem, _retry_after(answer))


def _retry_after(answer: Response) -> float | None:
    if answer.status not in _TEMPORARY:
        return None
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 7 else _AGAIN_S  # noqa: PLR2004 - eleven days at most


def _read(answer: Response, shape: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except msgspec.MsgspecError:
        raise AnswerInvalid(f"The platform's answer is not a {shape.__name__}.") from None

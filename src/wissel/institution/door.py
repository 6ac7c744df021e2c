"""The connector's door, over HTTP: pushes, copies and the witness for the platform; a desk for its own people.

Each institution that is served has its own place: `/<short>/messages`, `/copies`, `/add-checkpoint`, `/desk/…`.
docs/connector.md tells it call by call.
"""

import hmac
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal, NamedTuple, Protocol

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.config import OpenAPIConfig
from litestar.params import FromPath, QueryParameter, RawBody

from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.http.door import Connection, open_door, public
from wissel.infra.http.door import Door as HttpDoor
from wissel.infra.http.errors import Unauthenticated
from wissel.infra.http.proof import HEADER, Proofs
from wissel.infra.http.strict import read_json
from wissel.infra.telemetry.log import Log
from wissel.institution.connector.check import platform_key
from wissel.institution.connector.copies import Copies, Delivered
from wissel.institution.connector.desk import Desk
from wissel.institution.connector.house import Served
from wissel.institution.connector.receive import receive
from wissel.institution.connector.words import OpenTask
from wissel.institution.errors import NotDecidable, NotServed
from wissel.institution.words import Decision, GateDecision
from wissel.messages.envelope import UUID, Offered
from wissel.messages.fields import OpenGate, Text
from wissel.messages.grounds import GroundCode
from wissel.messages.holds import HoldGround, HoldRole
from wissel.messages.jose import hash64
from wissel.messages.payments import FeeStated

BODY_MAX: Final = 32 * 1024 * 1024
PUSHED_MAX: Final = 100

Asking = Request[Any, Any, Any]


class Cosigner(Protocol):
    """A witness of the platform's log (C2SP tlog-witness)."""

    async def add_checkpoint(self, body: str, now: Any) -> tuple[int, str]:
        """Answer with a status and a body."""
        ...


class Place(NamedTuple):
    """One institution behind the door. `desk_hash` is base64url SHA-256 of its people's token; empty: no desk."""

    served: Served
    copies: Copies
    desk: Desk
    proofs: Proofs
    witness: Cosigner | None
    desk_hash: str


class Places(NamedTuple):
    """All places behind one door, and the door's own public address."""

    by_name: Mapping[str, Place]
    base: str

    def find(self, short: str) -> Place:
        """Return a place. Raises NotServed."""
        place = self.by_name.get(short)
        if place is None:
            raise NotServed("This connector serves no institution of that name.")
        return place

    def proven(self, request: Asking, short: str, body: bytes) -> Place:
        """Return a place for the platform, which proves who it is. Raises NotServed or ProofRefused."""
        place = self.find(short)
        url = f"{self.base}{request.url.path}"
        place.proofs.check(request.headers.get(HEADER, ""), method=request.method, url=url, body=body)
        return place

    def staffed(self, request: Asking, short: str) -> Desk:
        """Return the desk for who bears its token. Raises NotServed or Unauthenticated."""
        place = self.find(short)
        token = _bearer(request)
        if not place.desk_hash or not hmac.compare_digest(place.desk_hash, hash64(token)):
            raise Unauthenticated("This is not the token of this institution's desk (keys/desk.txt).")
        return place.desk


def _bearer(connection: Connection) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("This needs a token: Authorization: Bearer <token>.")
    return token.strip()


async def by_proof(connection: Connection) -> None:
    """Access rule: who signs the call; the handler checks the signature over the body."""
    if not connection.headers.get(HEADER):
        raise Unauthenticated(f"This needs a {HEADER} header.")


async def by_desk_token(connection: Connection) -> None:
    """Access rule: who bears a token; the handler compares it with that of the institution's desk."""
    _bearer(connection)


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A body that is whole."""


class Pushed(_Strict, frozen=True, kw_only=True):
    """Messages that the platform pushes: as it would have offered them."""

    messages: Annotated[tuple[Offered, ...], msgspec.Meta(min_length=1, max_length=PUSHED_MAX)]


class Receipt(_Strict, frozen=True, kw_only=True):
    """Our signed receipt of one pushed message."""

    id: str
    source: str
    receipt: str


class Receipts(_Strict, frozen=True, kw_only=True):
    """The receipts of what was pushed; what the platform did not sign for has none."""

    receipts: tuple[Receipt, ...]


class Stored(_Strict, frozen=True, kw_only=True):
    """The copies that are safe now."""

    stored: tuple[str, ...]


class Admission(_Strict, frozen=True, kw_only=True):
    """A person decides on admission."""

    process: str
    decision: Decision
    role: str
    ground: GroundCode | None = None
    text: Text = ""
    evidence: tuple[str, ...] = ()
    conditions: tuple[OpenGate, ...] = ()


class GateJudged(_Strict, frozen=True, kw_only=True):
    """A person decides on a gate."""

    process: str
    gate: OpenGate
    decision: GateDecision
    role: str
    ground: str
    text: Text = ""


class Fee(_Strict, frozen=True, kw_only=True):
    """A person states a fee."""

    process: str
    fee: FeeStated


class Number(_Strict, frozen=True, kw_only=True):
    """A person enters a BSN or onderwijsnummer."""

    process: str
    number: str


class Notice(_Strict, frozen=True, kw_only=True):
    """A person writes to a learner, also long after the process."""

    process: str
    title: str
    text: Text


class Hold(_Strict, frozen=True, kw_only=True):
    """A named role holds the copies of a process, on a ground, until a day of its own."""

    process: str
    role: HoldRole
    ground: HoldGround
    until: str


class HoldOver(_Strict, frozen=True, kw_only=True):
    """A named role ends a hold before its end date."""

    process: str
    role: HoldRole
    ground: HoldGround


class Held(_Strict, frozen=True, kw_only=True):
    """A hold that stands. `told`: empty (the word of it is on its way), "told", or why the learner was not told."""

    process: str
    ground: str
    role: str
    since: str
    until: str
    told: str
    copies: int


class Listed(_Strict, frozen=True, kw_only=True):
    """What is here: tasks for a person, cases as (process, phase), what is still on its way out, and what is held."""

    tasks: tuple[OpenTask, ...]
    cases: tuple[tuple[str, str], ...]
    outgoing: tuple[tuple[str, str, str, str], ...]
    holds: tuple[Held, ...]


def _json(value: msgspec.Struct, status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")


@post("/{short:str}/messages", access=by_proof)
async def push(
    request: Asking, short: FromPath[str], body: RawBody, places: NamedDependency[Places]
) -> Response[bytes]:
    """Take in pushed messages and answer with signed receipts."""
    place = places.proven(request, short, body)
    answers = [await receive(place.served, each) for each in read_json(body, Pushed).messages]
    signed = [Receipt(id=one.id, source=one.source, receipt=one.receipt) for one in answers if one.receipt]
    return _json(Receipts(receipts=tuple(signed)))


@post("/{short:str}/copies", access=by_proof)
async def deliver(
    request: Asking, short: FromPath[str], body: RawBody, places: NamedDependency[Places]
) -> Response[bytes]:
    """Take sealed copies into the institution's own vault."""
    place = places.proven(request, short, body)
    return _json(Stored(stored=tuple(await place.copies.store(read_json(body, Delivered).copies))))


@post("/{short:str}/add-checkpoint", access=public)
async def add_checkpoint(short: FromPath[str], body: RawBody, places: NamedDependency[Places]) -> Response[str]:
    """Cosign a checkpoint: anybody may ask, the log's own signature decides (C2SP tlog-witness)."""
    place = places.find(short)
    if place.witness is None:
        raise NotServed("This institution is no witness.")
    status, text = await place.witness.add_checkpoint(body.decode("utf-8", "replace"), place.served.clock.now())
    conflict = status == 409  # noqa: PLR2004 - C2SP tlog-witness: the body is the size that the witness knows
    return Response(text, status_code=status, media_type="text/x.tlog.size" if conflict else "text/plain")


@get("/{short:str}/desk", access=by_desk_token)
async def look(request: Asking, short: FromPath[str], places: NamedDependency[Places]) -> Response[bytes]:
    """List what waits, what is under way and what goes out."""
    desk = places.staffed(request, short)
    cases = tuple((case.process, case.ended or case.admission or "collecting") for case in await desk.cases())
    held = tuple(
        Held(**{name: value for name, value in each._asdict().items() if name != "held"}, copies=len(each.held))
        for each in await desk.holds()
    )
    return _json(
        Listed(tasks=tuple(await desk.tasks()), cases=cases, outgoing=tuple(await desk.outgoing()), holds=held)
    )


@post("/{short:str}/desk/admissions", access=by_desk_token, status_code=204)
async def decide(request: Asking, short: FromPath[str], body: RawBody, places: NamedDependency[Places]) -> None:
    """Decide on admission."""
    asked = read_json(body, Admission)
    await places.staffed(request, short).decide(
        asked.process,
        asked.decision,
        role=asked.role,
        ground=asked.ground,
        text=asked.text,
        evidence=asked.evidence,
        conditions=asked.conditions,
    )


@post("/{short:str}/desk/gates", access=by_desk_token, status_code=204)
async def decide_gate(request: Asking, short: FromPath[str], body: RawBody, places: NamedDependency[Places]) -> None:
    """Decide on a gate."""
    asked = read_json(body, GateJudged)
    await places.staffed(request, short).decide_gate(
        asked.process, asked.gate, asked.decision, role=asked.role, ground=asked.ground, text=asked.text
    )


@post("/{short:str}/desk/fees", access=by_desk_token, status_code=204)
async def state_fee(request: Asking, short: FromPath[str], body: RawBody, places: NamedDependency[Places]) -> None:
    """State a fee."""
    asked = read_json(body, Fee)
    await places.staffed(request, short).state_fee(asked.process, asked.fee)


@post("/{short:str}/desk/numbers", access=by_desk_token, status_code=204)
async def enter_number(request: Asking, short: FromPath[str], body: RawBody, places: NamedDependency[Places]) -> None:
    """Enter a national number."""
    asked = read_json(body, Number)
    await places.staffed(request, short).enter_number(asked.process, asked.number)


@post("/{short:str}/desk/notices", access=by_desk_token, status_code=204)
async def send_later(request: Asking, short: FromPath[str], body: RawBody, places: NamedDependency[Places]) -> None:
    """Write to a learner by her delivery capability."""
    asked = read_json(body, Notice)
    await places.staffed(request, short).send_later(asked.process, title=asked.title, text=asked.text)


@post("/{short:str}/desk/holds", access=by_desk_token, status_code=204)
async def hold(request: Asking, short: FromPath[str], body: RawBody, places: NamedDependency[Places]) -> None:
    """Hold the copies of a process, or give a hold that stands another end date."""
    asked = read_json(body, Hold)
    try:
        until = date.fromisoformat(asked.until)
    except ValueError:
        raise NotDecidable("This is not a day: YYYY-MM-DD.", field="until") from None
    await places.staffed(request, short).hold(asked.process, role=asked.role, ground=asked.ground, until=until)


@post("/{short:str}/desk/holds/_end", access=by_desk_token, status_code=204)
async def end_hold(request: Asking, short: FromPath[str], body: RawBody, places: NamedDependency[Places]) -> None:
    """End a hold before its end date."""
    asked = read_json(body, HoldOver)
    await places.staffed(request, short).end_hold(asked.process, role=asked.role, ground=asked.ground)


class FileLine(_Strict, frozen=True, kw_only=True):
    """A file that came with a message: fetch it by its hash."""

    hash: str
    kind: str
    name: str
    mediatype: str
    size: int


class Files(_Strict, frozen=True, kw_only=True):
    """The files of one process that have not ended."""

    files: tuple[FileLine, ...]


@get("/{short:str}/desk/files", access=by_desk_token)
async def list_files(
    request: Asking,
    short: FromPath[str],
    process: Annotated[str, QueryParameter(pattern=UUID)],
    places: NamedDependency[Places],
) -> Response[bytes]:
    """List the files of a process."""
    found = await places.staffed(request, short).files(process)
    fields = ("hash", "kind", "name", "mediatype", "size")
    return _json(Files(files=tuple(FileLine(**{name: getattr(each, name) for name in fields}) for each in found)))


@get("/{short:str}/desk/files/{digest:str}", access=by_desk_token)
async def read_file(
    request: Asking, short: FromPath[str], digest: FromPath[str], places: NamedDependency[Places]
) -> Response[bytes]:
    """Open one file. It is always a download: nothing that somebody sent is shown in a page of ours."""
    found, plain = await places.staffed(request, short).file(digest)
    return Response(plain, media_type=found.mediatype, headers={"Content-Disposition": "attachment"})


class Alive(_Strict, frozen=True, kw_only=True):
    """The door is open."""

    status: Literal["ok"] = "ok"


@get("/health", access=public)
async def health() -> Response[bytes]:
    """Say that the door is open."""
    return _json(Alive())


def make_place(served: Served, *, witness: Cosigner | None, desk_hash: str) -> Place:
    """Return the place of one institution behind the door."""
    proofs = Proofs(served.clock, lambda kid: platform_key(kid, served.directory))
    return Place(served, Copies(served), Desk(served), proofs, witness, desk_hash)


def make_door(places: Places, *, clock: Clock, entropy: Entropy, log: Log) -> HttpDoor:
    """Return the connector's application."""
    return open_door(
        [
            *(push, deliver, add_checkpoint, look, decide, decide_gate, state_fee),
            *(enter_number, send_later, hold, end_hold, list_files, read_file, health),
        ],
        clock=clock,
        entropy=entropy,
        log=log,
        version="1.0.0",
        given={"places": places},
        openapi=OpenAPIConfig(title="Wissel connector", version="1.0.0"),
        body_bytes_max=BODY_MAX,
    )

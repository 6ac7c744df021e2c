"""The door of a provider of vaults, over HTTP. docs/vault.md tells it call by call.

The platform delivers with a token of the learner and a `Wissel-Proof`; all others come with a token alone.
"""

from typing import Annotated, Any, Final, NamedTuple

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.config import OpenAPIConfig
from litestar.params import FromPath, QueryParameter, RawBody

from wissel.client.vaults import NoGrant
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.http.door import Connection, open_door, public
from wissel.infra.http.door import Door as HttpDoor
from wissel.infra.http.proof import HEADER, KeyOf, Proofs
from wissel.infra.http.rate import Buckets
from wissel.infra.http.strict import read_json
from wissel.infra.telemetry.log import Log
from wissel.learner.grants import Act
from wissel.learner.ports import VaultStore
from wissel.learner.provider import Provider
from wissel.learner.words import (
    OPENINGS_BURST,
    OPENINGS_PER_SECOND,
    Asked,
    Copies,
    CopyList,
    EndDate,
    FileList,
    Grant,
    Grants,
    Messages,
    Opening,
    Receipts,
    SealedProfile,
    Stored,
    Waiting,
)

BODY_MAX: Final = 32 * 1024 * 1024

Asking = Request[Any, Any, Any]
Until = Annotated[str, QueryParameter(max_length=10, description="The last day on which it may exist, YYYY-MM-DD.")]


class Door(NamedTuple):
    """What the handlers work with. `base` is the provider's own public address, as it stands in `Wissel-Proof`."""

    provider: Provider
    proofs: Proofs
    base: str
    openings: Buckets

    def enter(self, request: Asking, vault: str, act: Act) -> tuple[VaultStore, Grant]:
        """Return drawers and grant of who comes with a token. Raises as `client.vaults` has it."""
        return self.provider.admit(vault, _token(request), act)

    def deliver(self, request: Asking, vault: str, body: bytes) -> VaultStore:
        """Return the drawers for the platform, which also proves who it is. Raises ProofRefused and as `enter`."""
        url = f"{self.base}{request.url.path}"
        self.proofs.check(request.headers.get(HEADER, ""), method=request.method, url=url, body=body)
        return self.enter(request, vault, "deliver")[0]


def _token(connection: Connection) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NoGrant("This request bears no token: Authorization: Bearer <token>.")
    return token.strip()


async def by_token(connection: Connection) -> None:
    """Access rule: who bears a token; the handler looks up what the vault's owner granted it."""
    _token(connection)


def _json(value: msgspec.Struct, status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")


@post("/v", access=public)
async def open_vault(request: Asking, body: RawBody, door: NamedDependency[Door]) -> Response[bytes]:
    """Open a vault, for whoever made a key: anybody may, and nobody may take them all."""
    door.openings.take(request.client.host if request.client else "")
    return _json(door.provider.open(read_json(body, Opening)), 201)


@post("/v/{vault:str}/copies", access=by_token)
async def deliver_copies(
    request: Asking, vault: FromPath[str], body: RawBody, door: NamedDependency[Door]
) -> Response[bytes]:
    """Add copies to the drawer: the platform's door."""
    store = door.deliver(request, vault, body)
    return _json(Stored(stored=door.provider.append(store, read_json(body, Copies).copies)))


@post("/v/{vault:str}/messages", access=by_token)
async def deliver_messages(
    request: Asking, vault: FromPath[str], body: RawBody, door: NamedDependency[Door]
) -> Response[bytes]:
    """Take messages to the learner and answer with signed receipts: the platform's door."""
    store = door.deliver(request, vault, body)
    return _json(Receipts(receipts=door.provider.receive(store, read_json(body, Messages).messages)))


@post("/v/{vault:str}/grants", access=by_token)
async def give_grant(
    request: Asking, vault: FromPath[str], body: RawBody, door: NamedDependency[Door]
) -> Response[bytes]:
    """Give a grant: the owner, or the portal under hers."""
    store, maker = door.enter(request, vault, "grant")
    return _json(door.provider.give(store, maker, read_json(body, Asked)), 201)


@get("/v/{vault:str}/grants", access=by_token)
async def list_grants(request: Asking, vault: FromPath[str], door: NamedDependency[Door]) -> Response[bytes]:
    """Show the owner every grant."""
    store, _ = door.enter(request, vault, "own")
    return _json(Grants(grants=door.provider.grants(store)))


@delete("/v/{vault:str}/grants/{grant_id:str}", access=by_token)
async def revoke_grant(
    request: Asking, vault: FromPath[str], grant_id: FromPath[str], door: NamedDependency[Door]
) -> None:
    """Withdraw a grant, at once."""
    store, actor = door.enter(request, vault, "grant")
    door.provider.revoke(store, actor, grant_id)


@get("/v/{vault:str}/profile", access=by_token)
async def read_profile(request: Asking, vault: FromPath[str], door: NamedDependency[Door]) -> Response[bytes]:
    """Hand over the sealed profile; 204 when there is none yet."""
    store, _ = door.enter(request, vault, "profile")
    profile, tag = door.provider.profile(store)
    if profile is None:
        return Response(b"", status_code=204)
    response = _json(profile)
    response.set_header("ETag", tag)
    return response


@put("/v/{vault:str}/profile", access=by_token)
async def write_profile(
    request: Asking, vault: FromPath[str], body: RawBody, door: NamedDependency[Door]
) -> Response[bytes]:
    """Replace the sealed profile that `If-Match` names (absent: there is none yet)."""
    store, _ = door.enter(request, vault, "profile")
    tag = door.provider.write_profile(store, read_json(body, SealedProfile), request.headers.get("if-match", ""))
    return Response(b"", status_code=204, headers={"ETag": tag})


@get("/v/{vault:str}/copies", access=by_token)
async def list_copies(request: Asking, vault: FromPath[str], door: NamedDependency[Door]) -> Response[bytes]:
    """List the copies for the owner."""
    store, _ = door.enter(request, vault, "own")
    return _json(CopyList(copies=door.provider.copies(store)))


@get("/v/{vault:str}/copies/{copy:str}", access=by_token)
async def read_copy(
    request: Asking, vault: FromPath[str], copy: FromPath[str], door: NamedDependency[Door]
) -> Response[bytes]:
    """Hand the owner one sealed copy."""
    store, _ = door.enter(request, vault, "own")
    return Response(door.provider.copy(store, copy), media_type="application/jose")


@put("/v/{vault:str}/copies/{copy:str}/end", access=by_token, status_code=204)
async def set_end(
    request: Asking, vault: FromPath[str], copy: FromPath[str], body: RawBody, door: NamedDependency[Door]
) -> None:
    """Keep a copy until the day that the owner chooses."""
    store, _ = door.enter(request, vault, "own")
    door.provider.set_end(store, copy, read_json(body, EndDate))


@delete("/v/{vault:str}/copies/{copy:str}", access=by_token)
async def destroy_copy(request: Asking, vault: FromPath[str], copy: FromPath[str], door: NamedDependency[Door]) -> None:
    """Destroy a copy at the owner's word."""
    store, _ = door.enter(request, vault, "own")
    door.provider.destroy(store, copy)


@post("/v/{vault:str}/files", access=by_token)
async def deliver_file(
    request: Asking, vault: FromPath[str], body: RawBody, door: NamedDependency[Door], until: Until = ""
) -> Response[bytes]:
    """Add a sealed file, as it is, until the end of the day `until`: the platform's door."""
    store = door.deliver(request, vault, body)
    return _json(Stored(stored=door.provider.take_file(store, body, until)))


@get("/v/{vault:str}/files", access=by_token)
async def list_files(request: Asking, vault: FromPath[str], door: NamedDependency[Door]) -> Response[bytes]:
    """List the files for the owner."""
    store, _ = door.enter(request, vault, "own")
    return _json(FileList(files=door.provider.files(store)))


@get("/v/{vault:str}/files/{file:str}", access=by_token)
async def read_file(
    request: Asking, vault: FromPath[str], file: FromPath[str], door: NamedDependency[Door]
) -> Response[bytes]:
    """Hand the owner one sealed file."""
    store, _ = door.enter(request, vault, "own")
    return Response(door.provider.file(store, file), media_type="application/jose")


@put("/v/{vault:str}/files/{file:str}/end", access=by_token, status_code=204)
async def set_file_end(
    request: Asking, vault: FromPath[str], file: FromPath[str], body: RawBody, door: NamedDependency[Door]
) -> None:
    """Keep a file until the day that the owner chooses."""
    store, _ = door.enter(request, vault, "own")
    door.provider.set_file_end(store, file, read_json(body, EndDate))


@delete("/v/{vault:str}/files/{file:str}", access=by_token)
async def destroy_file(request: Asking, vault: FromPath[str], file: FromPath[str], door: NamedDependency[Door]) -> None:
    """Destroy a file at the owner's word."""
    store, _ = door.enter(request, vault, "own")
    door.provider.destroy_file(store, file)


class Inbox(msgspec.Struct, frozen=True):
    """Messages whose copies have not come yet."""

    messages: tuple[Waiting, ...]


@get("/v/{vault:str}/messages", access=by_token)
async def read_inbox(request: Asking, vault: FromPath[str], door: NamedDependency[Door]) -> Response[bytes]:
    """Hand the owner the sealed messages that wait for their copies."""
    store, _ = door.enter(request, vault, "own")
    return _json(Inbox(messages=door.provider.inbox(store)))


@get("/health", access=public)
async def health() -> dict[str, str]:
    """Say that the door is open."""
    return {"status": "ok"}


def make_door(
    provider: Provider, *, clock: Clock, entropy: Entropy, log: Log, base: str, platform_key: KeyOf
) -> HttpDoor:
    """Return the provider's application. `base` is its public address without a slash at the end."""
    openings = Buckets(clock, per_second=OPENINGS_PER_SECOND, burst=OPENINGS_BURST)
    door = Door(provider, Proofs(clock, platform_key), base, openings)
    handlers = [
        *(open_vault, deliver_copies, deliver_messages, read_inbox, list_copies, read_copy, set_end, destroy_copy),
        *(deliver_file, list_files, read_file, set_file_end, destroy_file),
        *(give_grant, list_grants, revoke_grant, read_profile, write_profile, health),
    ]
    return open_door(
        handlers,
        clock=clock,
        entropy=entropy,
        log=log,
        version="1.0.0",
        given={"door": door},
        openapi=OpenAPIConfig(title="Wissel learner's vault", version="1.0.0"),
        body_bytes_max=BODY_MAX,
    )

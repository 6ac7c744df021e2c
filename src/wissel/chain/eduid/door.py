"""eduID's door: `/oidc/...`, `/api/remote-creation/...` with Basic authentication, `/copies` for the platform."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Litestar, Request, Response, Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, JSONBody, QueryParameter

from wissel.chain.copies.actions import Drawer
from wissel.chain.copies.door import take_copies
from wissel.chain.door.app import make_app
from wissel.chain.door.keys import basic
from wissel.chain.eduid.actions import EduIds
from wissel.chain.eduid.store import Book
from wissel.chain.eduid.words import (
    BATCH_MAX,
    BatchPseudonym,
    EduId,
    Exists,
    NewEduId,
    Pseudonym,
    PseudonymQuestion,
    SpringError,
)
from wissel.chain.errors import ChainError, Invalid
from wissel.chain.oidc.actions import Provider
from wissel.chain.oidc.door import HANDLERS, on_oauth_error
from wissel.chain.oidc.words import OAuthError
from wissel.chain.world import World
from wissel.core.moments import to_ms

Query = Annotated[str, QueryParameter(min_length=1, max_length=254)]
_Asked = Request[Any, Any, Any]


@get("/email-eduid-exists")
async def email_exists(email: Query, eduids: NamedDependency[EduIds]) -> Exists:
    """Is there an account with this address? Its eduID at the caller."""
    return Exists(status=200, edu_id_value=await eduids.by_email(email))


@get("/eduid-exists")
async def eduid_exists(eduID: Query, eduids: NamedDependency[EduIds]) -> Exists:  # noqa: N803 (eduID's own name)
    """Is there an account with this eduID?"""
    await eduids.exists(eduID)
    return Exists(status=200)


@post("/eduid-create")
async def create(data: JSONBody[NewEduId], eduids: NamedDependency[EduIds]) -> EduId:
    """Make an account: 201, or 409 when the address has one."""
    return await eduids.create(data)


@put("/eduid-update", status_code=201)
async def update(data: JSONBody[EduId], eduids: NamedDependency[EduIds]) -> EduId:
    """Change what the caller says of an account: 201, as the real one answers."""
    return await eduids.update(data)


@delete("/eduid-delete/{eduid:str}")
async def remove(eduid: FromPath[str], eduids: NamedDependency[EduIds]) -> None:
    """Forget the caller's pseudonym: 204."""
    await eduids.delete(eduid)


@post("/eduid-institution-pseudonym", status_code=200)
async def pseudonym(data: JSONBody[PseudonymQuestion], eduids: NamedDependency[EduIds]) -> Pseudonym:
    """Return the pseudonym at an institution."""
    return Pseudonym(await eduids.pseudonym(data))


@post("/eduid-institution-pseudonym-batch", status_code=200)
async def pseudonyms(
    data: JSONBody[list[PseudonymQuestion]], eduids: NamedDependency[EduIds]
) -> Sequence[BatchPseudonym]:
    """Return many pseudonyms at once."""
    if len(data) > BATCH_MAX:
        raise Invalid(f"A batch holds at most {BATCH_MAX} questions.")
    return await eduids.batch(data)


@get("/play/book")
async def count_book(eduids: NamedDependency[EduIds]) -> dict[str, int]:
    """Count accounts and pseudonyms. Not part of the partner's interface."""
    return await eduids.count()


def eduid_app(
    world: World, eduids: EduIds, provider: Provider, book: Book, drawer: Drawer, *, users: Mapping[str, str]
) -> Litestar:
    """Return eduID's application. `users` are the API users of remote creation with their passwords."""

    def no(request: _Asked, error: ChainError | HTTPException) -> Response[SpringError]:
        """Answer in the shape of eduID's framework."""
        status = 400 if isinstance(error, Invalid) else _status(error)
        found = SpringError(
            timestamp=to_ms(world.clock.now()),
            status=status,
            error=HTTPStatus(status).phrase,
            message=error.sentence if isinstance(error, ChainError) else "The request was refused",
            path=request.url.path.partition("/eduid-delete/")[0],
        )
        headers = {"WWW-Authenticate": 'Basic realm="Realm"'} if status == HTTPStatus.UNAUTHORIZED else {}
        return Response(found, status_code=status, headers=headers)

    remote = Router(
        path="/api/remote-creation",
        route_handlers=[email_exists, eduid_exists, create, update, remove, pseudonym, pseudonyms],
        guards=[basic(users)],
        tags=["remote-creation"],
        exception_handlers={ChainError: no, HTTPException: no},
    )
    return make_app(
        "eduID (played)",
        "8.4.4",
        [*HANDLERS, remote, take_copies, count_book],
        given={"eduids": eduids, "provider": provider, "drawer": drawer},
        prepare=[book.prepare],
        more={OAuthError: on_oauth_error},
    )


def _status(error: ChainError | HTTPException) -> int:
    return error.status if isinstance(error, ChainError) else error.status_code

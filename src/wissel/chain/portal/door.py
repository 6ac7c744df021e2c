"""The portal's stage door: one call for what a learner would click. For a demo and tests; it has no keys."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from litestar import Litestar, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from wissel.chain.door.app import make_app
from wissel.chain.portal.actions import Portal
from wissel.chain.portal.downloads.actions import Downloads
from wissel.chain.portal.downloads.door import receive, store, store_file
from wissel.chain.portal.downloads.words import Downloaded
from wissel.chain.portal.words import (
    Begun,
    ConsentWish,
    Mine,
    ObjectionWish,
    Pointer,
    Request,
    Standing,
    Wish,
    Withdrawal,
)
from wissel.messages.envelope import UUID

Ref = Annotated[str, PathParameter(pattern=r"^[a-z0-9-]{1,60}$(?!\n)")]
ProcessId = Annotated[str, PathParameter(pattern=UUID)]


@put("/play/learners/{ref:str}", status_code=204)
async def point(ref: Ref, data: JSONBody[Pointer], portal: NamedDependency[Portal]) -> None:
    """Hand over where a learner's vault is, as her vault's app does at log-in."""
    await portal.point(ref, data)


@post("/play/enrolments", status_code=201)
async def enrol(data: JSONBody[Wish], portal: NamedDependency[Portal]) -> Begun:
    """Enrol: log-in, profile, number, signature, and the first message on its way."""
    return await portal.enrol(data)


@get("/play/enrolments")
async def list_processes(portal: NamedDependency[Portal]) -> list[str]:
    """List the processes that this portal began."""
    return await portal.all()


@get("/play/learners/{ref:str}/enrolments")
async def mine(ref: Ref, portal: NamedDependency[Portal]) -> list[Mine]:
    """List what a learner began."""
    return await portal.mine(ref)


@get("/play/learners/{ref:str}/requests")
async def requests(ref: Ref, portal: NamedDependency[Portal]) -> list[Request]:
    """Show "my requests" to a learner who logs in: also what she began on another device."""
    return await portal.requests(ref)


@post("/play/learners/{ref:str}/downloads")
async def download(ref: Ref, portal: NamedDependency[Portal]) -> Downloaded:
    """Let a learner without a vault log in and download what waits for her."""
    return await portal.download(ref)


@get("/play/enrolments/{process:str}")
async def standing(process: ProcessId, portal: NamedDependency[Portal]) -> Standing:
    """Show where a process stands: phase and gates still open."""
    return await portal.standing(process)


@post("/play/enrolments/{process:str}/withdraw", status_code=201)
async def withdraw(process: ProcessId, data: JSONBody[Withdrawal], portal: NamedDependency[Portal]) -> Begun:
    """Withdraw a request."""
    return await portal.withdraw(process, data)


@post("/play/enrolments/{process:str}/consent", status_code=201)
async def consent(process: ProcessId, data: JSONBody[ConsentWish], portal: NamedDependency[Portal]) -> Begun:
    """Consent to who pays, or take it back."""
    return await portal.consent(process, data)


@post("/play/objections", status_code=201)
async def object_to(data: JSONBody[ObjectionWish], portal: NamedDependency[Portal]) -> Begun:
    """Object to a decision, from the afschriften in her vault."""
    return await portal.object(data)


@get("/callback")
async def callback() -> str:
    """Receive the browser after a log-in. The played browser only reads the address and never comes here."""
    return "You may close this window."


def portal_app(portal: Portal, downloads: Downloads, prepare: Sequence[Callable[[], Awaitable[None]]]) -> Litestar:
    """Return the portal's application."""
    stage = [point, mine, requests, download, enrol, list_processes, standing, withdraw, consent, object_to, callback]
    handlers = [*stage, receive, store, store_file]
    given = {"portal": portal, "downloads": downloads}
    return make_app("Portal (played)", "1.0.0", handlers, given=given, prepare=prepare)

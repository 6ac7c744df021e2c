"""Puts the played world together from what `assembly` hands in: once for the chain, once for the portal."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from litestar import Litestar

from wissel.chain.copies.actions import Drawer
from wissel.chain.digid.actions import DigiIds
from wissel.chain.digid.door import digid_app
from wissel.chain.door.answers import Sign
from wissel.chain.duo.actions import Duo
from wissel.chain.duo.door import duo_app
from wissel.chain.duo.store import Book as DuoBook
from wissel.chain.eduid.actions import EduIds
from wissel.chain.eduid.door import eduid_app
from wissel.chain.eduid.store import Book as EduIdBook
from wissel.chain.errors import Invalid
from wissel.chain.ind.actions import Ind
from wissel.chain.ind.door import ind_app
from wissel.chain.ind.store import Book as IndBook
from wissel.chain.nuffic.actions import Nuffic
from wissel.chain.nuffic.door import nuffic_app
from wissel.chain.nuffic.store import Book as NufficBook
from wissel.chain.oidc.actions import Provider
from wissel.chain.oidc.keys import EcKey
from wissel.chain.oidc.words import Client as OidcClient
from wissel.chain.participants import (
    LOGIN_CLIENT,
    REMOTE_USER,
    SIGN_CLIENT,
    Folders,
    Name,
    Participant,
)
from wissel.chain.portal.actions import Logins, Portal
from wissel.chain.portal.door import portal_app
from wissel.chain.portal.downloads.actions import Downloads
from wissel.chain.portal.downloads.store import Shelf
from wissel.chain.portal.login import RelyingParty
from wissel.chain.portal.places import Places
from wissel.chain.portal.store import Book as PortalBook
from wissel.chain.psp.actions import Psp
from wissel.chain.psp.door import psp_app
from wissel.chain.psp.store import Book as PspBook
from wissel.chain.world import World
from wissel.client import Client, Outbox
from wissel.client.store import SqlOutbox
from wissel.infra.http.proof import KeyOf
from wissel.infra.sql.ports import Database
from wissel.messages.jose import SigningKey
from wissel.messages.participant import Card

Step = Callable[[datetime], Awaitable[int]]
Databases = Callable[[str], Database]  # a name, say "duo/book" -> a database below data/chain


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Public base addresses, without a slash at the end."""

    portal: str
    eduid: str
    digid: str
    duo: str
    ind: str
    nuffic: str
    psp: str

    def by_name(self) -> dict[str, str]:
        """Return them by participant's name."""
        return {name: str(address) for name, address in msgspec.structs.asdict(self).items()}


class Served(NamedTuple):
    """One application and the address that it must answer at."""

    name: str
    app: Litestar
    address: str


class Built(NamedTuple):
    """Applications, and the named steps that a runner calls."""

    apps: tuple[Served, ...]
    steps: tuple[tuple[str, Step], ...]


class _Parts(NamedTuple):
    """What every partner's application is made of."""

    world: World
    participants: Mapping[Name, Participant]
    addresses: Mapping[str, str]
    folders: Folders
    databases: Databases
    key_of: KeyOf

    def drawer(self, name: Name) -> Drawer:
        folder = self.folders(f"{name}/copies")
        return Drawer(folder, f"{self.addresses[name]}/copies", self.key_of, self.world.clock)

    def api_key(self, name: Name) -> str:
        return self.participants[name].secrets.api

    def signer(self, name: Name) -> Sign:
        key = self.participants[name].sign

        def sign(body: bytes) -> str:
            return key.sign(body, detached=True)

        return sign


def build_chain(
    world: World,
    participants: Mapping[Name, Participant],
    addresses: Addresses,
    *,
    folders: Folders,
    databases: Databases,
    platform_key: KeyOf,
    institutions: Mapping[str, str],
) -> Built:
    """Return eduID, DigiD, DUO, IND, Nuffic and the PSP.

    `platform_key` gives the platform's public signing key by key id (for `Wissel-Proof`); `institutions` are the
    BRINs that eduID knows, each with a domain.
    """
    parts = _Parts(world, participants, addresses.by_name(), folders, databases, platform_key)
    psp_served, psp_step = _psp(parts)
    served = (
        _eduid(parts, institutions),
        _digid(parts),
        _duo(parts),
        _ind(parts),
        _nuffic(parts),
        psp_served,
    )
    return Built(served, (("chain.psp", psp_step),))


def build_portal(
    world: World,
    participants: Mapping[Name, Participant],
    addresses: Addresses,
    *,
    databases: Databases,
    browsers: Folders,
    platform: str,
    platform_keys: Mapping[str, Mapping[str, str]],
    cards: Callable[[], Iterable[Card]],
    origin: str,
) -> Built:
    """Return the portal. `platform` is the public API's base address, `origin` the audit log's name.

    `platform_keys` are the platform's public signing keys by key id, to check acknowledgements with; `cards`
    returns the public list of participants, whose grants the portal's messages lean on; `browsers` opens the folders
    of the learners' played browsers, which are theirs.
    """
    me = participants["portal"]
    database = databases("portal/book")
    client = Client(
        world.http, world.clock, world.entropy, base=platform, urn=me.urn, key=me.sign, platform=platform_keys
    )
    book, shelf = PortalBook(database), Shelf(database)
    downloads = Downloads(world, shelf, client, base=addresses.portal, key=me.sign, platform_key={**platform_keys}.get)
    places = Places(world, book, downloads, browsers, cards=cards, urn=me.urn)
    portal = Portal(
        world,
        book,
        urn=me.urn,
        key=me.sign,
        client=client,
        outbox=Outbox(client, SqlOutbox(database), world.entropy),
        logins=_logins(world, me, addresses),
        places=places,
        downloads=downloads,
        cards=cards,
        origin=origin,
    )
    prepare = (book.prepare, shelf.prepare)
    served = Served("portal", portal_app(portal, downloads, prepare), addresses.portal)
    steps = (("portal.send", portal.step), ("portal.look", portal.look), ("portal.downloads", downloads.step))
    return Built((served,), tuple((name, _prepared(prepare, step)) for name, step in steps))


def _logins(world: World, me: Participant, addresses: Addresses) -> Logins:
    def party(issuer: str, client: str, secret: str, scope: str) -> RelyingParty:
        return RelyingParty(
            http=world.http,
            clock=world.clock,
            entropy=world.entropy,
            issuer=issuer,
            client=client,
            secret=secret,
            redirect=f"{addresses.portal}/callback",
            scope=scope,
        )

    return Logins(
        know=party(addresses.eduid, LOGIN_CLIENT, me.secrets.login, "openid profile email"),
        sign=party(addresses.eduid, SIGN_CLIENT, me.secrets.sign, "openid"),
        number=party(addresses.digid, LOGIN_CLIENT, me.secrets.digid, "openid"),
    )


def _eduid(parts: _Parts, institutions: Mapping[str, str]) -> Served:
    me, portal = parts.participants["eduid"], parts.participants["portal"]
    if me.id_token is None:
        raise Invalid("eduID has no key for id_tokens. Make the participants anew.", field="eduid/keys/idtoken.json")
    address, back = parts.addresses["eduid"], (f"{parts.addresses['portal']}/callback",)
    clients = (
        OidcClient(id=LOGIN_CLIENT, secret=portal.secrets.login, redirects=back, service="portal"),
        OidcClient(id=SIGN_CLIENT, secret=portal.secrets.sign, redirects=back, kind="sign"),
    )
    book = EduIdBook(parts.databases("eduid/book"))
    eduids = EduIds(parts.world, book, institutions)
    provider = Provider(parts.world, address, clients, me.id_token, eduids)
    app = eduid_app(
        parts.world, eduids, provider, book, parts.drawer("eduid"), users={REMOTE_USER: parts.api_key("eduid")}
    )
    return Served("eduid", app, address)


def _digid(parts: _Parts) -> Served:
    portal, address = parts.participants["portal"], parts.addresses["digid"]
    back = (f"{parts.addresses['portal']}/callback",)
    clients = (OidcClient(id=LOGIN_CLIENT, secret=portal.secrets.digid, redirects=back, scopes=("openid",)),)
    key = EcKey(SigningKey.new(parts.world.entropy))  # no participant: the key lives as long as the process
    return Served("digid", digid_app(Provider(parts.world, address, clients, key, DigiIds(parts.world))), address)


def _duo(parts: _Parts) -> Served:
    book = DuoBook(parts.databases("duo/book"))
    app = duo_app(Duo(parts.world, book), book, parts.drawer("duo"), key=parts.api_key("duo"), sign=parts.signer("duo"))
    return Served("duo", app, parts.addresses["duo"])


def _ind(parts: _Parts) -> Served:
    book = IndBook(parts.databases("ind/book"))
    app = ind_app(Ind(parts.world, book), book, parts.drawer("ind"), key=parts.api_key("ind"), sign=parts.signer("ind"))
    return Served("ind", app, parts.addresses["ind"])


def _nuffic(parts: _Parts) -> Served:
    book = NufficBook(parts.databases("nuffic/book"))
    app = nuffic_app(
        Nuffic(parts.world, book),
        book,
        parts.drawer("nuffic"),
        key=parts.api_key("nuffic"),
        sign=parts.signer("nuffic"),
    )
    return Served("nuffic", app, parts.addresses["nuffic"])


def _psp(parts: _Parts) -> tuple[Served, Step]:
    book, address = PspBook(parts.databases("psp/book")), parts.addresses["psp"]
    psp = Psp(parts.world, book, address)
    app = psp_app(psp, book, parts.drawer("psp"), key=parts.api_key("psp"), sign=parts.signer("psp"))
    return Served("psp", app, address), _prepared((book.prepare,), psp.step)


def _prepared(prepare: Sequence[Callable[[], Awaitable[None]]], step: Step) -> Step:
    """Return `step`, which makes the book's tables first: a runner may begin before the door is open."""
    ready = False

    async def run(now: datetime) -> int:
        nonlocal ready
        if not ready:
            for make in prepare:
                await make()
            ready = True
        return await step(now)

    return run

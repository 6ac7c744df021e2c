"""Where a learner's messages and copies go: her vault, one at the default provider, or the portal's downloads.

A request never fails for want of a vault: when no vault can be opened for her, she downloads. Her own vault is her
choice, so one that is away is not passed over silently: she is told, and may choose to download.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from wissel.chain.errors import PartnerFailed
from wissel.chain.participants import Folders
from wissel.chain.people import Person
from wissel.chain.portal.browser import Browser, Provider
from wissel.chain.portal.downloads.actions import Downloads
from wissel.chain.portal.rules import deliver_until, reach_until
from wissel.chain.portal.store import Book
from wissel.chain.portal.vault import Vault
from wissel.chain.portal.words import Pointer, Profile
from wissel.chain.steering import conduct
from wissel.chain.world import World
from wissel.core.moments import dutch_day
from wissel.infra.http.ports import Unreachable
from wissel.messages.envelope import Addressee
from wissel.messages.participant import Card


class Guest(NamedTuple):
    """Who is logged in: the learner, her pseudonym at this portal, the id_token of her log-in, and what she chose."""

    person: Person
    subject: str
    token: str
    downloads: bool = False


class Places:
    """Finds a place for each. `cards` is the public list of participants, `urn` the portal's own name."""

    def __init__(
        self,
        world: World,
        book: Book,
        downloads: Downloads,
        browsers: Folders,
        *,
        cards: Callable[[], Iterable[Card]],
        urn: str,
    ) -> None:
        self._world, self._book, self._downloads = world, book, downloads
        self._browsers, self._cards, self._urn = browsers, cards, urn

    def browser(self, guest: Guest) -> Browser:
        """Return her browser."""
        return Browser(self._world, self._browsers, guest.person.ref)

    async def profile(self, guest: Guest) -> Profile:
        """Return her profile from her vault; without one, what she fills in on the form."""
        vault = await self._vault(guest)
        if vault is None:
            return msgspec.convert(guest.person.profile(), Profile)
        try:
            return await vault.profile()
        except Unreachable:
            raise PartnerFailed(
                "Her vault does not answer. Try again later, or let her choose to download.", field="/copies"
            ) from None

    async def addressee(self, guest: Guest, institution: str, end: date, now: datetime) -> Addressee:
        """Return where the messages and copies of a process go that ends on `end`."""
        vault = await self._vault(guest)
        if vault is not None:
            return await _at_vault(vault, institution, end, now)
        return await self._downloads.open(guest.subject, self.browser(guest).key, deliver_until(end))

    async def _vault(self, guest: Guest) -> Vault | None:
        """Return her vault, opened at the default provider when she has none; None when she downloads."""
        if guest.downloads or conduct(guest.person.surname).keeps == "downloads":
            return None
        pointer = await self._book.pointer(guest.person.ref) or await self._open(guest)
        return None if pointer is None else Vault(self._world.http, pointer)

    async def _open(self, guest: Guest) -> Pointer | None:
        provider = self._provider()
        if provider is None:
            return None
        until = reach_until(dutch_day(self._world.clock.now()))  # what the portal gives ends with what it was given
        try:
            pointer = await self.browser(guest).vault(provider, guest.person.profile(), self._urn, until)
        except (Unreachable, PartnerFailed):
            return None
        await self._book.point(guest.person.ref, pointer)
        return pointer

    def _provider(self) -> Provider | None:
        """Return the first provider on the list that opens vaults for those who have none."""
        found = (card for card in self._cards() if "provider" in card.roles and card.endpoints.api)
        return next((Provider(card.urn, card.endpoints.api) for card in found), None)


async def _at_vault(vault: Vault, institution: str, end: date, now: datetime) -> Addressee:
    """Ask a vault for the two tokens: for this process, and for the institution afterwards."""
    pointer = vault.pointer
    deliver = await vault.grant("process", "", "to deliver messages and copies of this process", deliver_until(end))
    reach = await vault.grant("capability", institution, "to reach me about my enrolment", reach_until(dutch_day(now)))
    return Addressee(vault=pointer.vault, key=pointer.key, token=deliver, provider=pointer.provider, capability=reach)

"""Who somebody is at DigiD."""

from collections.abc import Sequence
from typing import Final

from wissel.chain.errors import NotKnown
from wissel.chain.oidc.words import Claims, Client
from wissel.chain.people import Person
from wissel.chain.world import World

SECTOR_BSN: Final = "s00000000"
MIDDLE: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract"
SUBSTANTIAL: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard"


class DigiIds:
    """The played DigiD: `oidc.ports.Identities`."""

    application = "digid"
    acrs: Sequence[str] = (MIDDLE, SUBSTANTIAL)
    claims_supported: Sequence[str] = ()

    def __init__(self, world: World) -> None:
        self._world = world

    def find(self, hint: str) -> Person | None:
        """Return who is meant, when she has a BSN."""
        try:
            person = self._world.people.get(hint)
        except NotKnown:
            return None
        return person if person.bsn else None

    def listed(self) -> Sequence[Person]:
        """Return who can be chosen on the log-in page."""
        return [person for person in self._world.people.listed() if person.bsn]

    def acr(self, _person: Person, wanted: Sequence[str]) -> str:
        """Return the level: the first wanted one that exists, by default the middle one."""
        return next((acr for acr in wanted if acr in self.acrs), "") if wanted else MIDDLE

    async def subject(self, person: Person, _client: Client) -> str:
        """Return sector code and BSN: the same for every client, which is why so few may be one."""
        return f"{SECTOR_BSN}:{person.bsn}"

    async def claims(self, _person: Person, _client: Client, _scope: Sequence[str]) -> Claims:
        """Return nothing more: DigiD says a number and a level."""
        return {}

"""Who somebody is at eduID, and what remote creation does to accounts."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from wissel.chain.eduid.store import Book
from wissel.chain.eduid.words import (
    IAP_HIGH,
    IAP_MEDIUM,
    LINKED,
    MFA,
    NAMES,
    NAMES_EXTERNAL,
    PASSWORD,
    BatchPseudonym,
    EduId,
    NewEduId,
    PseudonymQuestion,
)
from wissel.chain.errors import Clash, Invalid, NotKnown
from wissel.chain.oidc.words import Claims, Client
from wissel.chain.people import Person
from wissel.chain.world import World, random_uuid

REMOTE: Final = "remote:studielink"
_PERSON: Final = "person:"


class EduIds:
    """The played eduID's accounts: `oidc.ports.Identities`, and the remote-creation calls.

    `institutions` are the BRINs that eduID knows, each with the institution's domain.
    """

    application = "eduid"
    acrs: Sequence[str] = (PASSWORD, LINKED, NAMES, NAMES_EXTERNAL, IAP_MEDIUM, IAP_HIGH, MFA)
    claims_supported: Sequence[str] = ("eduid", "given_name", "family_name", "name", "email", "eduperson_assurance")

    def __init__(self, world: World, book: Book, institutions: Mapping[str, str]) -> None:
        self._world = world
        self._book = book
        self._institutions = institutions

    def find(self, hint: str) -> Person | None:
        """Return who is meant: by name in the people file, or by e-mail address."""
        if "@" in hint:
            return self._world.people.by_email(hint)
        try:
            return self._world.people.get(hint)
        except NotKnown:
            return None

    def listed(self) -> Sequence[Person]:
        """Return who can be chosen on the log-in page."""
        return self._world.people.listed()

    def acr(self, _person: Person, wanted: Sequence[str]) -> str:
        """Return the first wanted assurance that can be met; every played person is known by iDIN (IAP/high).

        `affiliation-student` is not among them: it cannot be met by who is no student yet.
        """
        if not wanted:
            return PASSWORD
        return next((acr for acr in wanted if acr in self.acrs), "")

    async def subject(self, person: Person, client: Client) -> str:
        """Return a new `sub` for a signing client; else her pseudonym at the client's service, for good."""
        if client.kind == "sign":
            return self._uuid()
        return await self._book.pseudonym(_PERSON + person.ref, f"sp:{client.service or client.id}", self._uuid())

    async def claims(self, person: Person, client: Client, scope: Sequence[str]) -> Claims:
        """Return the pseudonym, and what the scopes add. A signing client learns nothing."""
        if client.kind == "sign":
            return {}
        claims: Claims = {"eduid": await self.subject(person, client)}
        if "profile" in scope:
            claims |= {
                "given_name": person.givennames,
                "family_name": f"{person.prefix} {person.surname}".strip(),
                "name": person.name,
                "eduperson_assurance": [IAP_HIGH],
                "schac_home_organization": "eduid.nl",
            }
        if "email" in scope:
            claims |= {"email": person.email, "email_verified": True}
        return claims

    async def by_email(self, email: str) -> str:
        """Return the eduID, at the caller, of the account with this address. Raises NotKnown."""
        account = await self._account(email)
        if not account:
            raise NotKnown("User not found by email")
        return await self._book.pseudonym(account, REMOTE, self._uuid())

    async def exists(self, value: str) -> str:
        """Return the account of this eduID. Raises NotKnown."""
        account = await self._book.owner(value)
        if not account:
            raise NotKnown("User not found by eduID")
        return account

    async def create(self, new: NewEduId) -> EduId:
        """Make an account. Raises Clash when the address has one, Invalid when something is missing."""
        _complete(new)
        if await self._account(new.email):
            raise Clash("Email already in use")
        account = f"made:{self._uuid()}"
        await self._book.add(account, new)
        return _with_value(new, await self._book.pseudonym(account, REMOTE, self._uuid()))

    async def update(self, known: EduId) -> EduId:
        """Write what the caller says of an account: its verification and its BRINs. Raises NotKnown."""
        account = await self.exists(known.edu_id_value)
        _complete(known)
        await self._book.note(account, known)
        return msgspec.structs.replace(known, edu_id_value=await self._book.pseudonym(account, REMOTE, self._uuid()))

    async def delete(self, value: str) -> None:
        """Forget the caller's pseudonym; the account stays. Raises NotKnown."""
        await self.exists(value)
        await self._book.drop(value)

    async def pseudonym(self, question: PseudonymQuestion) -> str:
        """Return the pseudonym of an eduID at an institution, for good. Raises NotKnown."""
        account = await self.exists(question.edu_id)
        if question.brin_code not in self._institutions:
            raise NotKnown("IdentityProvider with this BRIN code not found")
        return await self._book.pseudonym(account, f"idp:{question.brin_code}", self._uuid())

    async def batch(self, questions: Sequence[PseudonymQuestion]) -> list[BatchPseudonym]:
        """Answer many at once; each with a value or an error."""
        answers = []
        for question in questions:
            answer = BatchPseudonym(edu_id=question.edu_id, brin_code=question.brin_code)
            if question.brin_code not in self._institutions:
                answers.append(msgspec.structs.replace(answer, error="Unknown brinCode"))
                continue
            try:
                answers.append(msgspec.structs.replace(answer, value=await self.pseudonym(question)))
            except NotKnown:
                answers.append(msgspec.structs.replace(answer, error="Unknown eduID"))
        return answers

    async def count(self) -> dict[str, int]:
        """Say what the book holds, in numbers."""
        return await self._book.count()

    async def _account(self, email: str) -> str:
        made = await self._book.by_email(email)
        person = None if made else self._world.people.by_email(email)
        return made or (_PERSON + person.ref if person else "")

    def _uuid(self) -> str:
        """Return a random UUID, as eduID's values are."""
        return random_uuid(self._world.entropy)


def _complete(known: NewEduId | EduId) -> None:
    if known.verification == "Ongeverifieerd":
        return
    missing = [
        name for name, value in (("dateOfBirth", known.date_of_birth), ("firstName", known.first_name)) if not value
    ]
    if missing:
        raise Invalid(f"Required attributes '{', '.join(missing)}' missing for verification {known.verification}")


def _with_value(new: NewEduId, value: str) -> EduId:
    return EduId(**msgspec.structs.asdict(new), edu_id_value=value)

"""Take what comes for her, hand it to her browser, and sign for it when it is safe on her side."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from wissel.chain.copies.words import Stored
from wissel.chain.door.keys import same
from wissel.chain.errors import Clash, Invalid
from wissel.chain.portal.downloads.store import Shelf
from wissel.chain.portal.downloads.words import (
    Copies,
    Item,
    Messages,
    PlaceRow,
    Receipted,
    Receipts,
    SealedMessage,
    Taken,
)
from wissel.chain.world import World, random_uuid
from wissel.client import Client, Refusal
from wissel.client.errors import AnswerInvalid
from wissel.client.vaults import NoGrant, NoSuchVault, Withdrawn
from wissel.client.words import SealedMessage as Come
from wissel.client.words import Settled
from wissel.core.moments import dutch_day
from wissel.infra.http.ports import Unreachable
from wissel.infra.http.proof import KeyOf, Proofs
from wissel.infra.http.strict import read_json
from wissel.messages.envelope import Addressee
from wissel.messages.jose import SigningKey, hash64
from wissel.messages.participant import Jwk
from wissel.messages.records import read_acknowledgement, receipt
from wissel.messages.verify import Refused, b64, jws_header, sha256

SWEEP_EVERY: Final = timedelta(minutes=1)
_JWE: Final = re.compile(rb"[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Downloads:
    """The portal's places for downloads. `base` is the portal's public address, `key` its signing key."""

    def __init__(
        self, world: World, shelf: Shelf, client: Client, *, base: str, key: SigningKey, platform_key: KeyOf
    ) -> None:
        self._world, self._shelf, self._client = world, shelf, client
        self._base, self._key, self._platform_key = base, key, platform_key
        self._proofs = Proofs(world.clock, platform_key)
        self._swept: datetime | None = None

    async def open(self, subject: str, key: Jwk, until: date) -> Addressee:
        """Open a place for a learner's process and return how the platform reaches it.

        It has no token for later: when the process is forgotten and the place closed, nobody reaches her here.
        """
        place, token = random_uuid(self._world.entropy), b64(self._world.entropy.draw(32))
        await self._shelf.open(PlaceRow(place, subject, hash64(token), until.isoformat()))
        return Addressee(vault=f"{self._base}/places/{place}", key=key, token=token, provider=self._client.urn)

    async def receive(self, place: str, authorization: str, proof: str, body: bytes) -> Receipts:
        """Keep messages for her. The receipt says `later` until she has a message, and `accepted` from then on."""
        await self._enter(place, "messages", authorization, proof, body)
        known = await self._shelf.messages(place)
        items = [self._item(place, known, each) for each in read_json(body, Messages).messages]
        await self._shelf.put(items)
        return Receipts(receipts=tuple(Receipted(id=item.id, receipt=self._outcome(item)) for item in items))

    async def store(self, place: str, authorization: str, proof: str, body: bytes) -> Stored:
        """Keep sealed copies for her; the first of an id stands."""
        await self._enter(place, "copies", authorization, proof, body)
        copies = read_json(body, Copies).copies
        await self._shelf.put(
            [Item(place, "copy", copy.id, copy.id, "", copy.jwe, copy.until.isoformat()) for copy in copies]
        )
        return Stored(tuple(copy.id for copy in copies))

    async def store_file(self, place: str, authorization: str, proof: str, body: bytes, until: str) -> Stored:
        """Keep a sealed file for her; again is harmless. Raises Invalid for what is no JWE or has no end."""
        await self._enter(place, "files", authorization, proof, body)
        if not _JWE.fullmatch(body):
            raise Invalid("A file is a compact JWE.")
        digest, day = b64(sha256(body)), _day(until)
        await self._shelf.put([Item(place, "file", digest, digest, "", body.decode("ascii"), day)])
        return Stored((digest,))

    async def serve(self, addressee: Addressee, process: str) -> None:
        """Note which process an address serves, so that its lane can be asked for when she is there."""
        await self._shelf.serve(addressee.vault.rpartition("/")[2], process)

    async def fetch(self, subject: str) -> None:
        """Put on the shelf what comes next in each of her lanes. When the platform gives no answer: nothing."""
        for place in await self._shelf.of(subject):
            try:
                come = await self._client.lane(place.process) if place.process else []
            except (Unreachable, Refusal, AnswerInvalid):
                return
            known = await self._shelf.messages(place.place)
            fresh = [message for message in come if message.id not in known]
            await self._shelf.put([self._new(place.place, message) for message in fresh])

    async def waiting(self, subject: str) -> list[Item]:
        """Return what waits for who is logged in under this pseudonym, at most 100 items."""
        return await self._shelf.waiting(subject)

    async def taken(self, taken: Sequence[Taken]) -> None:
        """Delete what she has on her side now, and sign for the messages."""
        now = self._world.clock.now()
        done = []
        for item, source in taken:
            signed = ""
            if item.kind == "message":
                signed = receipt(self._key, acknowledgement=item.acknowledgement, outcome="accepted", at=now)
            done.append(item._replace(receipt=signed, source=source))
        await self._shelf.taken(done)

    async def step(self, now: datetime) -> int:
        """Hand in the receipts of what was downloaded, and close places that are over; return how many of both.

        A receipt that the platform cannot take now is handed in again; one that it does not take is in the answer
        when it brings the message again.
        """
        done = await self.hand_in()
        if self._swept is None or not self._swept <= now < self._swept + SWEEP_EVERY:
            self._swept = now
            done += await self._shelf.close(dutch_day(now).isoformat())
        return done

    async def hand_in(self, subject: str = "") -> int:
        """Hand in receipts, hers or everybody's; return how many. What does not arrive now is handed in again."""
        items = await self._shelf.to_settle(subject)
        if not items:
            return 0
        try:
            await self._client.settle([Settled(id=item.id, source=item.source, receipt=item.receipt) for item in items])
        except (Unreachable, Refusal, AnswerInvalid):
            return 0
        await self._shelf.settled(items)
        return len(items)

    async def _enter(self, place: str, what: str, authorization: str, proof: str, body: bytes) -> None:
        """Let the platform in that bears the place's token. Raises NoSuchVault, NoGrant, Withdrawn or ProofRefused."""
        url = f"{self._base}/places/{place}/{what}"
        self._proofs.check(proof, method="POST", url=url, body=body)
        row = await self._shelf.find(place)
        if row is None:
            raise NoSuchVault("There is no such place here, or it was closed.")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not same(hash64(token), row.digest):
            raise NoGrant("Send the token of this place: Authorization: Bearer <token>.", field="Authorization")
        if dutch_day(self._world.clock.now()).isoformat() > row.until:
            raise Withdrawn("This place is closed.")

    def _item(self, place: str, known: Mapping[str, Item], message: SealedMessage) -> Item:
        """Return a delivered message as the shelf has it, or as it comes there. Raises Clash or Invalid."""
        item = known.get(message.id)
        if item is None:
            return self._new(place, message)
        if item.acknowledgement != message.acknowledgement:
            raise Clash("A message of this id came before with another acknowledgement.", field="/messages")
        return item

    def _new(self, place: str, message: SealedMessage | Come) -> Item:
        acknowledgement, until = message.acknowledgement, str(message.until)
        try:
            key = self._platform_key(str(jws_header(acknowledgement).get("kid")))
            if key is not None:
                commitment = read_acknowledgement(acknowledgement, key).commitment
                return Item(place, "message", message.id, commitment, acknowledgement, message.jwe, until)
        except Refused as refused:
            raise Invalid(f"An acknowledgement is refused: {refused.sentence}", field="/messages") from None
        raise Invalid("An acknowledgement is refused: the platform did not sign it.", field="/messages")

    def _outcome(self, item: Item) -> str:
        now = self._world.clock.now()
        return item.receipt or receipt(self._key, acknowledgement=item.acknowledgement, outcome="later", at=now)


def _day(until: str) -> str:
    try:
        return date.fromisoformat(until).isoformat()
    except ValueError:
        raise Invalid("Say until when this file may exist: ?until=YYYY-MM-DD.", field="until") from None

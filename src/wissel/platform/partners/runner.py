"""The work that all adapters have in common: take mail, ask, submit the answer, sign the receipt."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from wissel.client.words import Settled
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.core.errors import WisselError
from wissel.core.ids import uuid7_from
from wissel.core.moments import dutch_day, parse_rfc3339, rfc3339
from wissel.infra.http.ports import Http, Request, Response, Unreachable
from wissel.infra.sql.ports import StoreFailed
from wissel.messages.catalogue import decode, longest, lookup
from wissel.messages.envelope import Envelope, Offered, Outcome, SenderProof, Submission
from wissel.messages.fields import Payload
from wissel.messages.jose import SigningKey, hash64
from wissel.messages.records import receipt
from wissel.messages.verify import b64, canonical, commit
from wissel.platform.participants.actions import Participants
from wissel.platform.partners.ports import Mail, PartnerBusy, PartnerRefused, Reply, Translate

PER_STEP_MAX: Final = 50
_OK: Final = 200
_PENDING: Final = 202
_REFUSED: Final = range(400, 500)
_BUSY: Final = frozenset({401, 403, 407, 408, 425, 429})
"""Says nothing about the question: the partner is busy, or does not let the platform in (an operator's matter)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """A partner's API: its base address and the headers that show who calls."""

    http: Http
    base: str
    headers: Mapping[str, str]

    async def __call__(
        self, method: str, path: str, body: Payload | dict[str, object] | None = None, *, expect: Sequence[int] = ()
    ) -> Response:
        """Call once; see `ports.Call`."""
        raw = b"" if body is None else msgspec.json.encode(body)
        headers = {**self.headers, **({"content-type": "application/json"} if raw else {})}
        try:
            response = await self.http.send(Request(method, self.base + path, headers, raw))
        except Unreachable as error:
            raise PartnerBusy(f"The partner cannot be reached: {error.sentence}") from None
        if response.status in expect:
            return response
        if response.status == _PENDING or response.status in _BUSY or response.status not in range(200, 500):
            raise PartnerBusy(f"The partner is busy ({response.status}).")
        if response.status in _REFUSED:
            raise PartnerRefused(f"The partner refuses the question ({response.status}).")
        return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Speaks for one partner with a key whose leaf says so."""

    partner: str
    role: str
    key: SigningKey
    call: ApiCall
    translate: Translate
    mail: Mail
    participants: Participants
    clock: Clock
    entropy: Entropy
    origin: str

    async def step(self, _now: datetime) -> int:
        """Answer what waits; return how many got a final receipt."""
        offered = await self.mail.offered(self.partner, PER_STEP_MAX)
        return sum(await asyncio.gather(*(self._answer(one) for one in offered)))  # each is the head of its own lane

    async def _answer(self, offered: Offered) -> int:
        try:
            reply = await self.translate(self.call, offered, decode(offered.envelope.type, offered.data))
            await self._submit(offered, reply)
        except PartnerRefused as error:
            return await self._settle(offered, "rejected", error.sentence)
        except (msgspec.MsgspecError, LookupError, TypeError, ValueError):
            return await self._settle(offered, "later", "the partner's answer could not be read")
        except StoreFailed:
            raise
        except WisselError as error:
            return await self._settle(offered, "later", error.sentence)
        return await self._settle(offered, "accepted", "")

    async def _settle(self, offered: Offered, outcome: Outcome, reason: str) -> int:
        signed = receipt(
            self.key,
            acknowledgement=offered.acknowledgement,
            outcome=outcome,
            at=self.clock.now(),
            reason=reason,
        )
        settled = Settled(id=offered.envelope.id, source=offered.envelope.source, receipt=signed)
        (answer,) = await self.mail.settle(self.partner, [settled])
        return int(not answer.code and outcome != "later")

    async def _submit(self, offered: Offered, reply: Reply) -> None:
        """Send the answer on; one that was sent before a crash keeps its first wording."""
        if reply.data is None:
            return
        submission = await self._compose(offered, reply, reply.data)
        try:
            await self.mail.accept(self.partner, msgspec.json.encode(submission))
        except WisselError as error:
            if error.code != "id-taken":
                raise

    def _grant(self, recipient: str, kind: str) -> str:
        grant = self.participants.grant_for(recipient, self.role, kind, self.clock.now())
        if not grant:
            raise PartnerBusy(f"The answer waits: {recipient} has no live grant for {kind}.")
        return grant

    async def _compose(self, offered: Offered, reply: Reply, data: Payload) -> Submission:
        asked, kind, now = offered.envelope, lookup(reply.type), self.clock.now()
        recipient = asked.controller if asked.controller != self.partner else asked.source
        payload = canonical(msgspec.to_builtins(data))
        number = await self.mail.next_sequence(asked.process, self.partner, recipient)
        envelope = Envelope(
            id=uuid7_from(parse_rfc3339(asked.time), asked.id, asked.source, reply.type),
            type=reply.type,
            source=self.partner,
            recipient=recipient,
            subject=asked.subject,
            time=rfc3339(now),
            process=asked.process,
            sequence=str(number),
            purpose=kind.purpose,
            legalground=kind.ground,
            controller=self.partner if kind.controller != "institution" else recipient,
            processingactivity=kind.activity,
            grant=self._grant(recipient, reply.type),
            dataclass=kind.dataclass,
            enddate=longest(kind, dutch_day(now)).isoformat(),
            log=self.origin,
        )
        nonce = self.entropy.draw(32)
        commitment = commit(nonce, msgspec.to_builtins(envelope), payload)
        signature = self.key.sign(commitment, detached=True, answer=hash64(reply.raw))
        sender = SenderProof(kind="signature", jws=signature)
        return Submission(envelope=envelope, data=msgspec.Raw(payload), nonce=b64(nonce), sender=sender)

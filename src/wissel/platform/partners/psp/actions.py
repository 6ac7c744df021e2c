"""What is asked of the payment provider, in its words. The interface is that of the played PSP."""

from typing import Final

import msgspec

from wissel.messages.envelope import Offered
from wissel.messages.fields import Payload
from wissel.messages.jose import hash64
from wissel.messages.payments import MandateAsked, MandateCancelled, MandateConfirmed
from wissel.platform.partners.ports import Call, PartnerBusy, PartnerRefused, Reply

_OURS: Final = frozenset({"order", "statement"})  # our own references, which the PSP has no use for
_OVER: Final = frozenset({"cancelled", "declined", "expired"})


class _Mandate(msgspec.Struct, frozen=True):
    state: str
    reference: str
    amount: int
    parts: int


async def translate(call: Call, offered: Offered, data: Payload) -> Reply:
    """Ask the PSP what a message asks. Orders are named after process and order, so no process reaches another's."""
    match data:
        case MandateAsked():
            return await _ask(call, _order(offered, data.order), data)
        case MandateCancelled():
            return await _cancel(call, _order(offered, data.order))
        case _:
            raise PartnerRefused(f"The PSP takes no {offered.envelope.type}.")


async def _ask(call: Call, order: str, asked: MandateAsked) -> Reply:
    """Order a mandate (the same one however often it is asked) and wait, by asking again, until it is decided.

    One that was cancelled meanwhile gets no answer but the receipt.
    """
    body = {name: value for name, value in msgspec.to_builtins(asked).items() if name not in _OURS}
    response = await call("PUT", f"/v1/orders/{order}", body)
    mandate = msgspec.json.decode(response.body, type=_Mandate)
    if mandate.state == "open":
        raise PartnerBusy("The payer has not decided yet.")
    if mandate.state == "cancelled":
        return Reply(response.body)
    confirmed = mandate.state == "confirmed"
    answer = MandateConfirmed(
        statement=asked.statement,
        result="confirmed" if confirmed else "declined",
        reference=mandate.reference if confirmed else "",
        amount=mandate.amount,
        parts=mandate.parts,
    )
    return Reply(response.body, "nl.wissel.mandate.confirmed.v1", answer)


async def _cancel(call: Call, order: str) -> Reply:
    """Take an order back, decided or not, and also one that has not come yet."""
    response = await call("POST", f"/v1/orders/{order}/_cancel")
    if msgspec.json.decode(response.body, type=_Mandate).state not in _OVER:
        raise PartnerBusy("The mandate is not cancelled yet.")
    return Reply(response.body)


def _order(offered: Offered, order: str) -> str:
    """Name an order by a hash: message ids are unique within their process only."""
    return hash64(f"{offered.envelope.process} {order}")

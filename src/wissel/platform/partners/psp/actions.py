"""What is asked of the payment provider, in its words. The interface is that of the played PSP."""

import msgspec

from wissel.messages.envelope import Offered
from wissel.messages.fields import Payload
from wissel.messages.payments import MandateAsked, MandateConfirmed
from wissel.platform.partners.ports import Call, PartnerBusy, PartnerRefused, Reply


class _Mandate(msgspec.Struct, frozen=True):
    state: str
    reference: str
    amount: int
    parts: int


async def translate(call: Call, offered: Offered, data: Payload) -> Reply:
    """Order a mandate (the same one however often it is asked) and wait, by asking again, until it is decided."""
    if not isinstance(data, MandateAsked):
        raise PartnerRefused(f"The PSP takes no {offered.envelope.type}.")
    order = {name: value for name, value in msgspec.to_builtins(data).items() if name != "statement"}
    response = await call("PUT", f"/v1/orders/{offered.envelope.id}", order)
    mandate = msgspec.json.decode(response.body, type=_Mandate)
    if mandate.state == "open":
        raise PartnerBusy("The payer has not decided yet.")
    confirmed = mandate.state == "confirmed"
    answer = MandateConfirmed(
        statement=data.statement,
        result="confirmed" if confirmed else "declined",
        reference=mandate.reference if confirmed else "",
        amount=mandate.amount,
        parts=mandate.parts,
    )
    return Reply(response.body, "nl.wissel.mandate.confirmed.v1", answer)

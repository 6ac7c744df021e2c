"""What is asked of IND, in its words. The interface is that of the played IND: no public one was found."""

import msgspec

from wissel.messages.envelope import Offered
from wissel.messages.fields import Payload
from wissel.messages.identity import ResidenceAnswered, ResidenceAsked
from wissel.platform.partners.ports import Call, PartnerRefused, Reply


class _Answer(msgspec.Struct, frozen=True):
    result: str
    until: str = ""


async def translate(call: Call, offered: Offered, data: Payload) -> Reply:
    """Ask IND whether a stay is lawful on the first day (WHW 7.32(5))."""
    if not isinstance(data, ResidenceAsked):
        raise PartnerRefused(f"IND takes no {offered.envelope.type}.")
    response = await call("PUT", f"/v1/residence/{offered.envelope.id}", data)
    answer = msgspec.to_builtins(msgspec.json.decode(response.body, type=_Answer))
    return Reply(response.body, "nl.wissel.residence.answered.v1", msgspec.convert(answer, ResidenceAnswered))

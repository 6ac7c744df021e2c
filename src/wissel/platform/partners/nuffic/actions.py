"""What is asked of Nuffic, in its words. The interface is that of the played Nuffic: no public one was found."""

import msgspec

from wissel.messages.envelope import Offered
from wissel.messages.fields import Payload
from wissel.messages.identity import DiplomaAnswered, DiplomaAsked
from wissel.platform.partners.ports import Call, PartnerRefused, Reply


class _Case(msgspec.Struct, frozen=True):
    result: str = ""
    equivalent: str = ""
    advice: str = ""


async def translate(call: Call, offered: Offered, data: Payload) -> Reply:
    """Ask Nuffic what a foreign diploma is worth."""
    if not isinstance(data, DiplomaAsked):
        raise PartnerRefused(f"Nuffic takes no {offered.envelope.type}.")
    response = await call("PUT", f"/v1/advice/{offered.envelope.id}", data)
    answer = msgspec.to_builtins(msgspec.json.decode(response.body, type=_Case))
    return Reply(response.body, "nl.wissel.diploma.answered.v1", msgspec.convert(answer, DiplomaAnswered))

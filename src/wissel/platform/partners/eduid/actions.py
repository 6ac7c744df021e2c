"""What is asked of eduID: the remote-creation calls, as its own source describes them."""

from typing import Final, Literal
from urllib.parse import quote

import msgspec

from wissel.messages.envelope import Offered
from wissel.messages.fields import Payload
from wissel.messages.identity import EduidAsked, EduidLinked
from wissel.platform.partners.ports import Call, PartnerRefused, Reply

_BASE: Final = "/api/remote-creation"
_CONFLICT: Final = 409


class _Known(msgspec.Struct, frozen=True):
    value: str = msgspec.field(name="eduIDValue")


class _Pseudonym(msgspec.Struct, frozen=True):
    value: str


async def translate(call: Call, offered: Offered, data: Payload) -> Reply:
    """Make an eduID, or find the one she has, and ask her pseudonym at the institution."""
    if not isinstance(data, EduidAsked):
        raise PartnerRefused(f"eduID takes no {offered.envelope.type}.")
    result: Literal["created", "linked"] = "created"
    response = await call("POST", f"{_BASE}/eduid-create", _account(data, offered.envelope.id), expect=(_CONFLICT,))
    if response.status == _CONFLICT:
        result = "linked"
        response = await call("GET", f"{_BASE}/email-eduid-exists?email={quote(data.email)}")
    known = msgspec.json.decode(response.body, type=_Known)
    question: dict[str, object] = {"brinCode": data.brin, "eduID": known.value}
    response = await call("POST", f"{_BASE}/eduid-institution-pseudonym", question)
    pseudonym = msgspec.json.decode(response.body, type=_Pseudonym)
    return Reply(response.body, "nl.wissel.eduid.linked.v1", EduidLinked(result=result, pseudonym=pseudonym.value))


def _account(asked: EduidAsked, identifier: str) -> dict[str, object]:
    return {
        "email": asked.email,
        "chosenName": asked.chosenname,
        "firstName": asked.firstname,
        "lastNamePrefix": asked.prefix,
        "lastName": asked.lastname,
        "dateOfBirth": asked.birthdate,
        "identifier": identifier,
        "verification": asked.verification,
        "brinCodes": [asked.brin],
    }

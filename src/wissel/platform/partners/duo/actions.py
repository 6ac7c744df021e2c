"""What is asked of DUO, in DUO's words. The interface is that of the played DUO: no published one was found."""

import msgspec

from wissel.messages.enrolment import EnrolmentReported
from wissel.messages.envelope import Offered
from wissel.messages.fields import Payload
from wissel.messages.identity import Degree, Diploma, EducationAnswered, EducationAsked, IdentityAnswered, IdentityAsked
from wissel.platform.partners.ports import Call, PartnerRefused, Reply


class _Identity(msgspec.Struct, frozen=True):
    result: str
    fields: tuple[str, ...] = ()
    educationnumber: str = ""


class _Education(msgspec.Struct, frozen=True):
    diplomas: tuple[Diploma, ...] = ()
    degrees: tuple[Degree, ...] = ()


async def translate(call: Call, offered: Offered, data: Payload) -> Reply:
    """Ask DUO what a message asks. A report to the register has no answer but DUO's receipt."""
    match data:
        case IdentityAsked():
            return await _identity(call, data)
        case EducationAsked():
            return await _education(call, data)
        case EnrolmentReported():
            return await _report(call, offered.envelope.id, data)
        case _:
            raise PartnerRefused(f"DUO takes no {offered.envelope.type}.")


async def _identity(call: Call, asked: IdentityAsked) -> Reply:
    response = await call("POST", "/v1/identity/_check", asked)
    answer = msgspec.json.decode(response.body, type=_Identity)
    answered = msgspec.convert(msgspec.to_builtins(answer), IdentityAnswered)
    return Reply(response.body, "nl.wissel.identity.answered.v1", answered)


async def _education(call: Call, asked: EducationAsked) -> Reply:
    response = await call("POST", "/v1/education/_query", {"bsn": asked.bsn, "birthdate": asked.birthdate})
    answer = msgspec.json.decode(response.body, type=_Education)
    answered = EducationAnswered(diplomas=answer.diplomas, degrees=answer.degrees)
    return Reply(response.body, "nl.wissel.education.answered.v1", answered)


async def _report(call: Call, delivery: str, reported: EnrolmentReported) -> Reply:
    fields = msgspec.to_builtins(reported)
    response = await call("PUT", f"/v1/register/deliveries/{delivery}", {"kind": "begun", **fields})
    return Reply(response.body)

"""The learner's vault as the portal meets it: under the portal grant that she gave, and no further."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import msgspec

from wissel.chain.errors import NotAllowed, PartnerFailed
from wissel.chain.portal.words import Pointer, Profile
from wissel.infra.http.ports import Http, Request, Response
from wissel.messages.verify import Refused, open_jwe

_WITHDRAWN: Final = frozenset({401, 403, 404, 410})


class _Sealed(msgspec.Struct, frozen=True):
    jwe: str


class _Given(msgspec.Struct, frozen=True):
    token: str


@dataclass(frozen=True, slots=True)
class Vault:
    """One learner's vault."""

    http: Http
    pointer: Pointer

    async def profile(self) -> Profile:
        """Read her profile. Raises NotAllowed when the grant was withdrawn, PartnerFailed when there is none."""
        answer = await self._call("GET", "/profile")
        if not answer.body:
            raise PartnerFailed("Her vault holds no profile yet. Fill it in first.")
        try:
            sealed = msgspec.json.decode(answer.body, type=_Sealed)
            return msgspec.json.decode(open_jwe(sealed.jwe, self.pointer.profilekey), type=Profile)
        except (Refused, msgspec.MsgspecError) as error:
            raise PartnerFailed("Her profile cannot be opened or read.") from error

    async def grant(self, kind: Literal["process", "capability"], holder: str, purpose: str, until: date) -> str:
        """Have the vault give a grant in her name and return its token."""
        asked = {"kind": kind, "purpose": purpose, "until": until.isoformat(), "holder": holder}
        answer = await self._call("POST", "/grants", msgspec.json.encode(asked))
        try:
            return msgspec.json.decode(answer.body, type=_Given).token
        except msgspec.MsgspecError as error:
            raise PartnerFailed("Her vault did not give a grant.") from error

    async def _call(self, method: str, path: str, body: bytes = b"") -> Response:
        headers = {"Authorization": f"Bearer {self.pointer.grant}"}
        if body:
            headers["Content-Type"] = "application/json"
        answer = await self.http.send(Request(method, self.pointer.vault + path, headers, body))
        if answer.status in _WITHDRAWN:
            raise NotAllowed("Her vault no longer lets this portal in. Ask her for a new grant.")
        if answer.status >= 300:  # noqa: PLR2004 (RFC 9110 section 15: below 300 is success)
            raise PartnerFailed(f"Her vault answered {answer.status}.")
        return answer

"""Why the API itself says no. What the switch refuses has errors of its own."""

from typing import ClassVar

from wissel.core.errors import WisselError
from wissel.infra.http.errors import Forbidden


class TokenRefused(WisselError):
    """No token is given. `members` adds the `error` of RFC 6749 section 5.2 to the problem document."""

    code: ClassVar[str] = "token-refused"
    status: ClassVar[int] = 400

    def __init__(self, oauth_error: str, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence, field=field)
        self.members = {"error": oauth_error, "error_description": sentence}


class ClientUnproven(TokenRefused):
    """The client assertion does not hold (RFC 6749: invalid_client)."""

    code: ClassVar[str] = "client-unproven"
    status: ClassVar[int] = 401

    def __init__(self, sentence: str, *, field: str = "client_assertion") -> None:
        super().__init__("invalid_client", sentence, field=field)


class MadeBefore(ClientUnproven):
    """The client assertion is older than the process that checks it and may have been used: make a new one."""

    code: ClassVar[str] = "client-assertion-old"
    retry_after_s: ClassVar[int] = 1


class OutOfScope(Forbidden):
    """The caller's role does not allow this call."""

    code: ClassVar[str] = "out-of-scope"


class NotJson(WisselError):
    """A body is sent as something else than it is read as."""

    code: ClassVar[str] = "media-type"
    status: ClassVar[int] = 415


class NotReady(WisselError):
    """The process runs but cannot do its work."""

    code: ClassVar[str] = "not-ready"
    status: ClassVar[int] = 503

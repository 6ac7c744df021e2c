"""What can go wrong at a door. An error with `retry_after_s` is answered with a Retry-After header."""

from typing import ClassVar

from wissel.core.errors import WisselError


class Unreadable(WisselError):
    """The body is not what this operation takes. `field` is the JSON pointer at fault."""

    code: ClassVar[str] = "body-unreadable"
    status: ClassVar[int] = 400


class Unauthenticated(WisselError):
    """Nobody can be told from this request: no token, or one that does not hold."""

    code: ClassVar[str] = "unauthenticated"
    status: ClassVar[int] = 401


class Forbidden(WisselError):
    """It is known who calls, and that is not somebody who may."""

    code: ClassVar[str] = "forbidden"
    status: ClassVar[int] = 403


class Missing(WisselError):
    """There is nothing here, or nothing for this caller: the two look alike."""

    code: ClassVar[str] = "not-found"
    status: ClassVar[int] = 404


class ProofRefused(WisselError):
    """A Wissel-Proof header is absent, does not fit the request, is out of date or was seen before.

    Not 401: from a vault that means that its owner withdrew, and then her copies are destroyed for good. This can be
    mended (a clock, a new key) and tried again.
    """

    code: ClassVar[str] = "proof-refused"
    status: ClassVar[int] = 400


class Busy(WisselError):
    """The door can take no more now."""

    code: ClassVar[str] = "busy"
    status: ClassVar[int] = 503

    def __init__(self, sentence: str, *, field: str = "", retry_after_s: int = 1) -> None:
        super().__init__(sentence, field=field)
        self.retry_after_s = retry_after_s


class TooMany(Busy):
    """A caller asks more often than is allowed."""

    code: ClassVar[str] = "too-many-requests"
    status: ClassVar[int] = 429

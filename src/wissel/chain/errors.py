"""What a played application answers when it does not do what was asked."""

from typing import ClassVar

from wissel.core.errors import WisselError


class ChainError(WisselError):
    """The root of what the played chain says no with."""

    code: ClassVar[str] = "chain"
    status: ClassVar[int] = 500


class NotAllowed(ChainError):
    """The caller did not show a key that this application knows."""

    code: ClassVar[str] = "chain-not-allowed"
    status: ClassVar[int] = 401


class Invalid(ChainError):
    """The question cannot be understood; `field` says where."""

    code: ClassVar[str] = "chain-invalid"
    status: ClassVar[int] = 422


class NotKnown(ChainError):
    """What the question is about is not in this application's book."""

    code: ClassVar[str] = "chain-not-known"
    status: ClassVar[int] = 404


class Clash(ChainError):
    """The same request id came with other content, or the book already says otherwise."""

    code: ClassVar[str] = "chain-clash"
    status: ClassVar[int] = 409


class OutOfOrder(ChainError):
    """The application is down for a while. Ask again after `retry_s` seconds."""

    code: ClassVar[str] = "chain-out-of-order"
    status: ClassVar[int] = 503

    def __init__(self, sentence: str, *, retry_s: int) -> None:
        super().__init__(sentence)
        self.retry_s = retry_s


class PartnerFailed(ChainError):
    """Another application answered the portal with something it cannot go on with."""

    code: ClassVar[str] = "chain-partner-failed"
    status: ClassVar[int] = 502

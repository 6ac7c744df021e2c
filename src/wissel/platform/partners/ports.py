"""What an adapter needs from the exchange, and what each partner's folder offers the runner."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol

from wissel.client.words import Accepted, Settled, Settlement
from wissel.core.errors import WisselError
from wissel.infra.http.ports import Response
from wissel.messages.envelope import Offered
from wissel.messages.fields import Payload


class PartnerBusy(WisselError):
    """The partner is out of order or still at it. The message waits in its lane."""

    code: ClassVar[str] = "partner-busy"
    status: ClassVar[int] = 503


class PartnerRefused(WisselError):
    """The partner will not answer this question: its receipt is `rejected`."""

    code: ClassVar[str] = "partner-refused"
    status: ClassVar[int] = 422


class Mail(Protocol):
    """The exchange, as a participant sees it."""

    async def accept(self, caller: str, body: bytes) -> Accepted:
        """Take a submission."""
        ...

    async def offered(self, caller: str, limit: int) -> Sequence[Offered]:
        """Return what waits."""
        ...

    async def settle(self, caller: str, receipts: Sequence[Settled]) -> Sequence[Settlement]:
        """Take receipts."""
        ...

    async def next_sequence(self, process: str, source: str, recipient: str) -> int:
        """Return the next number between two parties in a process."""
        ...


class Call(Protocol):
    """The partner's API, with its address and credentials already in place."""

    async def __call__(
        self, method: str, path: str, body: Payload | dict[str, object] | None = None, *, expect: Sequence[int] = ()
    ) -> Response:
        """Call once; statuses in `expect` are answers too.

        Raises PartnerBusy when there is no answer yet, PartnerRefused when it says no for good.
        """
        ...


class Reply(NamedTuple):
    """What a partner's answer becomes: a message of `type`, or only a receipt when there is nothing to say.

    `raw` is the answer as it came, whose hash the adapter signs.
    """

    raw: bytes
    type: str = ""
    data: Payload | None = None


class Translate(Protocol):
    """One partner's folder: asks the API what a message asks, and words the answer."""

    async def __call__(self, call: Call, offered: Offered, data: Payload) -> Reply:
        """Return the reply to one message."""
        ...

"""What is handed in to every played application: time, chance, the network and the people."""

from typing import NamedTuple
from uuid import UUID

from wissel.chain.people import People
from wissel.chain.steering import THINKING_S
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.http.ports import Http


class World(NamedTuple):
    """One world for all applications of one process. `pace` stretches thinking times: 0 answers at once."""

    clock: Clock
    entropy: Entropy
    http: Http
    people: People
    pace: float = 1.0

    async def think(self, application: str) -> None:
        """Wait as long as this application usually takes before it answers."""
        seconds = THINKING_S[application] * self.pace
        if seconds > 0:
            await self.clock.sleep(seconds)


def random_uuid(entropy: Entropy) -> str:
    """Return a random UUID (version 4, RFC 9562 section 5.4): derived from nothing, in no order."""
    raw = bytearray(entropy.draw(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(raw)))

"""Fetch what waits at the platform, take it in, and hand in the receipts."""

from datetime import datetime
from typing import Final

from wissel.client.errors import AnswerInvalid, Refusal
from wissel.client.words import PULL_MAX, Settled
from wissel.infra.http.ports import Unreachable
from wissel.institution.connector.house import Served
from wissel.institution.connector.receive import receive

FINAL: Final = frozenset({"accepted", "rejected", "again"})


class Pull:
    """Pulls for one institution. A platform that is away is tried again at the next step."""

    def __init__(self, served: Served, limit: int = PULL_MAX) -> None:
        self._served = served
        self._limit = limit

    async def step(self, now: datetime) -> int:
        """Take in what waits; return how many messages were answered for good."""
        served = self._served
        try:
            offered = await served.client.pull(self._limit)
            answers = [await receive(served, each) for each in offered]
            settled = [Settled(id=one.id, source=one.source, receipt=one.receipt) for one in answers if one.receipt]
            booked = await served.client.settle(settled) if settled else []
        except (Unreachable, Refusal, AnswerInvalid) as error:
            served.note("pull.failed", code=error.code, at=now.isoformat())
            return 0
        refused = [one for one in booked if one.code]
        for one in refused:
            served.note("receipt.refused", code=one.code, message=one.id)
        final = sum(one.outcome in FINAL for one in answers if one.receipt)
        return max(0, final - len(refused))

"""Fetch what waits at the platform, take it in, and hand in the receipts."""

from datetime import datetime, timedelta
from typing import Final

from wissel.client.errors import AnswerInvalid, Refusal
from wissel.client.words import PULL_MAX, Settled
from wissel.core.entropy import jitter
from wissel.infra.http.ports import Unreachable
from wissel.institution.connector.house import Served
from wissel.institution.connector.receive import receive

FINAL: Final = frozenset({"accepted", "rejected", "again"})


WAIT_S_MAX: Final = 30.0


class Pull:
    """Pulls for one institution. A platform that is away is tried again, less often the longer it is away."""

    def __init__(self, served: Served, limit: int = PULL_MAX) -> None:
        self._served = served
        self._limit = limit
        self._failures = 0
        self._not_before: datetime | None = None

    async def step(self, now: datetime) -> int:
        """Take in what waits; return how many messages were answered for good."""
        served = self._served
        if self._not_before is not None and now < self._not_before:
            return 0
        try:
            offered = await served.client.pull(self._limit)
            answers = [await receive(served, each) for each in offered]
            settled = [Settled(id=one.id, source=one.source, receipt=one.receipt) for one in answers if one.receipt]
            booked = await served.client.settle(settled) if settled else []
        except (Unreachable, Refusal, AnswerInvalid) as error:
            served.note("pull.failed", code=error.code)
            self._failures += 1
            wait = min(WAIT_S_MAX, 2.0 ** min(self._failures, 9)) * (0.5 + jitter(served.entropy) / 2)
            self._not_before = now + timedelta(seconds=wait)
            return 0
        self._failures, self._not_before = 0, None
        refused = [one for one in booked if one.code]
        for one in refused:
            served.note("receipt.refused", code=one.code, message=one.id)
        final = sum(one.outcome in FINAL for one in answers if one.receipt)
        return max(0, final - len(refused))

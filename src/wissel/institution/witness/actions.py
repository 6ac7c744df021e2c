"""Cosigning: look, judge, remember, and only then sign."""

from collections.abc import Mapping
from datetime import datetime

from wissel.infra.sql.ports import Conflict, Database
from wissel.institution.witness import store
from wissel.institution.witness.rules import judge, read
from wissel.institution.witness.words import Refusal, Seen
from wissel.messages.notes import WitnessKey


class Witness:
    """A witness of the logs whose verifier keys it trusts, by origin. `store.SCHEMA` is committed before."""

    def __init__(self, database: Database, *, key: WitnessKey, logs: Mapping[str, str]) -> None:
        self._database = database
        self._key = key
        self._logs = dict(logs)

    async def add_checkpoint(self, body: str, now: datetime) -> tuple[int, str]:
        """Answer `POST <witness>/add-checkpoint` with a status and a body.

        200: the cosignature line, after the head is durable. 400: not a request. 403: not signed by the log.
        404: an unknown log. 409: the old size is not ours; the body is ours (`text/x.tlog.size`). 422: no proof
        that this continues what we cosigned.
        """
        asked = read(body)
        if isinstance(asked, Refusal):
            return asked
        origin = asked.checkpoint.origin
        old = await store.seen(self._database, origin)
        judged = judge(old or Seen(), asked, self._logs.get(origin))
        if isinstance(judged, Refusal):
            return judged
        if judged != old:
            try:
                await self._database.commit([store.remember(origin, old, judged, asked.note)])
            except Conflict:
                faster = await store.seen(self._database, origin)
                return 409, f"{faster.size if faster else 0}\n"
        return 200, self._key.cosign(asked.checkpoint.body, now)

    async def highest(self, origin: str) -> str:
        """Return the signed checkpoint last cosigned for a log: evidence when the platform lost its own."""
        return await store.note(self._database, origin)

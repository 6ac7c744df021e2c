"""How many processes run, without counting them for each new one."""

from datetime import datetime, timedelta
from typing import Final

from wissel.infra.sql.ports import Database
from wissel.platform.store import processes

COUNT_EVERY: Final = timedelta(seconds=1)


class Running:
    """Counts once a second; what is admitted in between is added, so the limit is never passed by this process."""

    def __init__(self) -> None:
        self._counted: datetime | None = None
        self._running = 0

    async def admit(self, database: Database, most: int, now: datetime) -> bool:
        """Take one more in, unless `most` are running."""
        if self._counted is None or not self._counted <= now < self._counted + COUNT_EVERY or self._running >= most:
            self._running = await processes.count_running(database)
            self._counted = now
        if self._running >= most:
            return False
        self._running += 1
        return True

"""The index of running processes: which are this learner's, begun on whichever device (architecture section 6).

Its key is derived from the day key of the process's end day, so it can be read no longer than that day. A row
goes when the process is settled, and no sooner: until then a message of hers is still taken, and the row is what
tells that it is hers. (What signs a message has a new `sub` each time, so signatures do not tell.)
"""

import hmac
from datetime import date
from typing import Final

from wissel.infra.sql.ports import Statement
from wissel.platform.exchange.desk import Desk
from wissel.platform.identity import store
from wissel.platform.identity.actions import learner_of
from wissel.platform.identity.errors import NotHers
from wissel.platform.identity.rules import index_name
from wissel.platform.identity.words import HEADER, INDEX, Learner
from wissel.platform.store.words import ProcessRow, Where

LISTED_MAX: Final = 100


def known(desk: Desk, token: str, portal: str) -> Learner:
    """Return who is logged in at a portal. Raises LearnerTokenRefused."""
    return learner_of(token, portal, desk.participants, desk.clock.now())


def index(desk: Desk, row: ProcessRow, learner: Learner) -> Statement:
    """Index a process that a learner begins."""
    return store.keep(row.where, index_name(desk.keys.derived(date.fromisoformat(row.end_day), INDEX), learner))


async def is_hers(desk: Desk, row: ProcessRow, learner: Learner) -> bool:
    """Tell whether a process is this learner's. One that began without her token is nobody's."""
    there = await store.name_of(desk.database, row.where)
    key = desk.keys.derived_alive(INDEX).get(date.fromisoformat(row.end_day))
    return key is not None and hmac.compare_digest(there, index_name(key, learner))


async def of(desk: Desk, learner: Learner) -> list[Where]:
    """Return the processes of a learner that are not settled, at most 100, the newest first."""
    names = [index_name(key, learner) for key in desk.keys.derived_alive(INDEX).values()]
    return await store.of_names(desk.database, names, LISTED_MAX)


async def check_hers(desk: Desk, row: ProcessRow, token: str, portal: str) -> None:
    """Hold a learner's later message to the learner who began. Raises LearnerTokenRefused or NotHers."""
    if not await is_hers(desk, row, known(desk, token, portal)):
        raise NotHers(
            "The learner who is logged in did not begin this process with her token. Let its learner log in.",
            field=HEADER,
        )

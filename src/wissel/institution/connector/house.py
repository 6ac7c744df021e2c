"""One institution at the connector: its keys, its book, its systems and its vault, handed in whole."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from wissel.client.actions import Client
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.core.moments import end_of, to_ms
from wissel.infra.files.ports import Folder
from wissel.infra.sql.ports import Database, Statement
from wissel.infra.telemetry.log import Log, Plain
from wissel.institution.connector import store
from wissel.institution.connector.words import Say
from wissel.institution.directory import Directory
from wissel.institution.finance.ports import Finance
from wissel.institution.sis.ports import Sis
from wissel.institution.words import House
from wissel.messages.envelope import LEARNER
from wissel.messages.jose import SealingKey, SigningKey
from wissel.messages.verify import Trust, canonical


@dataclass(frozen=True, kw_only=True)
class Served:
    """An institution that this connector serves, with all that is its own and nobody else's.

    `book` is its connector's database (in profile/), `vault` its folder of sealed copies, `files` that of sealed files,
    `trust` what its copies are verified against (None: they are kept without). `turn` lets one thing at a time change
    its book.
    """

    house: House
    sign: SigningKey
    seal: SealingKey
    client: Client
    book: Database
    vault: Folder
    files: Folder
    sis: Sis
    finance: Finance
    directory: Directory
    clock: Clock
    entropy: Entropy
    log: Log
    trust: Trust | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def note(self, event: str, **fields: Plain) -> None:
        """Write a log line that names the institution and, where another runs its connector, the mandate."""
        known: dict[str, Plain] = {"institution": self.house.urn, **fields}
        if self.house.supplier:
            known |= {"supplier": self.house.supplier, "mandate": self.house.mandate}
        self.log.write(event, **known)

    def queue(self, process: str, subject: str, says: Sequence[Say], capability: str = "") -> list[Statement]:
        """Return what puts things to say in their lanes. Who is in no role is told of by a task."""
        rows, tasks = [], []
        for say in says:
            receiver = subject if say.to == "learner" else self.directory.role(say.to)
            if not receiver.startswith(("urn:", LEARNER)):
                tasks.append(store.missing(say))
                continue
            rows.append((say, receiver, canonical(msgspec.to_builtins(say.data)), capability))
        unit = [store.queue(process, rows)] if rows else []
        return [*unit, store.open_tasks(process, tasks)] if tasks else unit


def end_ms(enddate: str) -> int:
    """Return the moment, in milliseconds, at which a wire end date has passed."""
    return to_ms(end_of(date.fromisoformat(enddate)))

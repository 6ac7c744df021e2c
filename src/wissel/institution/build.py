"""Put a connector together for one institution or several of one supplier. Everything is handed in."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from wissel.client.actions import Client
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.infra.files.ports import Folder
from wissel.infra.http.door import Door
from wissel.infra.http.ports import Http
from wissel.infra.sql.migrate import migrate
from wissel.infra.sql.ports import Database
from wissel.infra.telemetry.log import Log
from wissel.institution.connector.copies import Copies
from wissel.institution.connector.desk import Desk
from wissel.institution.connector.house import Served
from wissel.institution.connector.outbox import Sending
from wissel.institution.connector.pull import Pull
from wissel.institution.connector.store import TABLES
from wissel.institution.directory import Directory
from wissel.institution.door import Cosigner, Place, Places, make_door, make_place
from wissel.institution.finance.ports import Finance
from wissel.institution.finance.store import SampleFinance
from wissel.institution.setup import HouseKeys, make_keys, read_trust_file
from wissel.institution.sis.ports import Sis
from wissel.institution.sis.store import SampleSis
from wissel.institution.witness.actions import Witness
from wissel.institution.witness.store import SCHEMA
from wissel.institution.words import House
from wissel.messages.jose import hash64

Step = Callable[[datetime], Awaitable[int]]


class Tools(NamedTuple):
    """What all institutions of one connector share. `platform` is the platform's public address."""

    http: Http
    clock: Clock
    entropy: Entropy
    log: Log
    directory: Directory
    platform: str


class Own(NamedTuple):
    """What is one institution's own. `book` (connector and witness) lies in profile/, the other two in sis/."""

    house: House
    keys: Folder
    vault: Folder
    files: Folder
    book: Database
    sis: Database
    finance: Database
    pulls: bool = True


class Opened(NamedTuple):
    """One institution, ready to be served."""

    served: Served
    keys: HouseKeys
    witness: Cosigner | None
    pulls: bool


class Built(NamedTuple):
    """A connector: its application, the steps that a runner calls by name, and a desk per institution."""

    app: Door
    steps: dict[str, Step]
    desks: dict[str, Desk]


async def open_sample(own: Own, tools: Tools) -> Opened:
    """Open an institution with the sample SIS and financial system behind it; tables are made when they lack."""
    sis, finance = SampleSis(own.sis), SampleFinance(own.finance)
    await sis.prepare()
    await finance.prepare()
    return await open_house(own, tools, sis, finance)


async def open_house(own: Own, tools: Tools, sis: Sis, finance: Finance) -> Opened:
    """Open an institution over its own SIS and financial system."""
    await migrate(own.book, [TABLES])
    await own.book.commit([SCHEMA])
    keys, trust = make_keys(own.keys, own.house, tools.entropy), read_trust_file(own.keys)
    client = Client(tools.http, tools.clock, tools.entropy, base=tools.platform, urn=own.house.urn, key=keys.sign)
    served = Served(
        house=own.house,
        sign=keys.sign,
        seal=keys.seal,
        client=client,
        book=own.book,
        vault=own.vault,
        files=own.files,
        sis=sis,
        finance=finance,
        directory=tools.directory,
        clock=tools.clock,
        entropy=tools.entropy,
        log=tools.log,
        trust=trust,
    )
    witness = Witness(own.book, key=keys.witness, logs=trust.logs) if trust else None
    return Opened(served, keys, witness, own.pulls)


def build(opened: Sequence[Opened], *, tools: Tools, base: str) -> Built:
    """Return the connector of these institutions. `base` is its public address, without a slash at the end."""
    places: dict[str, Place] = {}
    steps: dict[str, Step] = {}
    for one in opened:
        short = one.served.house.short
        place = make_place(one.served, witness=one.witness, desk_hash=hash64(one.keys.desk))
        places[short] = place
        if one.pulls:
            steps[f"{short}.pull"] = Pull(one.served).step
        steps[f"{short}.send"] = Sending(one.served).step
        steps[f"{short}.ends"] = Copies(one.served).step
    app = make_door(Places(places, base), clock=tools.clock, entropy=tools.entropy, log=tools.log)
    return Built(app, steps, {short: place.desk for short, place in places.items()})

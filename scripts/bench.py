"""Milliseconds of platform CPU per message, and where they go. `make bench` (ARGS="--messages 500 --batch 50").

Messages go the whole way in one process: accepted, decided, offered, receipted, logged, copied, handed over,
forgotten. Network and parties cost nothing here; the disk's waiting is not CPU. Machines are noisy: compare the
ratios, which are against one ES256 signature and its check in the same run.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.table import Table
from tests.journeys.parties import PORTAL, SCHOOL, World, make_world

from wissel.assembly.platform import jobs
from wissel.assembly.switch import Switchboard
from wissel.client.words import Settled
from wissel.core.ids import uuid7
from wissel.messages.enrolment import ObjectionReceived
from wissel.messages.records import receipt
from wissel.messages.verify import check_jws

KIND: Final = "nl.wissel.objection.received.v1"
T = TypeVar("T")
SPENT: Final[dict[str, float]] = defaultdict(float)


async def timed(stage: str, work: Awaitable[T]) -> T:
    """Count the CPU seconds that `work` takes under `stage`."""
    begun = time.process_time()
    try:
        return await work
    finally:
        SPENT[stage] += time.process_time() - begun


def submissions(world: World, count: int) -> list[bytes]:
    """Return objections of so many learners, each signed by authenticating. What this costs is the portal's."""
    made = []
    for _ in range(count):
        subject = f"urn:wissel:learner:{uuid7(world.clock.now(), world.entropy)}"
        drafted = world.draft(
            KIND,
            ObjectionReceived(
                decision=uuid7(world.clock.now(), world.entropy), text="x" * 1500, afschriften=("A" * 43,)
            ),
            source=subject,
            recipient=SCHOOL,
            subject=subject,
            grant=world.grant(KIND),
            addressee=world.addressee(),
        )
        made.append(world.by_learner(drafted))
    return made


async def drive(world: World, count: int, batch: int) -> int:
    """Send messages in batches, receipt them, and work until all is forgotten; return how many went through."""
    board, work = Switchboard(world.platform.desk), jobs(world.platform, world)
    through = 0
    for start in range(0, count, batch):
        bodies = submissions(world, min(batch, count - start))
        await timed("accept", _gather([board.accept(PORTAL, body) for body in bodies]))
        for _ in range(4):
            for job in work:
                await timed(job.name, job.step(world.clock.now()))
            through += await _receive(world, board)
            await world.clock.sleep(1)
    return through


async def _receive(world: World, board: Switchboard) -> int:
    offered = await timed("offer", board.offered(SCHOOL, 100))
    now = world.clock.now()
    settled = [
        Settled(
            id=one.envelope.id,
            source=one.envelope.source,
            receipt=receipt(world.keys[SCHOOL], acknowledgement=one.acknowledgement, outcome="accepted", at=now),
        )
        for one in offered
    ]
    if settled:
        await timed("receipt", board.settle(SCHOOL, settled))
    return len(settled)


async def _gather(work: list[Awaitable[T]]) -> list[T]:
    return list(await asyncio.gather(*work))


def reference(world: World) -> float:
    """Return the CPU seconds of one ES256 signature and its check on this machine, now."""
    key, payload = world.keys[SCHOOL], b"x" * 200
    begun = time.process_time()
    for _ in range(500):
        check_jws(key.sign(payload), key.public_jwk)
    return (time.process_time() - begun) / 500


def show(through: int, unit: float, wall: float) -> None:
    """Print where the time went, the largest first."""
    table = Table("stage", "ms CPU per message", "share", "signatures' worth", title=f"{through} messages")
    total = sum(SPENT.values())
    for stage, seconds in sorted(SPENT.items(), key=lambda item: -item[1]):
        each = seconds / through
        table.add_row(stage, f"{each * 1000:.3f}", f"{seconds / total:.0%}", f"{each / unit:.1f}")
    table.add_row("all", f"{total / through * 1000:.3f}", "100%", f"{total / through / unit:.1f}", style="bold")
    console = Console()
    console.print(table)
    console.print(
        f"one ES256 signature and check: {unit * 1e6:.0f} µs; wall {wall:.1f} s, {through / wall:.0f} messages/s"
    )


async def bench(messages: int, batch: int) -> int:
    """Run the bench; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        world = await make_world(Path(folder), kinds=(KIND,))
        try:
            unit = reference(world)
            begun = time.perf_counter()
            through = await drive(world, messages, batch)
            show(through, unit, time.perf_counter() - begun)
            return 0 if through == messages else 1
        finally:
            world.close()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--batch", type=int, default=50, help="messages that arrive together")
    args = parser.parse_args()
    sys.exit(asyncio.run(bench(args.messages, args.batch)))


if __name__ == "__main__":
    main()

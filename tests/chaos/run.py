"""The kill test from beginning to end: a scene, an undisturbed enrolment each, many disturbed ones, the books."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.chaos.books import Findings, compare_copies, compare_stories, count_books, read_copies, rows
from tests.chaos.plan import PROGRAMMES, Errand, errands, kills
from tests.chaos.stage import Death, Stage

from wissel.assembly.demo.play import StoryFailed, move_in
from wissel.assembly.demo.processes import running
from wissel.assembly.demo.setup import PLATFORM_URN, Scene, prepare
from wissel.assembly.operator import check_log
from wissel.assembly.settings import PlatformSettings, read_settings
from wissel.infra.http.outbound import AiohttpHttp
from wissel.infra.http.ports import Http, Request, Unreachable
from wissel.platform.forgetting.thief.actions import rob

AT_ONCE: Final = 8  # enrolments that may begin before the first death
TRY_S: Final = 0.5
LOOK_S: Final = 1.0
PACE: Final = 0.1
CONTROL: Final = 500  # the number of the first learner whom nothing disturbs
# What the platform may not hold when all is over. Rows of `data_keys` go when their slots are zero.
MUST_BE_EMPTY: Final = (
    *("processes", "messages", "mail", "parties", "parcels", "events", "setaside"),
    *("learner_index", "pending_leaves", "destroy_orders", "data_keys"),
)


@dataclass(slots=True, kw_only=True)
class Report:
    """What the kill test saw."""

    enrolments: int
    seconds: float = 0.0
    orderly: int = 0
    deaths: list[Death] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)

    @property
    def good(self) -> bool:
        """Tell whether all ended as it should."""
        return not self.findings.troubles


@dataclass(slots=True, kw_only=True)
class Chaos:
    """One kill test under way."""

    scene: Scene
    http: Http
    until: float
    begun: list[tuple[Errand, str]] = field(default_factory=list)
    decided: set[str] = field(default_factory=set)

    async def undisturbed(self, refs: Sequence[str]) -> None:
        """Let one learner enrol at each institution, and all others open their vaults, while nobody dies."""
        async with running(self.scene):
            for number, wish in enumerate(PROGRAMMES):
                learner = await move_in(self.scene, self.http, f"everything-fine-{CONTROL + number}")
                await self._enrol(Errand(learner.ref, wish))
            for ref in refs:
                await move_in(self.scene, self.http, ref)
            await self._until_over()

    async def disturbed(self, todo: Sequence[Errand], stage: Stage) -> None:
        """Let learners enrol, a few more than the deaths so far allow, until all of it is over."""
        await asyncio.gather(*(self._errand(number, one, len(todo), stage) for number, one in enumerate(todo)))
        await self._until_over(stage)

    async def _errand(self, number: int, one: Errand, count: int, stage: Stage) -> None:
        """Enrol when who was to die has died: so deaths are spread over all enrolments, and the last sees them all."""
        share = (number - min(AT_ONCE, count // 4)) / count if number < count - 1 else 1.0
        while len(stage.deaths) < stage.due(share):
            await self._check(stage)
            await asyncio.sleep(TRY_S)
        await self._enrol(one, stage)
        stage.share += 1 / count

    async def _enrol(self, one: Errand, stage: Stage | None = None) -> None:
        while not await self.ask_to_enrol(one):
            await self._check(stage)
            await asyncio.sleep(TRY_S)

    async def ask_to_enrol(self, one: Errand) -> bool:
        """Ask as a person does, who first looks whether it went the last time. Return whether it stands in her list."""
        url = f"{self.scene.address('portal')}/play"
        body = {"learner": one.ref, "institution": one.institution, "programme": one.wish.programme}
        try:
            mine = await self._ask("GET", f"{url}/learners/{one.ref}/enrolments")
            if all(each["institution"] != one.institution for each in mine):
                begun = await self._ask("POST", f"{url}/enrolments", body)
                mine = [{"institution": one.institution, "process": begun["process"]}]
        except (Unreachable, StoryFailed):
            return False
        processes = [str(each["process"]) for each in mine if each["institution"] == one.institution]
        self.begun += [(one, process) for process in processes]
        return True

    async def _ask(self, method: str, url: str, body: object | None = None) -> Any:
        raw = b"" if body is None else msgspec.json.encode(body)
        headers = {"content-type": "application/json"} if raw else {}
        response = await self.http.send(Request(method, url, headers, raw, timeout_s=120.0))
        if response.status >= 300:
            raise StoryFailed(f"The portal answered {response.status}.")
        return msgspec.json.decode(response.body)

    async def _check(self, stage: Stage | None) -> None:
        if stage is not None:
            stage.check()
        if time.monotonic() > self.until:
            raise StoryFailed(f"Not over in time: {await self._where()}.")

    async def _until_over(self, stage: Stage | None = None) -> None:
        while not await self.over():
            await self._check(stage)
            await asyncio.sleep(LOOK_S)

    async def over(self) -> bool:
        """Tell whether the portal saw every process decided and the platform has forgotten them all."""
        for _, process in self.begun:
            if process not in self.decided and await self._decided(process):
                self.decided.add(process)
        return len(self.decided) == len(self.begun) and not await self.left()

    async def _decided(self, process: str) -> bool:
        try:
            standing = await self._ask("GET", f"{self.scene.address('portal')}/play/enrolments/{process}")
        except (Unreachable, StoryFailed):
            return False
        return bool(standing["decided"])

    async def left(self) -> dict[str, int]:
        """Return the platform's tables that should be empty and are not."""
        file = self.scene.data / "platform" / "wissel.sqlite"
        counts = ", ".join(f"(SELECT COUNT(*) FROM {table})" for table in MUST_BE_EMPTY)  # noqa: S608 - names of ours
        try:
            (found,) = await rows(file, f"SELECT {counts}")
        except sqlite3.Error:
            return {"(cannot be read now)": 1}
        return {table: int(str(number)) for table, number in zip(MUST_BE_EMPTY, found, strict=True) if number}

    async def _where(self) -> str:
        """Say what still waits, for whoever has to find out why."""
        return f"{len(self.begun)} enrolments begun; the platform holds {await self.left()}; see {self.scene.data}"


async def kill_test(data: Path, *, enrolments: int, kill: int, seed: int, minutes: float) -> Report:
    """Run the kill test in a fresh folder. Raises StoryFailed when it is not over within `minutes`."""
    began = time.monotonic()
    scene = await prepare(data, pace=PACE, first_port=10_000 + os.getpid() % 1000 * 20)
    report = Report(enrolments=enrolments)
    todo = errands(enrolments)
    allow = frozenset(("127.0.0.1", port) for port in scene.ports.values())
    async with AiohttpHttp(allow) as http:
        chaos = Chaos(scene=scene, http=http, until=began + 60 * minutes)
        await chaos.undisturbed(sorted({errand.ref for errand in todo}))
        async with Stage(scene=scene, plan=kills(kill, seed)) as stage:
            await chaos.disturbed(todo, stage)
        report.deaths, report.orderly = stage.deaths, stage.orderly
    await look(scene, chaos.begun, report.findings)
    if len(report.deaths) != kill:
        report.findings.troubles.append(f"{len(report.deaths)} processes were killed where {kill} were to be.")
    report.seconds = time.monotonic() - began
    return report


async def look(scene: Scene, begun: Sequence[tuple[Errand, str]], findings: Findings) -> None:
    """Look at everybody's books, copies and disks, with every process ended."""
    await count_books(scene, begun, findings)
    copies = read_copies(scene, findings)
    compare_copies(copies, PLATFORM_URN, findings)
    compare_stories(copies, begun, len(PROGRAMMES), findings)
    settings = read_settings(PlatformSettings, scene.data / "platform" / "wissel.toml", environment={})
    await check_log(settings)  # raises LogInconsistent
    loot = rob(scene.data / "platform")
    findings.count("platform", "keys of processes that a thief opens", len(loot.keys), 0)
    findings.count("platform", "values that a thief reads", len(loot.readings), 0)

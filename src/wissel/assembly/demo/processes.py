"""Starts the owners as processes of their own, waits until they answer, and ends exactly those."""

import asyncio
import os
import signal
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, Final

from wissel.assembly.demo.setup import Scene
from wissel.core.errors import WisselError
from wissel.institution.samples import sample_houses

START_S_MAX: Final = 60.0
END_S_MAX: Final = 10.0


class OwnerFailed(WisselError):
    """A process of the demo did not start, or ended too early."""

    code: ClassVar[str] = "owner-failed"


def commands(scene: Scene) -> dict[str, tuple[str, Path]]:
    """Return the command and settings file of every owner's process, by name."""
    houses = {
        house.short: ("connector", scene.data / "institutions" / house.short / "profile" / "wissel.toml")
        for house in sample_houses()
    }
    return {
        "platform": ("serve", scene.data / "platform" / "wissel.toml"),
        **houses,
        "vaults": ("vaults", scene.data / "provider" / "wissel.toml"),
        "chain": ("play", scene.data / "chain" / "chain.toml"),
        "portal": ("play", scene.data / "chain" / "portal.toml"),
    }


@asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[dict[str, asyncio.subprocess.Process]]:
    """Run all owners for as long as the block lasts."""
    started: dict[str, asyncio.subprocess.Process] = {}
    try:
        for name, (command, file) in commands(scene).items():
            started[name] = await start(command, file)
        await _wait(scene, started)
        yield started
    finally:
        await end(list(started.values()))


async def start(command: str, file: Path, more: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
    """Start one owner, with `more` in its environment. What it says on standard error lies beside its settings."""
    words = [sys.executable, "-m", "wissel.cli", *command.split(), "--config", str(file)]
    with file.with_suffix(".err").open("ab") as errors:
        return await asyncio.create_subprocess_exec(
            *words, stdout=errors, stderr=errors, start_new_session=True, env={**os.environ, **(more or {})}
        )


async def end(processes: list[asyncio.subprocess.Process]) -> None:
    """Ask processes to end, and kill those that do not."""
    for process in processes:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            await asyncio.wait_for(process.wait(), END_S_MAX)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _wait(scene: Scene, started: dict[str, asyncio.subprocess.Process]) -> None:
    """Wait until each owner says that it listens. That a port answers says nothing: it may be another demo's."""
    async with asyncio.timeout(START_S_MAX):
        for owner, process in started.items():
            log = Path(_log_of(commands(scene)[owner][1]))
            while not _listens(log):
                if process.returncode is not None:
                    raise OwnerFailed(_last_words(scene, owner))
                await asyncio.sleep(0.05)


def _log_of(settings: Path) -> str:
    return str(tomllib.loads(settings.read_text(encoding="utf-8"))["log"])


def _listens(log: Path) -> bool:
    return log.exists() and '"event":"owner.started"' in log.read_text(encoding="utf-8")


def _last_words(scene: Scene, name: str) -> str:
    file = commands(scene)[name][1].with_suffix(".err")
    lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines() if file.exists() else []
    return f"The process of {name} ended. Its last words: {' / '.join(lines[-3:]) or 'none'}"

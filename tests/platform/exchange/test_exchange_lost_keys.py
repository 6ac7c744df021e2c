"""A lost key store: the platform runs, says so, touches nothing, and an operator can write the loss off."""

import asyncio
import shutil
from pathlib import Path

from click.testing import CliRunner, Result
from tests.journeys.parties import ORIGIN, PLATFORM, PORTAL, SCHOOL, START, World, make_world
from tests.platform.exchange.posts import OBJECTION, objection, work

from wissel.assembly.clocks import set_demo_time
from wissel.assembly.platform import open_platform
from wissel.assembly.switch import Switchboard
from wissel.cli import main
from wissel.infra.sql.sqlite import SqliteDatabase
from wissel.platform.forgetting.filestore import FileKeyStore


async def running(folder: Path) -> World:
    """Return a platform with an objection that waits for the school."""
    world = await make_world(folder, kinds=(OBJECTION,))
    await Switchboard(world.platform.desk).accept(PORTAL, objection(world))
    await work(world, 2)
    return world


async def reopened(world: World, folder: Path) -> World:
    """Start the platform again on what is on the disk."""
    world.close()
    world.database = SqliteDatabase(folder / "wissel.sqlite")
    world.keystore = FileKeyStore(folder / "keys", world.entropy, demo=True)
    settings, log = world.platform.settings, world.platform.log
    world.platform = await open_platform(settings, world.database, world.keystore, world.clock, log)
    return world


def command(folder: Path, *more: str) -> Result:
    """Run `wissel forgetting write-off` on this platform at the moment of the test."""
    set_demo_time(folder / "clock", START)
    environment = {
        "WISSEL_DATA": str(folder),
        "WISSEL_URN": PLATFORM,
        "WISSEL_ORIGIN": ORIGIN,
        "WISSEL_DEMO": "true",
        "WISSEL_CLOCK": str(folder / "clock"),
    }
    return CliRunner(env=environment).invoke(main, ["forgetting", "write-off", *more])


def hide_days(folder: Path) -> None:
    """Take the days out of the key store, as when another disk is mounted there."""
    shutil.move(folder / "keys" / "days", folder / "elsewhere")
    (folder / "keys" / "days").mkdir()


async def test_with_lost_keys_it_starts_accepts_nothing_and_leaves_all_as_it_is(tmp_path: Path) -> None:
    world = await running(tmp_path)
    hide_days(tmp_path)
    world = await reopened(world, tmp_path)
    assert world.platform.keys.lost is not None
    assert {loss.receiver for loss in world.platform.keys.lost.lost} == {SCHOOL}
    assert await world.platform.view.stalled(world.clock.now())
    await work(world)
    assert await world.database.fetch("SELECT COUNT(*) FROM setaside") == [(0,)]
    shutil.rmtree(tmp_path / "keys" / "days")
    shutil.move(tmp_path / "elsewhere", tmp_path / "keys" / "days")
    world = await reopened(world, tmp_path)
    assert world.platform.keys.lost is None
    assert len(await Switchboard(world.platform.desk).offered(SCHOOL, 10)) == 1, "the right key store was mounted"
    world.close()


async def test_an_operator_lists_the_losses_and_writes_them_off(tmp_path: Path) -> None:
    world = await running(tmp_path)
    world.close()
    hide_days(tmp_path)
    said = await asyncio.to_thread(command, tmp_path)
    assert said.exit_code == 1, said.output
    assert SCHOOL in said.output
    done = await asyncio.to_thread(command, tmp_path, "--yes")
    assert done.exit_code == 0, done.output
    assert "written off" in done.output
    assert "Nothing is lost." in (await asyncio.to_thread(command, tmp_path)).output

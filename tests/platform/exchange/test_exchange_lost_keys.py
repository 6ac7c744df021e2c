"""A lost key store: the platform runs, says so, touches nothing, and an operator can write the loss off."""

import asyncio
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.journeys.parties import ORIGIN, PLATFORM, PORTAL, SCHOOL, START, World, make_world
from tests.platform.exchange.posts import OBJECTION, objection, work

from wissel.assembly.clocks import SystemEntropy, set_demo_time
from wissel.assembly.identity import IdentityLost, read_identity
from wissel.assembly.operator import reopen_log
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


async def test_with_an_empty_key_store_and_a_database_it_refuses_to_start_and_makes_no_keys(tmp_path: Path) -> None:
    world = await running(tmp_path)
    shutil.move(tmp_path / "keys", tmp_path / "elsewhere")
    with pytest.raises(IdentityLost) as refused:
        await reopened(world, tmp_path)
    for said in ("sign, seal, hash, log", "1 processes cannot be read", "Mount the key store"):
        assert said in refused.value.sentence
    assert not any((tmp_path / "keys" / "secrets").iterdir()), "no new key was made"
    world.close()
    told = await asyncio.to_thread(command, tmp_path)
    assert told.exit_code == 2
    assert "[identity-lost]" in told.output
    with pytest.raises(IdentityLost):
        await reopen_log(world.platform.settings)
    shutil.rmtree(tmp_path / "keys")
    shutil.move(tmp_path / "elsewhere", tmp_path / "keys")
    world = await reopened(world, tmp_path)
    assert len(await Switchboard(world.platform.desk).offered(SCHOOL, 10)) == 1, "the right key store was mounted"
    world.close()


async def test_without_the_key_of_its_log_alone_it_names_the_way_out(tmp_path: Path) -> None:
    world = await running(tmp_path)
    world.keystore.drop_secret("log")
    with pytest.raises(IdentityLost, match="wissel audit reopen"):
        await reopened(world, tmp_path)
    world.close()
    assert (await reopen_log(world.platform.settings)).origin == f"{ORIGIN}/2"
    world = await reopened(world, tmp_path)
    assert len(await Switchboard(world.platform.desk).offered(SCHOOL, 10)) == 1
    world.close()


async def test_a_first_start_that_was_cut_short_goes_on_with_the_keys_it_made(tmp_path: Path) -> None:
    keystore = FileKeyStore(tmp_path / "keys", SystemEntropy(), demo=True)
    made = read_identity(keystore, SystemEntropy(), ORIGIN, ()).signer.kid
    for name in ("seal", "log", "hash"):
        keystore.drop_secret(name)
    keystore.close()
    world = await make_world(tmp_path, kinds=(OBJECTION,))
    assert world.platform.identity.signer.kid == made
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

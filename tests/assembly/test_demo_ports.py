"""Two demos on one machine keep out of each other's way."""

from pathlib import Path

import pytest

from wissel.assembly.demo.processes import OwnerFailed, running
from wissel.assembly.demo.setup import FIRST_PORT, first_port, free_ports, prepare


def test_a_second_demo_takes_other_ports_while_the_first_is_there() -> None:
    with first_port() as mine:
        with first_port() as second:
            assert second == 0
            assert not set(free_ports(second).values()) & set(range(FIRST_PORT, FIRST_PORT + 100))
        if mine:  # 0: a demo runs on this machine beside the tests
            assert free_ports(mine)["platform"] >= FIRST_PORT
    with first_port() as again:
        assert again == mine


async def test_a_process_whose_port_somebody_else_answers_at_stops_the_demo(tmp_path: Path) -> None:
    scene = await prepare(tmp_path / "data", pace=0.0, first_port=0)
    stranger = await prepare(tmp_path / "other", pace=0.0, first_port=0)
    stranger = stranger._replace(ports={**stranger.ports, "vaults": scene.ports["vaults"]})
    file = stranger.data / "provider" / "wissel.toml"
    text = file.read_text(encoding="utf-8").splitlines()
    ports = [f"port = {scene.ports['vaults']}" if line.startswith("port = ") else line for line in text]
    file.write_text("\n".join(ports), encoding="utf-8")
    async with running(stranger):
        with pytest.raises(OwnerFailed, match="vaults"):
            async with running(scene):
                pass

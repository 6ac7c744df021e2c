"""Two demos on one machine keep out of each other's way."""

from wissel.assembly.demo.setup import FIRST_PORT, first_port, free_ports


def test_a_second_demo_takes_other_ports_while_the_first_is_there() -> None:
    with first_port() as mine:
        with first_port() as second:
            assert second == 0
            assert not set(free_ports(second).values()) & set(range(FIRST_PORT, FIRST_PORT + 100))
        if mine:  # 0: a demo runs on this machine beside the tests
            assert free_ports(mine)["platform"] >= FIRST_PORT
    with first_port() as again:
        assert again == mine

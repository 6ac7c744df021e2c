"""What every owner's process sees to before it works."""

import resource
from pathlib import Path

import pytest

from wissel.assembly.owners import Owner, Parts, run_owner
from wissel.assembly.settings import OwnerSettings


class Enough(Exception):
    pass


async def test_the_memory_of_an_owner_is_never_written_to_a_core_file(tmp_path: Path) -> None:
    seen = list[tuple[int, int]]()

    async def build(_: Owner) -> Parts:
        seen.append(resource.getrlimit(resource.RLIMIT_CORE))
        raise Enough

    with pytest.raises(Enough):
        await run_owner("test", OwnerSettings(data=str(tmp_path), platform="", cards=""), build)
    assert seen == [(0, 0)]

"""The scene that the vault's tests share."""

from pathlib import Path

import pytest
from tests.learner.vault_scene import Scene


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path / "learners")
    await made.move_in()
    return made

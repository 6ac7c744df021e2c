"""The scene that the institution's tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.institution.connector_scene import Scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = Scene(tmp_path)
    await made.open()
    yield made
    made.close()

"""A platform with parties, whose school takes objections."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.journeys.parties import World, make_world
from tests.platform.exchange.posts import OBJECTION


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Return a platform whose school takes objections."""
    made = await make_world(tmp_path, kinds=(OBJECTION,))
    yield made
    made.close()

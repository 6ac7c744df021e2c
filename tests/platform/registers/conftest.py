"""Fixtures of the registers' tests: stores that are closed at the end, and logs on them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.platform.registers.audit_parts import Rig, Stores


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    made = Stores(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def rig(stores: Stores) -> Rig:
    return await stores.rig("platform.db")

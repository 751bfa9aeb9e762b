"""A server of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.demo_workers.queueing.place import Place


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """Redis is up; workers are started by the test."""
    place = Place()
    await place.start()
    try:
        yield place
    finally:
        await place.stop()

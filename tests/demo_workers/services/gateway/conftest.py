"""One system for the tests of a module that do not break it, and one for each test that does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.demo_workers.services.gateway.system import System


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system() -> AsyncIterator[System]:
    """Two workers; no limit, no record unless the test begins one."""
    system = System()
    try:
        await system.start(workers=2)
        yield system
    finally:
        await system.stop()


@pytest_asyncio.fixture
async def fresh() -> AsyncIterator[System]:
    """Not started: the test says how."""
    system = System()
    try:
        yield system
    finally:
        await system.stop()

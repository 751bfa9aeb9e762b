"""Systems for the tests of a module that do not break them, and one for each test that does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from demo_workers.queueing.bounded_enqueue import BoundedQueue
from tests.demo_workers.queueing.conftest import place as place  # a Redis without a gateway
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def idle_system() -> AsyncIterator[System]:
    """No workers."""
    system = System()
    try:
        await system.start()
        yield system
    finally:
        await system.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def idle(idle_system: System) -> AsyncIterator[System]:
    """A system without workers, a record that has begun, and nothing inside."""
    await idle_system.begin()
    yield idle_system
    await idle_system.gateway.call("end")
    await BoundedQueue(idle_system.connection, idle_system.queue).cancel_waiting(idle_system.run)


@pytest_asyncio.fixture
async def fresh() -> AsyncIterator[System]:
    """Not started: the test says how."""
    system = System()
    try:
        yield system
    finally:
        await system.stop()

"""The generator's own event loop for these tests, and a bench to play on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvloop

from .bench import Bench


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The clients run on uvloop, whose sockets fail in other ways than asyncio's own."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    """Where a test's server listens."""
    return tmp_path / "gateway.sock"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """One generator, ended when the test is."""
    bench = Bench(tmp_path)
    yield bench
    if bench.generator is not None:
        bench.generator.end()

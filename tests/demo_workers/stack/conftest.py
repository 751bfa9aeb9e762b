"""A whole system for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo_workers.stack import Stack


@pytest.fixture
async def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    """A stack that records below the test's own directory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    stack = Stack("test")
    yield stack
    await stack.stop()

"""The lesson as the notebook opens it, with places of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lessons import retries
from lessons.retries import Lesson
from tests.processes import children


@pytest.fixture
async def lesson(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lesson]:
    """Running; nothing of it may be left afterwards."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    lesson = await retries.open_lesson()
    yield lesson
    await lesson.close()
    assert children() == []

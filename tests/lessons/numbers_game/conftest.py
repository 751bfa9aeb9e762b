"""The lesson as the notebook opens it, with places of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lessons import numbers_game
from lessons.numbers_game import Lesson
from tests.processes import children


@pytest.fixture
async def lesson(cache: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lesson]:
    """Running; nothing of it may be left afterwards."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    lesson = await numbers_game.open_lesson()
    yield lesson
    await lesson.close()
    assert children() == []

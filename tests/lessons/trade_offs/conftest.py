"""The lesson as the notebook opens it, with places of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lessons import trade_offs
from lessons.trade_offs import Lesson
from tests.processes import children


@pytest.fixture
async def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lesson]:
    """Running; nothing of it may be left afterwards."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lesson = await trade_offs.open_lesson()
    yield lesson
    await lesson.close()
    assert children() == []

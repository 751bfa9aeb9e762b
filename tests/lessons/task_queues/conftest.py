"""The lesson as the notebook opens it, with places of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from lessons import task_queues
from lessons.task_queues import Lesson


@pytest.fixture
async def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lesson]:
    """Running; nothing of it may be left afterwards."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lesson = await task_queues.open_lesson()
    yield lesson
    await lesson.close()
    assert not [child for child in psutil.Process().children(recursive=True) if not _is_pythons_own(child)]


def _is_pythons_own(child: psutil.Process) -> bool:
    """The resource tracker of multiprocessing, which ends with the process that has used a pool."""
    return "resource_tracker" in " ".join(child.cmdline())

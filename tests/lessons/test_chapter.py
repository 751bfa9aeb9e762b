"""What all chapters' running systems share."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo_workers.services.servers.redis_server import URL
from lessons.chapter import Chapter, stack_with_own_redis

pytestmark = pytest.mark.live


async def test_a_chapter_has_its_own_gateway_and_redis_and_comes_back_after_its_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Redis of somebody else's is not touched, and what was closed is there again when it is asked for."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv(URL, "redis://127.0.0.1:1/0")  # nobody answers there
    chapter = Chapter(stack_with_own_redis("chapter"), 1)
    try:
        assert await chapter.open() is chapter
        assert "1 worker behind the gateway." in capsys.readouterr().out
        assert chapter.stack.redis.ours
        assert await chapter.address() == chapter.stack.redis.address
        await chapter.close()
        assert "Everything is stopped." in capsys.readouterr().out
        async with chapter.http() as http:
            assert (await http.get("/healthz")).status_code == 200
        with chapter.redis() as connection:
            assert connection.ping()
        assert len(chapter.stack.workforce.names) == 1
    finally:
        await chapter.stack.stop()

"""An album lets in one writer at a time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from demo_workers.queueing import album


def test_writers_take_turns_and_none_is_lost(tmp_path: Path) -> None:
    """Four at once take four times as long as one, and all their pictures are there."""
    path, hold_s = tmp_path / "album.db", 0.05
    album.create(path)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: album.add(str(path), f"picture {n}", hold_s), range(4)))
    assert time.monotonic() - began >= 4 * hold_s
    assert album.count(path) == 4

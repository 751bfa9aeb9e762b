from __future__ import annotations

import time
import tracemalloc

import pytest

from demo_workers.services.clients.timers import Timers

from .bench import until

pytestmark = pytest.mark.live


class TestTimers:
    async def test_never_early(self) -> None:
        """No callback runs before its time, though the loop itself counts whole milliseconds."""
        timers, ran = Timers(time.monotonic), list[tuple[float, float]]()
        start = time.monotonic()
        for i in range(200):
            when = start + i * 0.00037
            timers.at(when, lambda when=when: ran.append((when, time.monotonic())))  # type: ignore[misc]
        await until(lambda: len(ran) == 200)
        assert all(at >= when for when, at in ran)

    async def test_in_order(self) -> None:
        """Callbacks run in the order of their times, and those of the same time in the order they were set."""
        timers, ran, start = Timers(time.monotonic), list[str](), time.monotonic()
        timers.at(start + 0.02, lambda: ran.append("late"))
        timers.at(start + 0.01, lambda: ran.append("early"))
        timers.at(start + 0.02, lambda: ran.append("later"))
        await until(lambda: len(ran) == 3)
        assert ran == ["early", "late", "later"]

    async def test_cancelled(self) -> None:
        """A cancelled timer stays silent, and the ones behind it still run."""
        timers, ran, start = Timers(time.monotonic), list[str](), time.monotonic()
        timers.at(start + 0.01, lambda: ran.append("cancelled")).cancel()
        timers.at(start + 0.02, lambda: ran.append("kept"))
        await until(lambda: ran)
        assert ran == ["kept"]

    async def test_set_from_within(self) -> None:
        """A callback may set another timer, also one whose time has passed."""
        timers, ran, start = Timers(time.monotonic), list[str](), time.monotonic()

        def again() -> None:
            timers.at(start - 1, lambda: ran.append("past"))

        timers.at(start, again)
        await until(lambda: ran)
        assert ran == ["past"]

    async def test_closed(self) -> None:
        """After close nothing runs, and new timers may be set."""
        timers, ran, start = Timers(time.monotonic), list[str](), time.monotonic()
        timers.at(start, lambda: ran.append("forgotten"))
        timers.close()
        timers.at(start + 0.01, lambda: ran.append("new"))
        await until(lambda: ran)
        assert ran == ["new"]

    async def test_the_cancelled_are_not_kept(self) -> None:
        """Patience of an hour that is cancelled at once leaves nothing behind, and the timers that wait still run."""
        timers, ran, start = Timers(time.monotonic), list[int](), time.monotonic()
        tracemalloc.start()
        for i in range(50):
            timers.at(start + 0.05, lambda i=i: ran.append(i))  # type: ignore[misc]
        for _ in range(100_000):
            timers.at(start + 3600, lambda: None).cancel()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept < 1_000_000
        await until(lambda: len(ran) == 50)
        assert ran == list(range(50))
        timers.close()

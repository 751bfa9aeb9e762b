"""What the live picture may cost, as ratios against the obvious way: a new figure, drawn and saved each time.

Each is the median of interleaved rounds, so that a busy machine slows both sides.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pytest
from PIL import Image

from demo_workers.records.events import EVENT, Kind, Outcome
from lessons.show.livefig import LiveFigure
from lessons.show.series import Series
from tests.lessons.show.event_source import Model
from tests.lessons.show.scenes import RETRYING, look

pytestmark = [pytest.mark.timed, pytest.mark.slow]

ROUNDS = 5
LOOK = look(RETRYING, fourth="retries", open_ended=True)


class Film:
    """A minute of a live run, one frame after the other."""

    def __init__(self, scale: float = 1.0) -> None:
        self.figure, self.series, self._model = (
            LiveFigure(LOOK, scale=scale),
            Series(limit=16),
            Model(RETRYING, open_ended=True),
        )
        self.now = 60.0
        self.series.feed(self._model.advance(self.now))
        for _ in range(10):
            self.frame()

    def frame(self) -> bytes:
        """The next one."""
        self.now += 0.1
        self.series.feed(self._model.advance(self.now))
        return self.figure.frame(self.series, self.now)

    def naive(self) -> bytes:
        """The same picture by a new figure."""
        buffer = io.BytesIO()
        LiveFigure(LOOK).still(self.series).savefig(buffer, format="png")
        return buffer.getvalue()


def cpu(do: Callable[[], object], times: int = 1) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    for _ in range(times):
        do()
    return (time.process_time() - began) / times


def test_a_frame_costs_a_tenth_of_a_new_figure() -> None:
    """Draw and encode, at the plain resolution and at twice as many pixels each way."""
    for scale, bar in ((1.0, 0.10), (2.0, 0.20)):
        film = Film(scale)
        ratio = median(cpu(film.frame, 20) / cpu(film.naive) for _ in range(ROUNDS))
        print(f"frame / naive at {scale:g}x: {ratio:.3f}")
        assert ratio <= bar


def test_a_frame_has_half_the_bytes_of_a_full_colour_png() -> None:
    """The palette pays."""
    film = Film()
    ratios = []
    for _ in range(ROUNDS):
        frame, buffer = film.frame(), io.BytesIO()
        pixels = np.asarray(film.figure.figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
        Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "png", compress_level=1)
        ratios.append(len(frame) / len(buffer.getvalue()))
    print(f"bytes / RGB PNG: {median(ratios):.3f} of {len(buffer.getvalue())}")
    assert median(ratios) <= 0.5


def test_new_limits_of_one_plot_cost_a_third_of_drawing_all() -> None:
    """A higher queue redraws its own axes only."""
    film, ratios = Film(), []
    for n in range(ROUNDS):
        plain = cpu(film.frame, 10)
        row = np.zeros(1, EVENT)
        row["kind"], row["code"], row["limit"], row["depth"] = Kind.DECIDED, Outcome.ADMITTED, 16, 40 * 2**n
        row["t"] = film.now - 0.3
        film.series.feed(row)
        one = cpu(film.frame) - plain
        film.figure.retitle(f"Round {n}")
        everything = cpu(film.frame) - plain
        ratios.append(one / everything)
    print(f"one axes / all: {median(ratios):.3f}")
    assert median(ratios) <= 0.35


async def lag(draw: Callable[[], object], seconds: float, period_s: float) -> float:
    """95th percentile of the delay of a 5 ms timer beside a drawing loop (seconds)."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            due = time.monotonic() + 0.005
            await asyncio.sleep(0.005)
            late.append(time.monotonic() - due)

    ticking = asyncio.ensure_future(tick())
    await asyncio.sleep(0)  # its first delay begins before the first picture
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        draw()
        await asyncio.sleep(max(period_s - (time.monotonic() - began), 0.001))
    await asyncio.sleep(0.01)
    ticking.cancel()
    return float(np.quantile(late, 0.95))


async def test_the_loop_stays_responsive() -> None:
    """Beside ten frames a second other work on the loop waits a quarter of a frame at most, when all else is quiet."""
    film, ours, naive = Film(), [], []
    for _ in range(ROUNDS):
        ours.append(await lag(film.frame, 0.6, 0.1))
        naive.append(await lag(film.naive, 0.6, 0.1))
    print(f"loop lag p95: {1e3 * min(ours):.1f} ms, against naive {min(ours) / min(naive):.3f}")
    assert min(ours) <= 0.25 * 0.1
    assert min(ours) <= 0.05 * min(naive)

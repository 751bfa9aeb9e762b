"""The still picture."""

from __future__ import annotations

import numpy as np

from lessons.show import style
from lessons.show.flow import still
from lessons.show.flow.board import Counts
from lessons.show.flow.stage import BROKER, SIZE_PX, Stage, plan
from tests.lessons.show.test_png import decoded

STAGE = Stage(workers=3, limit=20)


def coloured(picture: np.ndarray, colour: str) -> int:
    """How many pixels are of about this colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(picture - wanted).max(-1) < 12).sum())


def test_as_many_slots_are_filled_as_jobs_wait() -> None:
    """Each job in the queue and each busy worker is a filled box of its size."""
    empty, three, full = (decoded(still.png(STAGE, Counts(in_queue=n))) for n in (0, 3, 20))
    one = coloured(three, style.SKY) / 3
    assert coloured(empty, style.SKY) == 0
    assert one > 0.6 * plan(STAGE).slot_px ** 2
    assert abs(coloured(full, style.SKY) / one - 20) < 0.5


def test_same_counts_same_bytes() -> None:
    """Nothing is random, so a notebook that is stored again does not change."""
    counts = Counts(sent=943, refused=155, done=780, in_queue=4, at_work=3)
    assert still.png(STAGE, counts) == still.png(STAGE, counts)
    assert still.png(STAGE, counts) != still.png(STAGE, Counts(sent=943, refused=156, done=780, in_queue=4, at_work=3))


def test_it_is_a_card_of_the_canvas_own_size_and_small() -> None:
    """White, opaque, for broker and load lab; a few kilobytes."""
    for stage in (STAGE, Stage(workers=2, senders=1, words=BROKER)):
        data = still.png(stage, Counts(sent=5, done=4, lost=1))
        assert decoded(data).shape == (SIZE_PX[1], SIZE_PX[0], 3)
        assert tuple(decoded(data)[0, 0]) == (255, 255, 255)
        assert len(data) < 30_000

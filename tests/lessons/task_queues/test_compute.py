"""Section b: who waits for heavy work, and how much more workers help; each check can fail, on any number of cores."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from demo_workers.queueing.pictures import SIDES, thumbnails
from lessons import task_queues
from lessons.check.claims import ClaimError
from lessons.task_queues import Lesson, check_thumbnails, show_thumbnails
from lessons.task_queues.compute import PICTURES, Way, Ways, quicker
from lessons.task_queues.drawing import draw
from lessons.task_queues.shared import HOLD_S, ROWS, Written


@pytest.mark.live
@pytest.mark.timed
@pytest.mark.slow
async def test_all_ways_make_the_same_thumbnails(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Inline, RQ with one, two and four workers, forking ones, and a pool; nothing is left in the folder."""
    seen = await task_queues.make_thumbnails(lesson, forking=True)
    show_thumbnails(seen)
    capsys.readouterr()
    check_thumbnails(seen)
    assert not any(letter.isdigit() for letter in capsys.readouterr().out)
    assert not (lesson.stack.runtime / "pictures").exists()


def test_a_thumbnail_has_its_size_and_is_the_same_twice(tmp_path: Path) -> None:
    """The longest side is as asked, the shape is kept, and the picture itself stays as it was."""
    draw(tmp_path / "a.jpg", 7, 900, 450)
    before = (tmp_path / "a.jpg").read_bytes()
    first = thumbnails(str(tmp_path), "a.jpg")
    assert thumbnails(str(tmp_path), "a.jpg")["checks"] == first["checks"]
    assert first["cpu_s"] > 0
    for side in SIDES:
        with Image.open(tmp_path / f"a-{side}.jpg") as small:
            assert small.size == (side, side // 2)
    assert (tmp_path / "a.jpg").read_bytes() == before
    draw(tmp_path / "b.jpg", 8, 900, 450)
    assert thumbnails(str(tmp_path), "b.jpg")["checks"] != first["checks"]


CHECKS = tuple(range(PICTURES * len(SIDES)))
INLINE = Way("inline", 1, 0.6, 0.6, 0.58, CHECKS)
ONE, TWO, FOUR = (Way(f"RQ, simple, {n}", n, 0.01, took, 0.6, CHECKS) for n, took in ((1, 0.65), (2, 0.35), (4, 0.33)))
WRITTEN = Written(1, 1.01 * ROWS * HOLD_S, ROWS), Written(4, 1.2 * ROWS * HOLD_S, ROWS)
TRUE = Ways((INLINE, ONE, TWO, FOUR), cores=2, written=WRITTEN)

BAD = {
    "the same thumbnails": TRUE._replace(ways=(INLINE, ONE._replace(checks=CHECKS[1:]), TWO, FOUR)),
    "you wait for all of it": TRUE._replace(ways=(INLINE, ONE._replace(asked_s=0.5), TWO, FOUR)),
    "than there are cores": TRUE._replace(ways=(INLINE, ONE, TWO, FOUR._replace(took_s=0.2))),
    "one core for each worker": TRUE._replace(ways=(INLINE, ONE._replace(took_s=0.4), TWO, FOUR)),
    "wrote one after another": TRUE._replace(written=(WRITTEN[0], WRITTEN[1]._replace(took_s=0.5 * ROWS * HOLD_S))),
    "at one database": TRUE._replace(written=(WRITTEN[0], WRITTEN[1]._replace(rows=ROWS - 1))),
}


@pytest.mark.parametrize("cores", [1, 2, 4, 64])
def test_true_ways_pass_whatever_the_number_of_cores(cores: int) -> None:
    """With as many cores as workers four are four times as quick, and that is no mistake either."""
    best = FOUR._replace(took_s=0.62 / min(4, cores))
    two = TWO._replace(took_s=0.62 / min(2, cores))
    seen = Ways((INLINE, ONE, two, best), cores, WRITTEN)
    check_thumbnails(seen)
    assert quicker(seen).endswith(f"on {cores} core(s)")


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_thumbnails_can_fail(claim: str) -> None:
    """By one way that would be a miracle, or wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_thumbnails(BAD[claim])

"""The monthly report: the same numbers everywhere, progress on the way, and a mistake in a month of choice."""

from __future__ import annotations

from itertools import pairwise

import pytest

from demo_workers.errors import LabError
from demo_workers.queueing.reports import AUTHORS, MONTHS, report, report_of
from tests.demo_workers.queueing.place import RUN, Place, until


def test_a_report_counts_every_post_of_the_year() -> None:
    """The same each time, its best author among them, and one word of progress a month."""
    told: list[int] = []
    first = report_of(200, progress=told.append)
    assert first == report_of(200)
    assert first["posts"] == 12 * 200
    assert 0 <= first["best_author"] < AUTHORS
    assert 0 < first["best_likes"] < first["likes"] < 1000 * first["posts"]
    assert told == list(range(1, MONTHS + 1))


@pytest.mark.parametrize("month", [1, 9, 12])
def test_a_broken_month_ends_it_there(month: int) -> None:
    """With the mistake that adding a word to a number is, after the months before."""
    told: list[int] = []
    with pytest.raises(TypeError, match="unsupported operand"):
        report_of(10, broken_month=month, progress=told.append)
    assert told == list(range(1, month))


def test_a_report_outside_a_job_says_what_to_call() -> None:
    """A web handler has another way in."""
    with pytest.raises(LabError, match="report_of"):
        report(10)


@pytest.mark.live
async def test_a_worker_tells_how_far_the_report_is(place: Place) -> None:
    """The job's meta grows month by month before the job has ended."""
    await place.worker()
    await place.queue.enqueue("report", {"posts": 100, "pause_ms": 30.0}, job_id=f"{RUN}-1-1", limit=None)
    seen: list[int] = [0]

    async def finished() -> bool:
        seen.append(place.job(1).get_meta().get("done", 0))
        return await place.told("finished", 1)

    await until(finished, 10)
    assert all(later >= earlier for earlier, later in pairwise(seen))
    assert len(set(seen)) > 3

"""A box with a bar: work is done while it says how far it is, can be cancelled, and shows its own errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from demo_workers.errors import LabError
from lessons.show import charts
from lessons.show.figures import Picture
from lessons.show.progress_box import Cancelled, Progress, ProgressBox


async def a_picture(progress: Progress) -> Picture:
    """What a button does, in a moment."""
    progress(2, 2)
    return charts.chart("A finding", [charts.measured("here", {1: [1.0]})], x="x", y="y")


async def endless(progress: Progress) -> None:
    """Begins and does not end."""
    progress(1, 4)
    await asyncio.Event().wait()


async def until(holds: Callable[[], bool]) -> None:
    """Let others run until a condition holds."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


async def test_work_is_done_and_told() -> None:
    """The result comes back; the bar is full, the words have the count, and the buttons are as before."""
    box = ProgressBox("pieces", a_picture)

    async def work(progress: Progress) -> str:
        assert box.start.disabled
        assert not box.cancel.disabled
        for done in range(4):
            progress(done, 3)
        return "done"

    assert await box.run(work) == "done"
    assert (box.bar.value, box.bar.max) == (3, 3)
    assert "3 of 3 in" in box.said.value
    assert not box.start.disabled
    assert box.cancel.disabled


async def test_the_time_that_is_left_is_told() -> None:
    """By how long the first part took."""
    now_s = 100.0
    box = ProgressBox("pieces", a_picture, clock=lambda: now_s)

    async def work(progress: Progress) -> str:
        nonlocal now_s
        now_s += 10
        progress(25, 100)
        return str(box.said.value)

    assert "25 of 100, about 30 s left" in await box.run(work)


async def test_cancel_ends_the_work() -> None:
    """Whoever waits for it hears how far it was, and the next piece of work can begin."""
    box = ProgressBox("pieces", a_picture)
    task = asyncio.create_task(box.run(endless))
    await until(lambda: box.bar.value == 1)
    box.cancel.click()
    with pytest.raises(Cancelled, match="1 of 4"):
        await task
    assert "cancelled at 1 of 4" in box.said.value
    await box.run(a_picture)


async def test_whoever_is_cancelled_cancels_the_work() -> None:
    """An interrupted cell is no Cancel; its work ends all the same."""
    box, ended = ProgressBox("pieces", a_picture), asyncio.Event()

    async def work(progress: Progress) -> None:
        try:
            await endless(progress)
        finally:
            ended.set()

    task = asyncio.create_task(box.run(work))
    await until(lambda: box.bar.value == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert box.cancel.disabled


async def test_one_at_a_time() -> None:
    """A second piece of work is refused, and a second press does nothing."""
    box = ProgressBox("pieces", a_picture)
    task = asyncio.create_task(box.run(endless))
    await until(lambda: box.bar.value == 1)
    with pytest.raises(LabError, match="under way"):
        await box.run(a_picture)
    box.start.click()
    await asyncio.sleep(0)
    assert box.bar.value == 1
    box.cancel.click()
    with pytest.raises(Cancelled):
        await task


async def test_the_button_shows_a_picture_with_its_words() -> None:
    """At once it returns; later the picture is there, and what a screen reader says of it."""
    box = ProgressBox("pieces", a_picture, label="Everything")
    box.show()
    box.start.click()
    await until(lambda: bool(box.picture.value))
    assert 'alt="A finding. Here: 1 at 1."' in box.picture.value
    assert not box.start.disabled


@pytest.mark.parametrize("by_button", [True, False])
async def test_an_error_is_shown(by_button: bool) -> None:
    """In the box; and raised for whoever awaits."""

    async def broken(progress: Progress) -> Picture:
        raise LabError("value = 3: must be 4. Add one.")

    box = ProgressBox("pieces", broken)
    if by_button:
        box.start.click()
        await until(lambda: "LabError" in box.said.value)
    else:
        with pytest.raises(LabError, match="Add one"):
            await box.run(broken)
    assert '<span role="alert">LabError: value = 3' in box.said.value
    assert not box.start.disabled

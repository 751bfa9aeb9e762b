"""Notebook 00 as a reader meets it: a real JupyterLab in a real browser, keys and mouse, pictures as pixels."""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from PIL.Image import Image

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Lab
from tests.browser.reader import Reader, until
from tests.patience import Pace

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.slow]

PRESSES = 10
LEAST_FPS = 5.0
"""Pictures per second on a quiet machine. A panel takes a tenth of a core, so where cores are slow they are rarer."""
QUIET_S = 1.5
STOPPED_S = 4.0
OPEN, SHOW, RUN = "start_here.open_chirp", "burst = start_here.burst_panel", "before = await burst.run"
STOPPED = ("Stopped after", "too busy to keep the schedule")
"""What the status line says after Stop; the second where other work on this machine has made the run invalid."""
ARRIVALS = "arrivals λ [per s]"


async def until_moving(reader: Reader, deadline_s: float = 15.0, number: int = 0) -> float:
    """Wait until the pixels of a panel have changed twice; returns the seconds to the second change."""
    pictures, start = reader.pictures(number), time.monotonic()
    for _ in range(2):
        seen = await pictures.look()

        async def changed(seen: Image | None = seen) -> bool:
            return await pictures.differs(seen)

        await until(changed, deadline_s, "the picture changes")
    return time.monotonic() - start


async def stop(reader: Reader, number: int = 0) -> float:
    """Press Stop; returns the seconds until the status line says so."""
    await reader.press("Stop", number)
    return await reader.until_status(*STOPPED, deadline_s=STOPPED_S, number=number)


def steering(run: Path) -> list[dict[str, Any]]:
    """What was turned in a run so far, with the run's seconds made CLOCK_MONOTONIC's."""
    file, origin = run / "steering.jsonl", json.loads((run / "manifest.json").read_text())["origin"]
    entries = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [{**entry, "t": entry["t"] + origin} for entry in entries]


@pytest.mark.timeout(120)
async def test_run_all_shows_every_widget_and_picture_and_no_error(open_notebook: OpenNotebook) -> None:
    """From top to bottom by the menu: no error in a cell, no widget that did not load, no picture that is not there."""
    reader = await open_notebook("00_start_here.ipynb")
    seconds = await reader.run_all()
    print(f"Run All: {seconds:.1f} s")
    assert await reader.broken_widgets() == []
    for number in range(2):
        assert await reader.pictures(number).look() is not None


@pytest.mark.timeout(120)
async def test_a_load_is_steered_watched_stopped_and_found_again(open_notebook: OpenNotebook, lab: Lab) -> None:
    """Start, ten keys on a slider, Stop; then the tab is closed under a running load and opened again."""
    opened = time.monotonic()
    reader = await open_notebook(lab.excerpt("panel.ipynb", OPEN, SHOW))
    await reader.run_all()
    pictures = reader.pictures()
    since = await pictures.watch()
    await reader.press("Start")
    pressed = time.monotonic()
    await until_moving(reader)
    now = time.monotonic()
    print(f"first moving picture: {now - opened:.1f} s after JupyterLab was opened, {now - pressed:.2f} s after Start")

    with Pace() as pace:
        latencies = await turn(reader, lab.runs()[-1])
    frames = await pictures.log(since)
    fps = 1 / statistics.median(b["t"] - a["t"] for a, b in itertools.pairwise(frames))
    news = sum(a["sum"] != b["sum"] for a, b in itertools.pairwise(frames)) / (len(frames) - 1)
    print(f"frames per second: {fps:.1f}, {news:.0%} of them with other pixels; key to picture: "
          f"{statistics.median(latencies) * 1000:.0f} ms (median), "
          f"{max(latencies) * 1000:.0f} ms (most of {PRESSES}); slowness {pace.slowness:.1f}")  # fmt: skip
    assert fps * pace.slowness >= LEAST_FPS

    print(f"Stop: {await stop(reader):.2f} s")
    await nothing_new(reader)

    await reader.press("Start")
    await until_moving(reader)
    await reader.save()
    await reader.close_tab()
    await reader.open()
    await until_moving(reader)
    await stop(reader)
    await reader.press("Start")
    await until_moving(reader)
    await stop(reader)


async def turn(reader: Reader, run: Path) -> list[float]:
    """Press an arrow key ten times; returns the seconds from each key to the picture that shows its value.

    That is the first one that came after the knob had acted and has other pixels than the one before.
    """
    pictures, slider, field = reader.pictures(), reader.slider(ARRIVALS), reader.number_beside(ARRIVALS)
    value = int(await field.input_value())
    page_is_behind_s = time.monotonic() - await pictures.clock()
    await slider.focus()
    latencies = []
    for done in range(PRESSES):
        pressed = time.monotonic()
        await reader.page.keyboard.press("ArrowRight")

        async def arrived(done: int = done) -> bool:
            return len(steering(run)) > done

        await until(arrived, 3, f"key {done + 1} reaches the run")
        entry, value = steering(run)[done], value + 1
        assert (entry["knob"], entry["value"]) == ("arrival_rate", value)
        assert int(await field.input_value()) == value

        async def shown(since: float = entry["t"] - page_is_behind_s) -> list[float]:
            frames = await pictures.log()
            earlier = [frame["sum"] for frame in frames if frame["t"] <= since]
            return [frame["t"] for frame in frames if frame["t"] > since and frame["sum"] != earlier[-1]]

        await until(shown, 3, f"another picture after key {done + 1}")
        latencies.append((await shown())[0] + page_is_behind_s - pressed)
    return latencies


async def nothing_new(reader: Reader) -> None:
    """After Stop the picture stays; one that was on its way may still come."""
    for last in (False, True):
        since = await reader.pictures().clock()
        before = await reader.pictures().look()
        await asyncio.sleep(QUIET_S)  # there is no event for what must not happen
        came, differs = await reader.pictures().log(since), await reader.pictures().differs(before)
        if not came and not differs:
            return
        assert not last, f"{len(came)} pictures came after Stop"


@pytest.mark.timeout(120)
async def test_interrupt_repeated_start_and_restart_leave_one_stack_or_none(
    open_notebook: OpenNotebook, lab: Lab
) -> None:
    """Interrupt ends the awaited cell and its load; five start cells are one stack; Restart takes everything along."""
    reader = await open_notebook(lab.excerpt("interrupt.ipynb", OPEN, SHOW, RUN))
    await reader.forget()
    await reader.menu("Run", "Run All Cells")
    await reader.until_run(SHOW)
    await until_moving(reader)
    await reader.menu("Kernel", "Interrupt Kernel")
    print(f"Interrupt: {await reader.until_interrupted(RUN):.2f} s")
    await reader.until_status(*STOPPED, deadline_s=STOPPED_S)

    await reader.press("Start")
    await until_moving(reader)
    await stop(reader)
    await reader.run_cell(RUN)
    await reader.until_status("Finished", deadline_s=2)

    one = len(lab.stack_processes())
    for _ in range(5):
        await reader.run_cell(OPEN)
    assert len(lab.stacks()) == 1
    assert len(lab.stack_processes()) == one

    old = {process.pid for process in lab.stack_processes()}
    assert old
    await reader.menu("Kernel", "Restart Kernel…")
    await reader.accept()

    async def gone() -> bool:
        return not old & {process.pid for process in lab.stack_processes()} and not lab.stacks()

    print(f"gone after Restart: {await until(gone, 2.0, 'the old stack is gone'):.2f} s")
    await reader.until_kernel("idle")
    await reader.run_cell(OPEN)
    await reader.run_cell(SHOW)
    await reader.press("Start")
    await until_moving(reader)
    await stop(reader)

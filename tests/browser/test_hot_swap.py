"""Policies swapped from a cell while a panel runs: the picture names each at once, and a mistake ends the run aloud."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Lab
from tests.browser.reader import Reader, until
from tests.browser.test_notebook_00 import steering, stop, until_moving
from tests.lessons.show.reading import unlikeness
from tests.patience import Pace

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.slow]

START = """
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from lessons.show.panel import Panel
scenario = Scenario(
    load=Load(kind="uniform", arrival_rate=40.0), service=Service(service_time_s=0.1, workers=2),
    admission=Admission(limit=8), retry=Retry(policy="full", attempts=3, base_s=0.2), seed=5,
)
stack = Stack("hot swap")
await stack.start(2)
"""
SHOW = """
panel = Panel("hot swap", stack, scenario, controls=(), question="What changes?")
panel.show()
"""
WAIT = "def wait(failure): return 0.4\nawait stack.live.use(next_try=wait)"
CALM = "def calm(state): return state.depth < 4\nawait stack.live.use(admit=calm)"
LIFO = "await stack.live.steer(admission_policy='lifo')"
FIFO = "await stack.live.steer(admission_policy='fifo')"
SWAPS = {WAIT: "your wait", CALM: "your calm", LIFO: "queue lifo", FIFO: "queue fifo"}
"""What is run in a cell, and the words that the picture then has."""
SHOWN_S, PATIENCE_S = 1.0, 8.0
"""In how many seconds of a quiet machine a swap is shown at the median, and in how many at the latest."""
LIKE = 14.0
"""Up to this the pixels are the words, a line of the grid behind them included; without them it is far more."""

HASTY = """
calls = []
def hasty(failure):
    calls.append(failure.attempt)
    {mistake}
await stack.live.use(next_try=hasty)
"""
MISTAKES = {
    "return 0.2 / (len(calls) < 20)": ("raised ZeroDivisionError", "in hasty", "return 0.2 / (len(calls) < 20)"),
    "return 0.2 if len(calls) < 20 else -7.5": (
        "returned -7.5: must be seconds from 0",
        "called with Failure(attempt=",
    ),
    "while len(calls) > 20: pass": ("had not returned after", "in hasty", "while len(calls) > 20: pass"),
}
"""What the function does after a while, and what must then be said."""


async def drawn(reader: Reader, words: str) -> bool:
    """Whether the picture on the screen has these words among its labels."""
    picture = await reader.pictures().look()
    return picture is not None and unlikeness(picture, words) <= LIKE


@pytest.mark.timeout(180)
async def test_a_policy_swapped_from_a_cell_is_named_within_a_second(open_notebook: OpenNotebook, lab: Lab) -> None:
    """In the sentence and in the pixels: the reader's own for retries and for the door, and the queue's order."""
    reader = await open_notebook(lab.write("swap.ipynb", START, SHOW, *SWAPS))
    await reader.run_cell("await stack.start", 60)
    await reader.run_cell("panel.show")
    await reader.press("Start")
    await until_moving(reader)
    run, sentences, pictures = lab.runs()[-1], [], []
    with Pace() as pace:
        for cell, words in SWAPS.items():
            needle = cell.splitlines()[-1]
            assert words not in (await reader.panel().text_content() or "")
            assert not await drawn(reader, words)
            await reader.run_cell(needle)
            acted_s = steering(run)[-1]["t"]

            async def said(words: str = words) -> bool:
                return words in (await reader.panel().text_content() or "")

            await until(said, PATIENCE_S, f"the sentence says {words!r}")
            sentences.append(time.monotonic() - acted_s)
            await until(lambda words=words: drawn(reader, words), PATIENCE_S, f"the picture says {words!r}")
            pictures.append(time.monotonic() - acted_s)
    print(f"swap to sentence: {sentences}; to picture, and it is read: {pictures}; slowness {pace.slowness:.1f}")
    assert max(statistics.median(sentences), statistics.median(pictures)) <= SHOWN_S * pace.slowness
    await stop(reader)


@pytest.mark.timeout(180)
@pytest.mark.faults
async def test_a_mistake_of_a_swapped_policy_is_told_in_the_panel(open_notebook: OpenNotebook, lab: Lab) -> None:
    """It raises, returns nonsense or does not return: the run ends with its lines and the value; Start begins anew."""
    cells = [HASTY.format(mistake=mistake) for mistake in MISTAKES]
    reader = await open_notebook(lab.write("mistakes.ipynb", START, SHOW, *cells))
    await reader.run_cell("await stack.start", 60)
    await reader.run_cell("panel.show")
    for mistake, words in MISTAKES.items():
        await reader.press("Start")
        await until_moving(reader)
        await reader.run_cell(mistake)
        await reader.until_status("PolicyError: next_try", deadline_s=20)
        text = await reader.panel().get_by_role("alert").text_content() or ""
        assert [part for part in words if part not in text] == [], text

"""Section c of notebook 04 in a real JupyterLab: two panels that move at once, and a knob that brings one back."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Lab
from tests.browser.reader import until
from tests.browser.test_notebook_00 import LEAST_FPS, until_moving
from tests.patience import Pace

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.slow]

OPEN = """
from lessons import retries
from lessons.retries.two_fates import SHORT
fates = await retries.open_two_fates()
"""
SHOW = "panels = retries.two_panels(fates)\npanels.show()"
# a shorter, higher spike than the reader's, so that the buttons come alive sooner
GAME = """
game = retries.SixtySeconds(fates, SHORT._replace(end_s=60.0))
game.show()
"""
WATCHED_S = 4.0


@pytest.mark.timeout(150)
async def test_both_panels_move_and_newest_first_brings_the_struck_one_back(
    open_notebook: OpenNotebook, lab: Lab
) -> None:
    """Five pictures a second of a quiet machine on each while both run; then the minute, played with the mouse."""
    reader = await open_notebook(lab.write("two_fates.ipynb", OPEN, SHOW, GAME))
    await reader.run_all()
    sides = [reader.pictures(number) for number in range(2)]
    await reader.press("Start")
    for number in range(2):
        await until_moving(reader, number=number)
    since = await sides[0].watch()

    async def watched() -> bool:
        return await sides[0].clock() - since > WATCHED_S

    with Pace() as pace:
        await until(watched, 3 * WATCHED_S, "the page's clock goes on")
    took_s = await sides[0].clock() - since
    rates = [len(await side.log(since)) / took_s for side in sides]
    print(f"pictures per second: {rates[0]:.1f} and {rates[1]:.1f}, slowness {pace.slowness:.1f}")
    assert min(rates) * pace.slowness >= LEAST_FPS
    await reader.press("Stop")
    await reader.until_status("Stopped", "too busy", deadline_s=10)

    game = reader.panel(1)
    await game.scroll_into_view_if_needed()
    await reader.press("Start", 1)
    knob = game.get_by_role("button", name="newest first")

    async def alive() -> bool:
        return await knob.is_enabled()

    await until(alive, 20, "the knobs come alive")
    await knob.click()

    async def told() -> bool:
        return "Newest first: back" in (await game.text_content() or "")

    await until(told, 40, "it is back")
    assert await reader.broken_widgets() == []

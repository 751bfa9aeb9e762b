"""The flow view in a real JupyterLab, seen as pixels: what moves, what turns back, what stands still."""

from __future__ import annotations

import base64
import io
import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lessons.show import style
from tests.browser.conftest import OpenNotebook
from tests.browser.lab import ROOT, Lab
from tests.browser.reader import Reader, until
from tests.browser.test_notebook_00 import stop

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.slow]

PANEL = """
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from lessons.show.panel import Panel
scenario = Scenario(
    load=Load(kind="uniform", arrival_rate=20.0), service=Service(service_time_s=0.1, workers=3),
    admission=Admission(limit=20), retry=Retry(policy="full", attempts=4, base_s=0.8), seed=5,
)
stack = Stack("flow")
await stack.start(3)
panel = Panel("flow", stack, scenario, question="Where are they?")
panel.show()
"""
MESSAGES = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from lessons.show.flow.viewing import FlowView
from tests.lessons.show.flow.messages import RELIABLE_QUEUE, STAGE
view = FlowView("messages", STAGE)
view.show()
"""
PLAY = "await view.play(RELIABLE_QUEUE, speed=0.05)"
PIXELS = "() => document.querySelector('canvas.workbook-flow')?.toDataURL('image/png').split(',')[1] ?? null"
ROAD = (slice(72, 212), slice(76, 184))
"""Between clients and gateway: empty but for what is on its way."""
QUEUE = (slice(80, 206), slice(266, 556))

Picture = NDArray[np.int16]


async def look(reader: Reader) -> Picture | None:
    """The canvas as it is now, decoded, one pixel per CSS pixel; None while there is none."""
    png = await reader.page.evaluate(PIXELS)
    if png is None:
        return None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")).astype(np.int16)


def has(picture: Picture | None, colour: str, where: tuple[slice, slice]) -> int:
    """How many pixels of about this colour are there."""
    if picture is None:
        return 0
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(picture[where] - wanted).max(-1) < 24).sum())


async def until_seen(reader: Reader, colour: str, where: tuple[slice, slice], deadline_s: float = 15.0) -> None:
    """Wait until something of this colour is there."""

    async def seen() -> bool:
        return has(await look(reader), colour, where) > 12

    await until(seen, deadline_s, f"{colour} in {where}")


async def moved(reader: Reader, where: tuple[slice, slice], tries: int = 10) -> int:
    """How many of some looks in a row showed other pixels than the look before."""
    looks = [await look(reader) for _ in range(tries)]
    return sum(
        a is not None and b is not None and bool((a[where] != b[where]).any()) for a, b in itertools.pairwise(looks)
    )


@pytest.mark.timeout(120)
async def test_dots_move_and_turn_back_as_crosses_when_the_limit_says_no(open_notebook: OpenNotebook, lab: Lab) -> None:
    """Switched on by the keyboard: blue dots on the road, no cross; then a limit of three: crosses, retries, 503s."""
    reader = await open_notebook(lab.write("flow.ipynb", PANEL))
    await reader.run_all()
    assert await look(reader) is None
    await reader.panel().get_by_role("button", name="Flow").focus()
    await reader.page.keyboard.press("Space")
    canvas = reader.page.locator("canvas.workbook-flow")
    await canvas.wait_for()
    await reader.press("Start")
    await canvas.scroll_into_view_if_needed()
    await until_seen(reader, style.BLUE, ROAD)
    assert await moved(reader, ROAD) >= 3
    assert has(await look(reader), style.VERMILLION, ROAD) == 0

    await reader.number_beside("limit K [inside]").fill("3")
    await reader.page.keyboard.press("Enter")
    await reader.number_beside("arrivals λ [per s]").fill("29")
    await reader.page.keyboard.press("Enter")
    await canvas.scroll_into_view_if_needed()
    await until_seen(reader, style.VERMILLION, ROAD)
    await until_seen(reader, style.ORANGE, (slice(72, 212), slice(40, 84)))
    await reader.page.screenshot(path=lab.base / "flow.png")

    await reader.page.emulate_media(reduced_motion="reduce")

    async def calm() -> bool:
        return has(await look(reader), style.BLUE, ROAD) == 0

    await until(calm, 5, "no dots")
    assert await moved(reader, ROAD) == 0
    label = await canvas.get_attribute("aria-label") or ""
    assert await canvas.get_attribute("role") == "img"
    assert "wait in the queue" in label
    await stop(reader)

    async def told() -> bool:
        return "were sent" in (await canvas.get_attribute("aria-label") or "")

    await until(told, 5, "the sentence at the end")


@pytest.mark.timeout(120)
async def test_messages_are_seen_on_the_same_canvas(open_notebook: OpenNotebook, lab: Lab) -> None:
    """A recorded experiment with a broker: a consumer is crossed out, its message comes back as a diamond."""
    reader = await open_notebook(lab.write("messages.ipynb", MESSAGES, PLAY))
    await reader.run_cell("view.show()", deadline_s=60)
    await reader.page.locator("canvas.workbook-flow").scroll_into_view_if_needed()
    consumers = (slice(80, 206), slice(606, 716))
    assert has(await look(reader), style.VERMILLION, consumers) == 0
    await reader.press_enter_in(PLAY)
    await until_seen(reader, style.BLUE, ROAD)
    await until_seen(reader, style.VERMILLION, consumers)
    await until_seen(reader, style.ORANGE, (slice(80, 206), slice(500, 716)))
    await reader.until_run(PLAY)
    assert await reader.broken_widgets() == []

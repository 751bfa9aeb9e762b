"""The flow view of a panel."""

from __future__ import annotations

from typing import Any

import ipywidgets
import pytest

from demo_workers.records.events import Kind
from lessons.show.flow.canvas import Canvas
from lessons.show.panel import Panel
from tests.lessons.show.event_source import ModelStack
from tests.lessons.show.test_panel import Bench, all_widgets, bench, until, walk_panel

pytestmark = pytest.mark.live

__all__ = ["bench"]


def toggle() -> Any:
    """The panel's button."""
    return next(w for w in walk_panel() if isinstance(w, ipywidgets.ToggleButton))


def canvases() -> list[Canvas]:
    """Those that are open."""
    return [w for w in all_widgets() if isinstance(w, Canvas)]


def opened(canvas: Canvas) -> list[dict[str, Any]]:
    """Look at a canvas in a browser that acknowledges; returns what it gets."""
    got: list[dict[str, Any]] = []

    def take(content: dict[str, Any], buffers: object = None) -> None:
        if content.get("kind") == "batch":
            got.append(content)
            canvas.receive(canvas, {"kind": "ack", "n": content["n"]})

    canvas.send = take  # type: ignore[method-assign]
    canvas.receive(canvas, {"kind": "ready"})
    return got


def sent(canvas: Canvas) -> int:
    """How many it says were sent."""
    return int(canvas.line.partition(" requests were sent")[0].replace(",", ""))


async def test_it_is_off_until_it_is_asked_for(bench: Bench) -> None:
    """A panel has a button that a keyboard reaches, and no canvas; a run makes none."""
    known = len(canvases())
    panel = bench.panel(ModelStack())
    assert toggle().description == "Flow"
    await panel.run()
    assert len(canvases()) == known


async def test_switched_on_in_mid_run_it_shows_all_that_happened(bench: Bench) -> None:
    """What was put aside is caught up with; at the end its counts are the run's own."""
    stack = ModelStack()
    panel = bench.panel(stack)
    known = set(canvases())
    panel.start()
    await until(lambda: stack.runs and stack.runs[0].now() > 0.5)
    toggle().value = True
    await until(lambda: set(canvases()) - known)
    (canvas,) = set(canvases()) - known
    got = opened(canvas)
    await until(lambda: len(got) > 3)
    assert got[0]["fresh"]
    toggle().value = False
    await until(lambda: canvas.layout.display == "none")
    before = len(got)
    await until(lambda: stack.runs[0].now() > 1.2)
    assert len(got) <= before + 1
    toggle().value = True
    await until(lambda: len(got) > before + 2)
    await panel.stop()
    run = await panel.finished()
    rows = run.events
    assert sent(canvas) == int((rows["kind"] == Kind.SENT).sum())
    assert f"{int((rows['kind'] == Kind.ENDED).sum()):,} done" in canvas.line


async def test_a_new_run_begins_with_an_empty_canvas(bench: Bench) -> None:
    """The second run's counts do not contain the first one's; a turned knob moves the wall."""
    panel: Panel = bench.panel(ModelStack())
    known = set(canvases())
    toggle().value = True
    await until(lambda: set(canvases()) - known)
    (canvas,) = set(canvases()) - known
    opened(canvas)
    await panel.run()
    first = sent(canvas)
    await panel.run()
    assert 0 < sent(canvas) < 1.5 * first
    bar = next(w for w in walk_panel() if isinstance(w, ipywidgets.IntSlider) and "workers" in w.description)
    panel.start()
    await until(lambda: panel.running)
    boxes = len(canvas.plan["boxes"])
    bar.value = boxes + 2
    await until(lambda: len(canvas.plan["boxes"]) == boxes + 2)


@pytest.mark.parametrize("shown", [True, False])
async def test_closing_the_panel_takes_the_canvas_along(bench: Bench, shown: bool) -> None:
    """None is left, whether or not it is shown at that moment."""
    panel, known = bench.panel(ModelStack()), set(canvases())
    toggle().value = True
    await until(lambda: set(canvases()) - known)
    toggle().value = shown
    await panel.close()
    assert set(canvases()) == known

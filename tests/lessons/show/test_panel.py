"""The panel, with a model of the system that plays in real time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from demo_workers.errors import GatewayUnavailable, LabError, RedisUnavailable
from lessons.show.panel import Panel
from lessons.show.surface import Frame
from tests.lessons.show.event_source import ModelStack
from tests.lessons.show.scenes import SHORT
from tests.lessons.show.test_controls import walk

pytestmark = pytest.mark.live


class Bench:
    """Panels on stacks of the model, and a browser that acknowledges what it gets."""

    def __init__(self) -> None:
        self.panels: list[Panel] = []
        self._browsers: list[asyncio.Future[None]] = []

    def panel(self, stack: ModelStack, *, name: str = "bench", browser: bool = True, **more: Any) -> Panel:
        """A panel on the screen."""
        known = set(map(id, all_widgets()))
        panel = Panel(name, stack, SHORT, question="What happens?", noun="posts", **more)
        panel.show()
        self.panels.append(panel)
        if browser:
            frames = [w for w in all_widgets() if isinstance(w, Frame) and id(w) not in known]
            self._browsers += [asyncio.ensure_future(self._look(frame)) for frame in frames]
        return panel

    async def _look(self, frame: Frame) -> None:
        frame.receive(frame, {"kind": "ready", "dpr": 1})
        while True:
            frame.receive(frame, {"kind": "ack", "n": frame.facts.sent})
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        for panel in self.panels:
            await panel.close()
        for browser in self._browsers:
            browser.cancel()


def all_widgets() -> list[Any]:
    """Every widget that is open."""
    return list(ipywidgets.widgets.widget._instances.values())


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Closes its panels afterwards."""
    made = Bench()
    yield made
    await made.close()


def button(label: str) -> Any:
    """The last button of that name that is open."""
    return [w for w in all_widgets() if isinstance(w, ipywidgets.Button) and w.description == label][-1]


async def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for a condition with a deadline."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def test_a_scripted_run_returns_the_run(bench: Bench) -> None:
    """It plays to its end, live, and leaves sentence, facts and status."""
    panel = bench.panel(ModelStack())
    run = await panel.run()
    assert len(run.events) > 50
    assert panel.status == "Finished."
    assert "were answered in time" in panel.summary()
    assert panel.facts()["answers came in time"]
    assert await panel.finished() is run


async def test_seconds_sets_another_length(bench: Bench) -> None:
    """The scenario is the panel's, only shorter."""
    run = await bench.panel(ModelStack()).run(seconds=0.2)
    assert run.scenario.load.duration_s == 0.2


async def test_start_returns_at_once_and_runs_until_stop(bench: Bench) -> None:
    """An open end: it goes on past the scenario's duration; Stop twice is fine, also when nothing runs."""
    stack = ModelStack()
    panel = bench.panel(stack)
    await panel.stop()
    panel.start()
    assert panel.running
    assert not stack.runs
    await until(lambda: stack.runs and stack.runs[0].now() > SHORT.load.duration_s + 0.3)
    assert panel.running
    await asyncio.gather(panel.stop(), panel.stop())
    await panel.stop()
    assert not panel.running
    assert panel.status.startswith("Stopped after ")
    assert (await panel.finished()).events["t"].max() > SHORT.load.duration_s


async def test_the_buttons_work_from_any_thread(bench: Bench) -> None:
    """Widget messages may arrive on a subshell's thread: Start, a knob, Stop and Reset still reach the loop."""
    stack = ModelStack()
    panel = bench.panel(stack)

    async def press(what: Callable[[], object]) -> None:
        thread = threading.Thread(target=what)
        thread.start()
        await until(lambda: not thread.is_alive())

    bar = next(w for w in walk_panel() if isinstance(w, ipywidgets.IntSlider) and "arrivals" in w.description)
    await press(button("Start").click)
    await until(lambda: panel.running and stack.runs)
    await press(lambda: setattr(bar, "value", 90))
    await until(lambda: stack.runs[0].scenario.load.arrival_rate == 90)
    assert [(s.knob, s.value) for s in stack.runs[0].steering] == [("arrival_rate", 90.0)]
    await press(button("Stop").click)
    await press(button("Stop").click)
    await until(lambda: not panel.running)
    await press(button("Reset").click)
    await until(lambda: panel.status == "Ready.")
    assert bar.value == SHORT.load.arrival_rate


def walk_panel() -> list[Any]:
    """All widgets of the open panel."""
    root = next(w for w in all_widgets() if "workbook-panel" in getattr(w, "_dom_classes", ()))
    return walk(root)


async def test_an_error_is_shown_kept_and_raised_again(bench: Bench) -> None:
    """A failing load is a line on the screen, not silence; a new Start works."""
    stack = ModelStack(fails=GatewayUnavailable("the gateway has died"))
    panel = bench.panel(stack)
    panel.start()
    await until(lambda: stack.runs)
    await panel.stop()
    assert panel.status == "GatewayUnavailable: the gateway has died"
    with pytest.raises(GatewayUnavailable):
        await panel.finished()
    with pytest.raises(GatewayUnavailable):
        panel.raise_if_failed()
    stack.fails = None
    await panel.run()
    panel.raise_if_failed()
    assert panel.status == "Finished."


async def test_a_load_that_cannot_begin_says_why(bench: Bench) -> None:
    """An awaiting cell gets the error itself."""
    panel = bench.panel(ModelStack(refuses=RedisUnavailable("no server found")))
    with pytest.raises(RedisUnavailable):
        await panel.run()
    assert panel.status == "RedisUnavailable: no server found"
    assert not button("Start").disabled


async def test_waiting_for_what_was_never_started_is_an_error(bench: Bench) -> None:
    """It says what to do."""
    with pytest.raises(LabError, match=r"call start\(\)|Call start\(\)"):
        await bench.panel(ModelStack()).finished()


async def test_a_knob_that_cannot_be_turned_is_shown_and_the_load_goes_on(bench: Bench) -> None:
    """A value out of bounds ends in the status line."""
    stack = ModelStack()
    panel = bench.panel(stack)
    panel.start()
    await until(lambda: stack.runs)

    async def refuse(**knobs: object) -> None:
        SHORT.steered(arrival_rate=-1)

    stack.runs[0].steer = refuse  # type: ignore[method-assign]
    bar = next(w for w in walk_panel() if isinstance(w, ipywidgets.IntSlider) and "arrivals" in w.description)
    bar.value = 3
    await until(lambda: panel.status.startswith("ScenarioError: load.arrival_rate"))
    assert panel.running


async def test_the_sliders_follow_what_a_cell_turns(bench: Bench) -> None:
    """What is on the screen is what the system does; it is not told back, and a slider can be moved again."""
    stack = ModelStack()
    panel = bench.panel(stack)
    panel.start()
    await until(lambda: stack.runs)
    (live,) = stack.runs
    bar = next(w for w in walk_panel() if isinstance(w, ipywidgets.IntSlider) and "limit" in w.description)
    none = next(w for w in walk_panel() if isinstance(w, ipywidgets.Checkbox) and w.description == "no limit")
    await live.steer(limit=None)
    await until(lambda: none.value)
    await live.steer(limit=7)
    await until(lambda: bar.value == 7 and not none.value)
    bar.value = 9
    await until(lambda: len(live.steering) == 3)
    await panel.stop()
    assert [(entry.knob, entry.value) for entry in live.steering] == [("limit", None), ("limit", 7), ("limit", 9)]
    assert bar.value == 9


async def test_a_second_panel_of_the_same_name_ends_the_first(bench: Bench) -> None:
    """A cell that is run again leaves neither a second load nor old widgets."""
    stack = ModelStack()
    first = bench.panel(stack)
    first.start()
    await until(lambda: stack.runs)
    second = bench.panel(stack)
    second.start()
    await until(lambda: len(stack.runs) == 2)
    assert not first.running
    assert stack.runs[0].stops == 1
    await until(lambda: sum("workbook-panel" in getattr(w, "_dom_classes", ()) for w in all_widgets()) == 1)
    assert second.running


async def test_panels_of_different_names_leave_each_other_alone(bench: Bench) -> None:
    """Two experiments side by side."""
    one, two = (bench.panel(ModelStack(), name=name) for name in ("one", "two"))
    one.start()
    two.start()
    await asyncio.sleep(0.2)
    assert one.running
    assert two.running


async def test_an_interrupted_cell_ends_the_load(bench: Bench) -> None:
    """Interrupt cancels the awaiting cell; the load is told to stop and the panel is ready for more."""
    stack = ModelStack()
    panel = bench.panel(stack)
    cell = asyncio.ensure_future(panel.run(seconds=30))
    await until(lambda: stack.runs)
    cell.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cell
    await until(lambda: not panel.running)
    assert stack.runs[0].stops == 1
    await panel.run(seconds=0.2)


async def test_without_a_browser_only_the_first_and_the_last_picture_are_made(bench: Bench) -> None:
    """Tests and closed tabs cost samples, not frames."""
    known = set(map(id, all_widgets()))
    panel = bench.panel(ModelStack(), browser=False)
    frame = next(w for w in all_widgets() if isinstance(w, Frame) and id(w) not in known)
    before = frame.facts.sent
    await panel.run()
    assert before == 1
    assert frame.facts.sent - before == 2  # the empty picture of this run, and the one that stays


async def test_stop_is_the_end_of_the_frames(bench: Bench) -> None:
    """After Stop comes one more picture, the one that stays, and then none."""
    known = set(map(id, all_widgets()))
    panel = bench.panel(ModelStack())
    frame = next(w for w in all_widgets() if isinstance(w, Frame) and id(w) not in known)
    panel.start()
    await until(lambda: frame.facts.sent > 5)
    await panel.stop()
    sent = frame.facts.sent
    await asyncio.sleep(0.5)
    assert frame.facts.sent == sent


@pytest.fixture
def unmeasured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What RQ costs on this machine is not known, so theory says the same everywhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.usefixtures("unmeasured")
async def test_theory_answers_before_anything_runs(bench: Bench) -> None:
    """A knob that is let go is a question: the picture has the line and the sentence the numbers, and Start works."""
    stack = ModelStack()
    panel = bench.panel(stack)
    assert "Theory" not in panel.summary()
    bar = next(w for w in walk_panel() if isinstance(w, ipywidgets.IntSlider) and "arrivals" in w.description)
    for rate in (70, 80, 90):
        bar.value = rate
    await until(lambda: panel.summary().startswith("No posts yet. Theory expects"))
    bar.value = 150
    work = next(w for w in walk_panel() if isinstance(w, ipywidgets.IntSlider) and "work 1/μ" in w.description)
    work.value = 40
    await until(lambda: "Theory: no long run, λ 150 ≥ cμ" in panel.summary())
    assert stack.runs == []
    assert panel.status == "Ready."
    bar.value, work.value = 60, 20
    run = await panel.run()
    assert run.scenario.load.arrival_rate == 60


@pytest.mark.usefixtures("unmeasured")
async def test_theory_follows_the_sliders(bench: Bench) -> None:
    """What it expects is said with the first sentence, and again when a knob has made it impossible."""
    panel = bench.panel(ModelStack(), open_ended=True)
    panel.start()
    await until(lambda: "Theory expects" in panel.summary())
    bar = next(w for w in walk_panel() if isinstance(w, ipywidgets.IntSlider) and "work 1/μ" in w.description)
    bar.value = 100
    await until(lambda: "Theory: no long run, λ 60 ≥ cμ" in panel.summary())
    await panel.stop()

"""The flow view of a panel: below the plots, behind a button, on the rows that the panel reads anyway.

While it is off, or nobody looks, rows are only put aside. Switched on in mid-run it catches up and shows all that is
inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as w
import numpy as np

from demo_workers.records.events import EVENT, Events
from demo_workers.scenario import Scenario
from lessons.show.flow.flow import Flow
from lessons.show.flow.record import Reader
from lessons.show.flow.stage import Stage
from lessons.show.subject import Turned

MOST_ASIDE = 20_000
"""Rows put aside, 40 bytes each; then they are counted after all, so that a run of hours takes no memory."""

BEHIND_S = 0.03
"""What workers announce reaches the record by so much later; until then a freed place would be counted twice."""


class Companion:
    """Button and canvas.

    Args:
        scenario: what the next run is like.
        hop: wraps a callback so that it runs on the kernel's loop; widgets call on any thread.
    """

    def __init__(self, scenario: Scenario, hop: Callable[[Callable[..., object]], Callable[..., None]]) -> None:
        self._button = w.ToggleButton(
            value=False,
            description="Flow",
            icon="random",
            tooltip="show each request on its way through clients, gateway, queue and workers",
            layout=w.Layout(width="88px"),
        )
        self._button.observe(hop(self._switched), "value")
        self.widget = w.VBox([self._button])
        self._hop = hop
        self._flow: Flow | None = None
        self.begin(scenario)
        self._over = True

    @property
    def flow(self) -> Flow | None:
        """What is shown; None until it is asked for."""
        return self._flow

    def begin(self, scenario: Scenario) -> None:
        """A run begins."""
        self._scenario, self._turned = scenario, 0
        self._reader = Reader(scenario.service.workers)
        self._aside: list[Events] = []
        self._count, self._now_s, self._over = 0, 0.0, False
        if self._flow is not None:
            self._flow.restage(stage(scenario))
            self._flow.clear()

    def look(self, rows: Events, now_s: float, steering: Sequence[Turned]) -> None:
        """Take over new rows.

        Args:
            rows: from clients and gateway.
            now_s: seconds since the run's origin.
            steering: all that was turned so far.
        """
        if len(rows):
            self._aside.append(rows)
            self._count += len(rows)
        self._now_s = now_s
        shown = self._flow is not None and self._button.value and self._flow.due()
        if shown or self._count > MOST_ASIDE:
            self._catch_up(now_s - BEHIND_S, steering)
        if shown and self._flow is not None:
            self._flow.send(now_s)

    def end(self, rows: Events, now_s: float, steering: Sequence[Turned]) -> None:
        """The run is over."""
        self.look(rows, now_s, steering)
        self._over = True
        if self._flow is not None and self._button.value:
            self._catch_up(math.inf, steering)
            self._flow.end(now_s)

    def _catch_up(self, until_s: float, steering: Sequence[Turned] = ()) -> None:
        flow = self._made()
        if len(steering) > self._turned:
            self._turned = len(steering)
            knobs = {entry.knob: entry.value for entry in steering if entry.knob in ("limit", "workers")}
            self._scenario = self._scenario.steered(**knobs)
            self._reader.resize(self._scenario.service.workers)
            flow.restage(stage(self._scenario))
        flow.feed(self._reader.steps(np.concatenate([*self._aside, np.empty(0, EVENT)]), until_s))
        self._aside, self._count = [], 0

    def _made(self) -> Flow:
        if self._flow is None:
            self._flow = Flow(stage(self._scenario), self._hop(self._appeared))
            self._flow.canvas.layout.display = "none"
            self.widget.children = (self._button, self._flow.canvas)
        return self._flow

    def _switched(self, change: dict[str, Any]) -> None:
        on = bool(change["new"])
        if on:
            self._catch_up(math.inf if self._over else self._now_s - BEHIND_S)
        if self._flow is not None:
            self._flow.canvas.layout.display = "" if on else "none"

    def _appeared(self) -> None:
        """A browser shows it: a run that goes on comes by itself."""
        if self._over and self._flow is not None and self._button.value:
            self._flow.end(self._now_s)


def stage(scenario: Scenario) -> Stage:
    """What the canvas of a run of this scenario has on it."""
    service = scenario.service
    return Stage(workers=service.workers, limit=scenario.admission.limit, service_s=service.service_time_s)

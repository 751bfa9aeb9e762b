"""The knobs as widgets: a slider with a number beside it, keyboard reachable, named by symbol, words and unit.

Callbacks may run on any thread (JupyterLab sends widget messages over kernel subshells). They set plain values and
call ``changed``; whoever passes ``changed`` hops to its own loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import ipywidgets as w

from demo_workers.scenario import KNOBS, Scenario


class Knob(NamedTuple):
    """How a knob is offered: whole numbers from ``low`` to ``high``, of which ``unit`` make one of the scenario's.

    Whole numbers, because the browser's slider turns 50.0 into 49.99999 and would change the scenario by being shown.
    """

    label: str
    low: int
    high: int
    step: int = 1
    unit: int | None = None  # None: the scenario's value is whole itself
    at_once: bool = True  # False: only when the slider is let go, for what restarts something
    nothing: str = ""  # the words of the box that stands for None
    usual: int = 0  # where the slider stands behind that box


OFFERED = {
    "arrival_rate": Knob("arrivals λ [per s]", 0, 150, unit=1),
    "service_time_s": Knob("work 1/μ [ms]", 5, 300, 5, unit=1000),
    "workers": Knob("workers c", 0, 8, at_once=False),
    "limit": Knob("limit K [inside]", 1, 100, nothing="no limit", usual=20),
    "attempts": Knob("attempts [each]", 1, 10),
    "timeout_s": Knob("patience [ms]", 100, 10_000, 100, unit=1000, nothing="for ever", usual=1000),
    "deadline_s": Knob("deadline [s]", 1, 60, unit=1, nothing="none", usual=10),
    "base_s": Knob("backoff base [ms]", 50, 5000, 50, unit=1000),
    "cap_s": Knob("backoff cap [s]", 1, 60, unit=1),
    "think_time_s": Knob("think time [ms]", 0, 5000, 100, unit=1000),
    "urgent_share": Knob("urgent [%]", 0, 100, 5, unit=100),
    "client_rate": Knob("each client [per s]", 1, 50, unit=1, nothing="no limit", usual=5),
    "budget_ratio": Knob("retry budget [%]", 0, 100, 5, unit=100, nothing="none", usual=20),
    "breaker_failures": Knob("breaker [failures]", 1, 100, nothing="none", usual=20),
    "throttle_k": Knob("throttle K [×0.1]", 10, 50, unit=10, nothing="none", usual=20),
    "bucket_tokens": Knob("retry tokens", 1, 100, unit=1, nothing="none", usual=10),
}
CHOICES = {
    "retry_policy": (
        "wait before a retry",
        (
            *(("never again", "none"), ("at once", "immediate"), ("fixed", "fixed"), ("exponential", "exponential")),
            *(("full jitter", "full"), ("equal jitter", "equal"), ("decorrelated jitter", "decorrelated")),
        ),
    ),
    "admission_policy": (
        "the queue",
        (
            *(("first in, first out", "reject"), ("last in, first out", "lifo"), ("drop the oldest", "drop_oldest")),
            *(("drop the expired", "drop_expired"), ("last in first, drop the expired", "lifo+drop_expired")),
            *(("CoDel", "codel"), ("adaptive limit", "adaptive"), ("urgent ones first", "priority")),
            ("look, then push (races)", "naive"),
        ),
    ),
    "after_timeout": ("after a time-out", (("back off", "backoff"), ("at once", "at_once"))),
    "idempotency_key": ("a retry", (("is a new job", False), ("carries the same key", True))),
    "honour_retry_after": ("Retry-After", (("honoured", True), ("ignored", False))),
}


class Controls:
    """The widgets of some knobs and their present values.

    Args:
        scenario: where the knobs stand at first.
        row: names of the knobs that are always in sight.
        advanced: names of those that are folded away.
        changed: called with (knob, value) on any thread.
    """

    def __init__(
        self,
        scenario: Scenario,
        row: Sequence[str],
        advanced: Sequence[str] = (),
        *,
        changed: Callable[[str, Any], None],
    ) -> None:
        self._changed = changed
        self.values: dict[str, Any] = {}
        self._quiet = frozenset[str]()  # knobs that are being put where the system has them
        self._set: dict[str, Callable[[Any], None]] = {}
        boxes = {knob: self._make(knob, value_of(scenario, knob)) for knob in (*row, *advanced)}
        flow = w.Layout(flex_flow="row wrap", grid_gap="0 18px")
        parts = [w.HBox([boxes[knob] for knob in row], layout=flow)]
        if advanced:
            more = w.HBox([boxes[knob] for knob in advanced], layout=flow)
            parts.append(w.Accordion([more], titles=("More settings",), selected_index=None))
        self.widget = w.VBox(parts)

    def follow(self, scenario: Scenario) -> None:
        """Put every knob to where a scenario has it; nobody is told."""
        for knob in self._set:
            self.put(knob, value_of(scenario, knob))

    def put(self, knob: str, value: Any) -> None:
        """Put a knob, if it is one of these, to where the system has it; nobody is told. Only on one thread."""
        if knob not in self._set or self.values[knob] == value:
            return
        self._quiet = frozenset({knob})
        try:
            self._set[knob](value)
            self.values[knob] = value
        finally:
            self._quiet = frozenset()

    def show(self, knob: str, value: Any) -> None:
        """Move a knob's widget, as if somebody had."""
        if knob in self._set:
            self._set[knob](value)

    def _make(self, knob: str, value: Any) -> w.Widget:
        self.values[knob] = value
        if knob in CHOICES:
            return self._choice(knob, value)
        return self._slider(knob, OFFERED[knob], value)

    def _store(self, knob: str, value: Any) -> None:
        if self.values[knob] != value:
            self.values[knob] = value
            if knob not in self._quiet:
                self._changed(knob, value)

    def _choice(self, knob: str, value: Any) -> w.Widget:
        label, options = CHOICES[knob]
        box = w.Dropdown(options=options, description=label, style=_WIDE, layout=w.Layout(width="352px"))

        def put(v: Any) -> None:
            if v not in [value for _, value in box.options]:
                box.options = (*box.options, (str(v), v))  # a mixture, or a reader's own policy
            box.value = v

        put(value)
        box.observe(lambda change: self._store(knob, change["new"]), "value")
        self._set[knob] = put
        return box

    def _slider(self, knob: str, spec: Knob, value: Any) -> w.Widget:
        shown = _shown(spec, value)
        # a scenario beyond the usual range must still be reachable
        ends: dict[str, Any] = {"min": min(spec.low, shown), "max": max(spec.high, shown), "step": spec.step}
        bar = w.IntSlider(
            value=shown, description=spec.label, readout=False, continuous_update=spec.at_once, style=_WIDE,
            layout=w.Layout(width="280px"), **ends,
        )  # fmt: skip
        box = w.BoundedIntText(value=shown, layout=w.Layout(width="72px"), tooltip=spec.label, **ends)
        w.jslink((bar, "value"), (box, "value"))
        none = w.Checkbox(value=value is None, description=spec.nothing, indent=False, layout=w.Layout(width="auto"))

        def store(_: object) -> None:
            bar.disabled = box.disabled = none.value
            if none.value:
                self._store(knob, None)
            elif spec.unit is None:
                self._store(knob, bar.value)
            elif self.values[knob] is None or bar.value != _shown(spec, self.values[knob]):
                # a number that only shows what is set, rounded, must not change it
                self._store(knob, bar.value / spec.unit)

        def put(v: Any) -> None:
            if v is not None:
                bar.value = _shown(spec, v)
            none.value = v is None

        bar.disabled = box.disabled = none.value
        bar.observe(store, "value")
        none.observe(store, "value")
        self._set[knob] = put
        return w.HBox([bar, box, *([none] if spec.nothing else [])])


def _shown(spec: Knob, value: Any) -> int:
    return spec.usual if value is None else round(value * (spec.unit or 1))


def value_of(scenario: Scenario, knob: str) -> Any:
    """Where a scenario has a knob."""
    section, _, name = KNOBS[knob].partition(".")
    return getattr(getattr(scenario, section), name)


_WIDE = {"description_width": "115px"}

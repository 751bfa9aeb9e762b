"""The knobs."""

from __future__ import annotations

from typing import Any

import ipywidgets

from demo_workers.scenario import KNOBS, Scenario
from lessons.show.controls import CHOICES, OFFERED, Controls

ALL = tuple(OFFERED) + tuple(CHOICES)


def make(scenario: Scenario, *knobs: str) -> tuple[Controls, list[tuple[str, Any]]]:
    """Controls and the log of what they reported."""
    log: list[tuple[str, Any]] = []
    return Controls(scenario, knobs, changed=lambda knob, value: log.append((knob, value))), log


def test_showing_a_scenario_does_not_change_it() -> None:
    """Also values between a slider's steps stay exactly what they were."""
    scenario = Scenario().steered(arrival_rate=43.7, service_time_s=0.0333, timeout_s=None, limit=None)
    controls, log = make(scenario, *ALL)
    assert scenario.steered(**controls.values) == scenario
    other = Scenario().steered(arrival_rate=12.3, timeout_s=1.25, limit=7, attempts=3)
    controls.follow(other)
    assert Scenario().steered(**controls.values) == other
    mixed = other.steered(admission_policy="priority+codel", retry_policy="custom", budget_ratio=0.15)
    controls.follow(mixed)
    assert Scenario().steered(**controls.values) == mixed
    assert log == []


def test_a_moved_knob_is_reported_in_the_scenarios_unit() -> None:
    """Milliseconds on the screen are seconds in the scenario; every value is one that a scenario takes."""
    controls, log = make(Scenario(), *ALL)
    controls.show("service_time_s", 0.1)
    controls.show("arrival_rate", 60)
    controls.show("retry_policy", "equal")
    assert log == [("service_time_s", 0.1), ("arrival_rate", 60.0), ("retry_policy", "equal")]
    for knob, value in log:
        Scenario().steered(**{knob: value})


def test_no_limit_is_a_box_of_its_own() -> None:
    """None disables the slider instead of hiding it, and the first number is the slider's."""
    controls, log = make(Scenario(), "limit")
    box = next(w for w in walk(controls.widget) if isinstance(w, ipywidgets.Checkbox))
    bar = next(w for w in walk(controls.widget) if isinstance(w, ipywidgets.IntSlider))
    assert bar.disabled
    box.value = False
    assert not bar.disabled
    box.value = True
    assert log == [("limit", 20), ("limit", None)]


def test_every_knob_has_a_name_with_its_unit_and_a_number_beside_it() -> None:
    """What is not a choice has a slider, a field, and a label."""
    assert set(ALL) <= set(KNOBS)
    for knob in OFFERED:
        controls, _ = make(Scenario(), knob)
        kinds = [type(w) for w in walk(controls.widget)]
        assert ipywidgets.IntSlider in kinds
        assert ipywidgets.BoundedIntText in kinds
        assert OFFERED[knob].label


def walk(widget: Any) -> list[Any]:
    """A widget and all below it."""
    return [widget, *(found for child in getattr(widget, "children", ()) for found in walk(child))]

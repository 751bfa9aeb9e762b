"""What theory expects of a load in the long run: the pale lines behind a live picture, which move with the sliders.

A prediction costs milliseconds, so nothing here runs while a picture is drawn: it is asked for when a setting has
changed, on a thread of its own, and remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from demo_workers.errors import LabError, UnstableQueue
from demo_workers.scenario import KNOBS, Scenario, WorkerClass
from demo_workers.stack import calibration
from demo_workers.stack.calibration import Calibration
from demo_workers.tape import profile
from lessons.show.scene import LongRun
from lessons.show.subject import Turned
from lessons.theory import Prediction, predict_or_reason

NONE = "no formula fits"
WITHOUT_COST = "without RQ's cost"
MOST_WORKERS = 64


def after(scenario: Scenario, steering: Iterable[Turned]) -> Scenario:
    """A scenario with all knobs turned that were turned so far."""
    for entry in steering:
        if entry.knob in KNOBS:
            scenario = scenario.steered(**{entry.knob: entry.value})
    return scenario


def expected(scenario: Scenario) -> LongRun:
    """What theory expects, with RQ's cost per job where it was measured on this machine; reads that from disk."""
    known = _measured(scenario.service.workers, scenario.service.worker_class)
    if known is None:
        found = _expected(scenario, 0.0, 0.0)
        return found if found.but or not found.levels else replace(found, but=WITHOUT_COST)
    # a function that takes longer than asked for holds its worker so much longer too
    return _expected(scenario, known.overhead_before_s + known.stretch_s, known.overhead_after_s)


def _measured(workers: int, worker_class: WorkerClass) -> Calibration | None:
    """What was measured with so many workers, or with the number of them that is nearest to it."""
    nearest = sorted(range(1, MOST_WORKERS + 1), key=lambda other: abs(other - workers))
    return next((known for other in nearest if (known := calibration.cached(other, worker_class))), None)


@lru_cache(maxsize=256)
def _expected(scenario: Scenario, before_s: float, after_s: float) -> LongRun:
    if len({rate for stretch in profile(scenario.load) for rate in (stretch.rate, stretch.rate_end)}) > 1:
        return LongRun()  # a load whose rate changes has no long run to speak of
    found = predict_or_reason(scenario, overhead_before_s=before_s, overhead_after_s=after_s)
    if isinstance(found, UnstableQueue):
        most = scenario.service.workers / (scenario.service.service_time_s + before_s + after_s)
        return LongRun(why_not=f"no long run, λ {scenario.load.arrival_rate:g} ≥ cμ {most:.3g}")
    if isinstance(found, LabError):
        return LongRun(why_not=NONE)
    return LongRun(levels=_levels(found), but="" if found.retry_amplification else "without retries")


def _levels(found: Prediction) -> dict[str, float]:
    known = {"inside": found.in_system, "p50": found.sojourn_p50_s, "p95": found.sojourn_p95_s}
    return {column: value for column, value in known.items() if value is not None}

"""Curves of a run against its averages."""

from __future__ import annotations

import numpy as np
import pytest

from demo_workers.records.measures import window
from demo_workers.scenario import Scenario
from lessons.show import traces
from lessons.twin.simulate import simulate
from tests.lessons.compared import CALM, FULL, twins


@pytest.mark.parametrize("scenario", [CALM, FULL])
def test_the_curve_of_jobs_inside_has_the_runs_own_mean(scenario: Scenario) -> None:
    """However finely it is cut."""
    run = simulate(scenario)
    for bins in (1, 7, 90):
        assert np.mean(traces.inside(run, np.linspace(*window(run), bins + 1))) == pytest.approx(run.measures.in_system)


def test_the_curve_of_shares_meets_the_runs_own_quantiles() -> None:
    """Half at the median, 95 % at the 95th percentile, everybody at the end."""
    run = simulate(CALM)
    n = len(traces.sojourns(run))
    marks = [run.measures.sojourn_p50_s, run.measures.sojourn_p95_s, 60.0]
    assert traces.share_done(run, np.array(marks, float)) == pytest.approx([0.5, 0.95, 1.0], abs=1.5 / n)
    assert traces.longest_s(run, 0.95) == pytest.approx(run.measures.sojourn_p95_s)


def test_a_run_in_which_nothing_was_done_has_no_shares() -> None:
    """NaN, not an error."""
    run = simulate(CALM.steered(arrival_rate=0))
    assert np.isnan(traces.share_done(run, np.array([1.0]))).all()
    assert traces.longest_s(run) == 0.0
    assert traces.inside(run, np.array([0.0, 1.0])).tolist() == [0.0]


def test_most_twins_are_inside_their_band() -> None:
    """At each moment at least nine of ten."""
    runs = twins(CALM, same=0, others=20)
    edges = np.linspace(0, 4, 9)
    low, high = traces.band(runs, lambda run: traces.inside(run, edges))
    curves = np.array([traces.inside(run, edges) for run in runs])
    assert ((curves >= low) & (curves <= high)).mean(0).min() >= 0.9

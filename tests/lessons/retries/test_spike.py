"""The demo's spike: built for the machine it runs on, and read off fairly."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from demo_workers.scenario import Scenario
from lessons.retries import LIMIT, Fate, finding, share_in_time, spike
from lessons.retries.spike import SETTLE_S, TAIL_S
from tests.lessons.runs import modelled


@pytest.mark.parametrize("overhead_s", [0.0, 0.004, 0.02, 0.1])
def test_the_spike_is_the_same_story_on_every_machine(overhead_s: float) -> None:
    """Four fifths busy before and after, 2.4 times too much in between, whatever RQ costs here."""
    scenario = spike(overhead_s, limit=None)
    capacity = scenario.service.workers / (scenario.service.service_time_s + overhead_s)
    assert scenario.load.arrival_rate / capacity == pytest.approx(0.8)
    assert scenario.load.spike_rate / capacity == pytest.approx(2.4)
    assert scenario.load.spike_length_s == 5
    assert scenario.retry.attempts > 1


def test_the_two_runs_differ_in_the_limit_alone() -> None:
    """The same requests from the same clients."""
    assert spike(0.01, limit=None, seed=5).replace("admission.limit", LIMIT) == spike(0.01, limit=LIMIT, seed=5)
    assert spike(0.01, limit=None, seed=5) != spike(0.01, limit=None, seed=6)


def calm() -> Scenario:
    """The spike without its spike."""
    scenario = spike(0.0, limit=None)
    return scenario.replace("load.spike_rate", scenario.load.arrival_rate / 2)


def test_without_a_spike_everybody_is_in_time() -> None:
    """At four fifths of the capacity a second is patience enough for nearly all."""
    fate = Fate.of(modelled(calm()))
    assert min(fate.before, fate.during, fate.after) > 0.9


def test_collapse_and_rescue_are_told_apart() -> None:
    """Zombie work keeps the unlimited queue from ever coming back; the limited one recovers."""
    without, limited = modelled(spike(0.0, limit=None)), modelled(spike(0.0, limit=LIMIT))
    a, b = Fate.of(without), Fate.of(limited)
    assert min(a.before, b.before) > 0.9
    assert a.after < 0.2
    assert b.after > 0.9
    assert b.during > a.during
    said = finding(without, limited)
    assert f"{a.after:.0%} without a limit" in said
    assert f"{b.after:.0%} with a limit of {LIMIT}" in said
    assert f"said no {limited.ledger.counts['shed']} times" in said


def test_shares_are_of_requests_not_of_attempts() -> None:
    """A request that was refused and then served in time counts once, and by when it first came."""
    run = modelled(spike(0.0, limit=LIMIT))
    retried = set(run.attempts["request"][run.attempts["attempt"] > 1])
    assert retried
    everyone = share_in_time(run, 0.0, math.inf)
    assert everyone == run.ledger.counts["requests_succeeded"] / run.ledger.counts["requests"]
    assert 0 < everyone < 1
    assert math.isnan(share_in_time(run, 1e6, 2e6))


def test_neighbouring_windows_share_nobody() -> None:
    """A window has its start and not its end."""
    run = modelled(calm())
    edge = float(run.requests["due_s"][10])
    first = run.attempts[run.attempts["attempt"] == 1]
    assert not math.isnan(share_in_time(run, edge, edge + 1e-9))
    before = first[first["due_s"] < edge]
    assert math.isnan(share_in_time(run, float(before["due_s"].max()) + 1e-9, edge))


def test_a_fate_can_be_compared() -> None:
    """It is plain data."""
    fate = Fate(before=1.0, during=0.5, after=0.0)
    assert replace(fate, after=1.0) != fate == Fate(1.0, 0.5, 0.0)
    assert SETTLE_S < TAIL_S

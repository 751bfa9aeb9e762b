"""The same spike, two fates: without a limit and with one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo_workers.records.events import ClientOutcome
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service

LIMIT = 16
WORKERS, SERVICE_S = 2, 0.05
CALM, HEIGHT = 0.8, 2.4
"""Arrivals outside the spike and inside it, as multiples of what the workers can do."""

SPIKE_START_S, SPIKE_S, TAIL_S = 4.0, 5.0, 9.0
SETTLE_S = 3.0
"""How long after the spike a healthy system may still work off what it accepted."""


def spike(
    overhead_s: float,
    *,
    limit: int | None = None,
    seed: int = 7,
    service_s: float = SERVICE_S,
    height: float = HEIGHT,
    start_s: float = SPIKE_START_S,
    length_s: float = SPIKE_S,
    tail_s: float = TAIL_S,
    drain_s: float = 4.0,
) -> Scenario:
    """A spike on two workers, from clients that wait one second and try four times.

    Outside the spike the workers are four fifths busy, counting what RQ itself costs per job, so that the story is
    the same on a slow machine and on a fast one. All jobs take equally long: if they did not, chance alone would bring
    a system without any spike to its collapse, in some three minutes of a hundred.

    Args:
        overhead_s: RQ's cost per job, as ``Stack.calibrate`` measures it.
        limit: most jobs inside, or None.
        seed: the tape's seed.
        service_s: how long the work of a post takes; the rates follow it.
        height: arrivals inside the spike, as a multiple of what the workers can do; ``CALM`` is no spike at all.
        start_s: seconds before the spike.
        length_s: seconds of it.
        tail_s: seconds after it.
        drain_s: how long accepted work is waited for at the end.
    """
    capacity = WORKERS / (service_s + overhead_s)
    load = Load(
        kind="spike",
        arrival_rate=CALM * capacity,
        spike_rate=height * capacity,
        spike_start_s=start_s,
        spike_length_s=length_s,
        duration_s=start_s + length_s + tail_s,
    )
    retry = Retry(policy="full", attempts=4, base_s=0.2, cap_s=1.0, timeout_s=1.0, after_timeout="at_once")
    return Scenario(
        load=load,
        service=Service(service_time_s=service_s, distribution="deterministic", workers=WORKERS),
        admission=Admission(limit=limit),
        retry=retry,
        seed=seed,
        drain_s=drain_s,
    )


@dataclass(frozen=True)
class Fate:
    """Share of requests answered in time (0 to 1) among those due before, during and after the spike."""

    before: float
    during: float
    after: float

    @classmethod
    def of(cls, run: Run) -> Fate:
        """Read a fate off a run of ``spike``."""
        load = run.scenario.load
        end = load.spike_start_s + load.spike_length_s
        return cls(
            share_in_time(run, 0.0, load.spike_start_s - 1.0),  # the last second before it may end inside it
            share_in_time(run, load.spike_start_s, end),
            share_in_time(run, end + SETTLE_S, load.duration_s),
        )


def share_in_time(run: Run, start_s: float, end_s: float) -> float:
    """Share of the requests due in [start_s, end_s) whose client got its answer in time; NaN when there are none."""
    first = run.attempts[run.attempts["attempt"] == 1]
    due = first["request"][(first["due_s"] >= start_s) & (first["due_s"] < end_s)]
    last = run.requests[np.isin(run.requests["request"], due)]
    return float(np.mean(last["client_outcome"] == ClientOutcome.SUCCEEDED)) if len(last) else float("nan")


def finding(without: Run, with_limit: Run) -> str:
    """One sentence with the numbers of both runs."""
    a, b = Fate.of(without), Fate.of(with_limit)
    shed = with_limit.ledger.counts["shed"]
    return (
        f"Before the spike {a.before:.0%} of the posts were answered in time; after it {a.after:.0%} without a limit, "
        f"and {b.after:.0%} with a limit of {with_limit.scenario.admission.limit}, which said no {shed} times."
    )

"""M/M/1: random arrivals, exponential service, one worker, no limit. The hockey stick.

In units of the service time the sojourn at ρ = .5, .8, .9, .95, .99 is 2, 5, 10, 20, 100.
"""

from __future__ import annotations

import numpy as np

from lessons.theory.bounds import number, positive, stable
from lessons.theory.sojourn import WaitThenServe
from lessons.theory.steady_state import SteadyState


def steady_state(arrival_rate: float, service_time_s: float) -> SteadyState:
    """Averages and sojourn: W = 1/(μ − λ), itself exponential, so p99 = 4.6 W.

    Args:
        arrival_rate: λ, per second.
        service_time_s: S = 1/μ, seconds.

    Raises:
        ScenarioError: a negative rate, or a service time of 0 or less.
        UnstableQueue: λ ≥ μ.

    Source: Kleinrock, "Queueing Systems", volume 1, chapter 3.
    """
    rate, service = number("arrival_rate", arrival_rate), positive("service_time_s", service_time_s)
    rho = stable(rate, service, 1)
    return SteadyState(
        arrival_rate=rate,
        service_time_s=service,
        workers=1,
        p_wait=rho,
        p_block=0.0,
        backlog=rho * rho / (1 - rho),
        wait_s=service * rho / (1 - rho),
        wait_survival=lambda t: rho * np.exp(-(1 - rho) / service * t),
        # waiting with probability ρ and then being served is one exponential time of the rate μ − λ
        sojourn=WaitThenServe(0.0, 1 / service, (1 - rho) / service),
    )

"""M/M/c: random arrivals, exponential service, c workers on one queue, no limit (Erlang C)."""

from __future__ import annotations

import numpy as np

from lessons.theory import erlang
from lessons.theory.bounds import number, positive, stable, whole
from lessons.theory.sojourn import WaitThenServe
from lessons.theory.steady_state import SteadyState


def steady_state(arrival_rate: float, service_time_s: float, workers: int) -> SteadyState:
    """Averages and sojourn: Wq = C/(cμ − λ), where C is Erlang's probability of waiting.

    The sojourn is not exponential: with probability 1 − C only a service, with C a wait of rate cμ − λ before it.

    Args:
        arrival_rate: λ, per second.
        service_time_s: S = 1/μ, seconds.
        workers: c.

    Raises:
        ScenarioError: a negative rate, a service time of 0 or less, or fewer than one worker.
        UnstableQueue: λ ≥ cμ.

    Source: Kleinrock, "Queueing Systems", volume 1, chapter 3; Gross et al., "Fundamentals of Queueing Theory".
    """
    rate, service = number("arrival_rate", arrival_rate), positive("service_time_s", service_time_s)
    rho = stable(rate, service, whole("workers", workers))
    p_wait = erlang.c(workers, rate * service)
    wait_rate = workers / service * (1 - rho)
    return SteadyState(
        arrival_rate=rate,
        service_time_s=service,
        workers=workers,
        p_wait=p_wait,
        p_block=0.0,
        backlog=p_wait * rho / (1 - rho),
        wait_s=p_wait / wait_rate,
        wait_survival=lambda t: p_wait * np.exp(-wait_rate * t),
        sojourn=WaitThenServe(p_wait, wait_rate, 1 / service),
    )

"""M/G/1: random arrivals, one worker, any service times; the mean wait needs only their mean and variation.

Source: Pollaczek-Khinchine formula (Kleinrock, "Queueing Systems", volume 1, chapter 5).
"""

from __future__ import annotations

from lessons.theory.bounds import number, positive, stable
from lessons.theory.steady_state import SteadyState


def steady_state(arrival_rate: float, service_time_s: float, cv: float) -> SteadyState:
    """Averages: Wq = ρ/(1 − ρ) · (1 + cv²)/2 · S. Exact; no distribution of the sojourn.

    Args:
        arrival_rate: λ, per second.
        service_time_s: S, seconds.
        cv: standard deviation of the service time over its mean (not the sigma of its logarithm): 0 is M/D/1, 1 has the
            means of M/M/1.

    Raises:
        ScenarioError: a negative rate or cv, or a service time of 0 or less.
        UnstableQueue: λS ≥ 1.
    """
    rate, service = number("arrival_rate", arrival_rate), positive("service_time_s", service_time_s)
    rho = stable(rate, service, 1)
    wait_s = rho / (1 - rho) * (1 + number("cv", cv) ** 2) / 2 * service
    return SteadyState(
        arrival_rate=rate,
        service_time_s=service,
        workers=1,
        p_wait=rho,
        p_block=0.0,
        backlog=rate * wait_s,
        wait_s=wait_s,
    )


def deterministic(arrival_rate: float, service_time_s: float) -> SteadyState:
    """M/D/1, all jobs alike: half the wait of M/M/1.

    Raises:
        ScenarioError: a negative rate, or a service time of 0 or less.
        UnstableQueue: λS ≥ 1.
    """
    return steady_state(arrival_rate, service_time_s, 0.0)

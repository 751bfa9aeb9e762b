"""How long a backlog takes to go away, and what an outage costs: fluid arguments, from rates alone.

They assume that all work is kept and nobody retries; both make recovery longer or the work useless.
"""

from __future__ import annotations

import math

from demo_workers.errors import UnstableQueue
from lessons.theory.bounds import number, positive, whole


def drain_s(backlog: float, arrival_rate: float, service_rate: float) -> float:
    """backlog/(cμ − λ): seconds until a backlog is gone while work keeps coming.

    Args:
        backlog: waiting jobs.
        arrival_rate: λ, per second.
        service_rate: cμ, of all workers together, per second.

    Raises:
        ScenarioError: a value is out of bounds.
        UnstableQueue: λ ≥ cμ; it never drains.
    """
    waiting, rate = number("backlog", backlog), number("arrival_rate", arrival_rate)
    if rate >= positive("service_rate", service_rate):
        raise UnstableQueue(
            f"arrival_rate = {rate:g} per second: must be below service_rate = {service_rate:g} per second, or the "
            "backlog never goes away. Use fewer arrivals, or more workers."
        )
    return waiting / (service_rate - rate)


def recovery_s(outage_s: float, utilization: float) -> float:
    """Tρ/(1 − ρ): seconds from the end of an outage until its backlog is gone.

    Ten minutes at ρ = 0.9 take ninety more.

    Args:
        outage_s: T, how long nothing was served, seconds.
        utilization: ρ, before and after.

    Raises:
        ScenarioError: a value is out of bounds.
        UnstableQueue: ρ ≥ 1; it never recovers.
    """
    length, rho = number("outage_s", outage_s), number("utilization", utilization)
    if rho >= 1:
        raise UnstableQueue(
            f"utilization = {rho:g}: must be below 1, or the backlog of an outage never goes away. "
            "Use more workers, or less work."
        )
    return length * rho / (1 - rho)


def makespan_s(jobs: int, workers: int, service_time_s: float) -> float:
    """⌈n/c⌉S: seconds until n equal jobs that were released together are done, however low the daily average load.

    Raises:
        ScenarioError: a value is out of bounds.
    """
    rounds = math.ceil(whole("jobs", jobs, low=0) / whole("workers", workers))
    return rounds * number("service_time_s", service_time_s)

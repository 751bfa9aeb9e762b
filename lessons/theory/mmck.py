"""M/M/c/K: random arrivals, exponential service, c workers, and a limit of K jobs waiting and running together.

K = c is Erlang's loss system (B). Under overload the throughput tends to cμ and the refused share to 1 − 1/ρ whatever K
is: a longer queue only adds waiting.
"""

from __future__ import annotations

import math

import numpy as np

from lessons.theory import erlang, geometric
from lessons.theory.bounds import number, positive, whole
from lessons.theory.departures import Departures
from lessons.theory.sojourn import Floats
from lessons.theory.steady_state import SteadyState

MOST_WORKERS = 100_000
MOST_JOBS = 1_000_000


def steady_state(arrival_rate: float, service_time_s: float, workers: int, limit: int) -> SteadyState:
    """Averages and the sojourn of admitted jobs; any load has a steady state here.

    The states up to c come from Erlang B, those beyond are geometric with the ratio ρ: the cost does not grow with K.
    A limit below c leaves workers idle for ever: it is the loss system of ``limit`` workers.

    Args:
        arrival_rate: λ, offered, per second.
        service_time_s: S = 1/μ, seconds.
        workers: c.
        limit: K, waiting and running; the queue itself holds K − c.

    Raises:
        ScenarioError: a negative rate, a service time of 0 or less, fewer than one worker, or a limit below 1.

    Source: Gross et al., "Fundamentals of Queueing Theory", chapter on birth-death queues (M/M/c/K).
    """
    rate, service = number("arrival_rate", arrival_rate), positive("service_time_s", service_time_s)
    most = whole("limit", limit, high=MOST_JOBS)
    usable = min(whole("workers", workers, high=MOST_WORKERS), most)
    rho, room = rate * service / usable, most - usable
    not_all_busy, waiting, full = weights(erlang.b(usable, rate * service), rho, room)
    every = not_all_busy + waiting + full
    p_wait = waiting / (not_all_busy + waiting)
    wait_s = p_wait * (geometric.mean(rho, room) + 1) * service / usable
    sojourn = Departures(lambda: _ahead(p_wait, rho, room), usable, 1 / service, wait_s + service)
    return SteadyState(
        arrival_rate=rate,
        service_time_s=service,
        workers=workers,
        p_wait=p_wait,
        p_block=full / every,
        backlog=(waiting + full) / every * geometric.mean(rho, room + 1),
        wait_s=wait_s,
        wait_survival=sojourn.wait_survival,
        sojourn=sojourn,
    )


def weights(blocked: float, rho: float, room: float) -> tuple[float, float, float]:
    """Weights of three groups of states: a worker is free; all busy and room left; full.

    Args:
        blocked: Erlang B of the same workers and load.
        rho: offered utilization.
        room: K − c, how many may wait (a real number in the two-moment formulas).
    """
    if rho <= 1:
        return 1 - blocked, blocked * geometric.total(rho, room), blocked * rho**room
    # the same over ρ^room, which would overflow
    return (1 - blocked) * rho**-room, blocked / rho * geometric.total(1 / rho, room), blocked


def _ahead(p_wait: float, rho: float, room: int) -> Floats:
    """How many departures an admitted job must see: none, or 1 … room with weights 1, ρ, ρ², …"""
    if p_wait == 0:
        return np.ones(1)
    if rho < 1:  # what comes after so many terms is below 10^-18 of the first
        room = min(room, math.ceil(42 / -math.log(rho)))
    exponents = np.arange(room) if rho <= 1 else np.arange(1 - room, 1)  # the largest weight is 1
    queue = np.exp(exponents * math.log(rho))
    return np.concatenate(([1 - p_wait], p_wait * queue / queue.sum()))

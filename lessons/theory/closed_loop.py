"""Closed loop: N clients who think, ask, wait for the answer and think again (the machine repairman).

A closed loop slows down with the system, so it never shows an overload: that is why a load test should not be one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lessons.theory import birth_death
from lessons.theory.bounds import LEAST, number, positive, whole
from lessons.theory.departures import Departures
from lessons.theory.sojourn import Floats
from lessons.theory.steady_state import SteadyState

MOST_CLIENTS = 100_000


class Bounds(NamedTuple):
    """What no closed loop can beat: throughput at most, sojourn at least, and the number of clients at the knee."""

    throughput: float
    sojourn_s: float
    knee: float


def steady_state(
    clients: int, think_time_s: float, service_time_s: float, workers: int, limit: int | None = None
) -> SteadyState:
    """Averages and sojourn; the client who arrives sees the others only.

    Exact for exponential service and any think time; with a limit for exponential think times, and a refused client
    thinks again before the next try. ``arrival_rate`` is what the clients then offer.

    Args:
        clients: N.
        think_time_s: Z, mean time from an answer to the next request, seconds.
        service_time_s: S, mean, seconds.
        workers: c.
        limit: K, waiting and running, or None.

    Raises:
        ScenarioError: a value is out of bounds, or nobody thinks although there is a limit below N.

    Source: machine repairman with c repairmen (Gross et al., "Fundamentals of Queueing Theory", finite-source queues);
    what an arrival sees: Sevcik and Mitrani, Journal of the ACM 28 (1981).
    """
    many = whole("clients", clients, high=MOST_CLIENTS)
    service, able = positive("service_time_s", service_time_s), whole("workers", workers)
    most = many if limit is None else min(many, whole("limit", limit))
    think = number("think_time_s", think_time_s, LEAST if most < many else 0.0)
    if think < LEAST:  # everybody is always inside, and whoever comes back sees all the others
        inside, offered, seen = _surely(many), min(many, able) / service, _surely(many - 1)
        refused = 0.0
    else:
        asking = (many - np.arange(most + 1.0)) / think
        inside = birth_death.stationary(asking[:-1] * service / np.minimum(np.arange(1, most + 1), able))
        flows = asking * inside
        offered, refused, seen = float(flows.sum()), float(flows[-1]), flows[:-1] / flows[:-1].sum()
    ahead = np.append(seen[:able].sum(), seen[able:])
    wait_s = float(ahead @ np.arange(len(ahead))) * service / able
    sojourn = Departures(lambda: ahead, able, 1 / service, wait_s + service)
    return SteadyState(
        arrival_rate=offered,
        service_time_s=service,
        workers=able,
        p_wait=min(float(ahead[1:].sum()), 1.0),
        p_block=refused / offered,
        backlog=float(inside[able:] @ np.arange(len(inside[able:]))),
        wait_s=wait_s,
        wait_survival=sojourn.wait_survival,
        sojourn=sojourn,
    )


def bounds(clients: int, think_time_s: float, service_time_s: float, workers: int) -> Bounds:
    """Asymptotic bounds, for any distributions: X ≤ min(N/(Z + S), c/S), W ≥ max(S, NS/c − Z), knee c(Z + S)/S.

    Raises:
        ScenarioError: a value is out of bounds.

    Source: Denning and Buzen, "The Operational Analysis of Queueing Network Models", Computing Surveys 10 (1978).
    """
    many, think = whole("clients", clients), number("think_time_s", think_time_s)
    service, able = positive("service_time_s", service_time_s), whole("workers", workers)
    cycle = think + service
    least_s = max(service, many * service / able - think)
    return Bounds(min(many / cycle, able / service), least_s, able * cycle / service)


def _surely(state: int) -> Floats:
    return np.append(np.zeros(state), 1.0)

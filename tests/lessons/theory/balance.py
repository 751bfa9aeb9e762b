"""Queues solved without any of the formulas: balance equations in fractions, phase-type distributions by expm."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import exp
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

Floats = NDArray[np.float64]


class Solved(NamedTuple):
    """What the probabilities of the states mean; rates per second, times in seconds."""

    p_wait: float
    p_block: float
    backlog: float
    in_service: float
    throughput: float
    wait_s: float
    seen: list[float]
    """How an admitted job finds the system: probability of each number inside."""


def chain(births: Sequence[Fraction], deaths: Sequence[Fraction]) -> list[Fraction]:
    """Exact probabilities of a birth-death chain: births[n] leads from n to n + 1, deaths[n] back."""
    weights = [Fraction(1)]
    for birth, death in zip(births, deaths, strict=True):
        weights.append(weights[-1] * birth / death)
    total = sum(weights)
    return [weight / total for weight in weights]


def solve(births: Sequence[Fraction], refused: Fraction, service: Fraction, workers: int) -> Solved:
    """A queue with a birth rate for each state but the last, where arrivals of rate ``refused`` are turned away."""
    deaths = [min(n, workers) / service for n in range(1, len(births) + 1)]
    p = chain(births, deaths)
    admitted = [birth * share for birth, share in zip(births, p[:-1], strict=True)]
    rate, turned_away = sum(admitted), refused * p[-1]
    backlog = sum((max(n - workers, 0) * share for n, share in enumerate(p)), Fraction(0))
    return Solved(
        p_wait=float(sum(admitted[workers:]) / rate),
        p_block=float(turned_away / (rate + turned_away)),
        backlog=float(backlog),
        in_service=float(sum(min(n, workers) * share for n, share in enumerate(p))),
        throughput=float(rate),
        wait_s=float(backlog / rate),
        seen=[float(flow / rate) for flow in admitted],
    )


def open_queue(arrival_rate: float, service_s: float, workers: int, limit: int) -> Solved:
    """M/M/c/K."""
    rate = Fraction(arrival_rate)
    return solve([rate] * limit, rate, Fraction(service_s), workers)


def global_balance(arrival_rate: float, service_s: float, workers: int, limit: int) -> Floats:
    """The same probabilities from the generator matrix, as a linear system that knows nothing of births and deaths."""
    generator = np.zeros((limit + 1, limit + 1))
    for n in range(limit):
        generator[n, n + 1] = arrival_rate
        generator[n + 1, n] = min(n + 1, workers) / service_s
    generator -= np.diag(generator.sum(axis=1))
    system = np.vstack([generator.T[:-1], np.ones(limit + 1)])
    return np.asarray(np.linalg.solve(system, np.append(np.zeros(limit), 1.0)))


def survival(seen: Sequence[float], service_s: float, workers: int, t_s: float) -> float:
    """P(sojourn > t) of a job that finds n inside with probability seen[n]: a phase-type distribution."""
    phases = max(len(seen) - workers, 0) + 1  # departures still to wait for, then its own service
    start, generator = np.zeros(phases), np.zeros((phases, phases))
    for n, share in enumerate(seen):
        start[phases - 1 - max(n - workers + 1, 0)] += share
    for phase in range(phases - 1):
        generator[phase, phase], generator[phase, phase + 1] = -workers / service_s, workers / service_s
    generator[-1, -1] = -1 / service_s
    return float(start @ expm(generator * t_s) @ np.ones(phases))


class Fixed(NamedTuple):
    """M/D/1/K, exactly: share refused, and mean wait in service times."""

    p_block: float
    wait: float


def md1k(rho: float, limit: int) -> Fixed:
    """From the chain that a departure leaves behind (Gross et al., "Fundamentals of Queueing Theory", M/G/1/K)."""
    arrivals = [exp(-rho)]
    for k in range(1, limit):
        arrivals.append(arrivals[-1] * rho / k)
    step = np.zeros((limit, limit))
    for left in range(limit):
        first = max(left - 1, 0)
        step[left, first : limit - 1] = arrivals[: limit - 1 - first]
        step[left, -1] = 1 - step[left, :-1].sum()
    system = np.vstack([(step.T - np.eye(limit))[:-1], np.ones(limit)])
    left_behind = np.linalg.solve(system, np.append(np.zeros(limit - 1), 1.0))
    cycle = left_behind[0] + rho
    p = np.append(left_behind, cycle - 1) / cycle
    return Fixed(float(p[-1]), float(p @ np.arange(limit + 1) / (rho * (1 - p[-1])) - 1))

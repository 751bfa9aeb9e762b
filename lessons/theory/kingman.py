"""G/G/1 and G/G/c: a good guess of the mean wait from means and variations alone.

``ca`` and ``cs`` are the coefficients of variation of the times between arrivals and of the service times: 1 is
exponential (random arrivals), 0 is a clock.
"""

from __future__ import annotations

import math

from lessons.theory import erlang
from lessons.theory.bounds import LEAST, number, positive, stable, whole


def wait_s(arrival_rate: float, service_time_s: float, ca: float, cs: float) -> float:
    """Kingman's mean wait (seconds) for one worker: ρ/(1 − ρ) · (ca² + cs²)/2 · S.

    Exact for random arrivals (ca = 1); otherwise best at high load.

    Raises:
        ScenarioError: a value is negative or no number.
        UnstableQueue: λS ≥ 1.

    Source: J. F. C. Kingman, "The single server queue in heavy traffic", 1961.
    """
    rate, service = number("arrival_rate", arrival_rate), positive("service_time_s", service_time_s)
    rho = stable(rate, service, 1)
    return rho / (1 - rho) * variability(ca, cs) * service


def allen_cunneen_wait_s(arrival_rate: float, service_time_s: float, workers: int, ca: float, cs: float) -> float:
    """The mean wait (seconds) for c workers: that of M/M/c times (ca² + cs²)/2.

    Exact for M/M/c and M/G/1, otherwise an approximation, best at high load.

    Raises:
        ScenarioError: a value is negative or no number, or there is no worker.
        UnstableQueue: λS ≥ c.

    Source: A. O. Allen, "Probability, Statistics, and Queueing Theory with Computer Science Applications" (the
    Allen-Cunneen formula, with Erlang's C for the probability of waiting).
    """
    rate, service = number("arrival_rate", arrival_rate), positive("service_time_s", service_time_s)
    rho = stable(rate, service, whole("workers", workers))
    return erlang.c(workers, rate * service) / (workers / service * (1 - rho)) * variability(ca, cs)


def variability(ca: float, cs: float) -> float:
    """(ca² + cs²)/2: 1 where both are exponential, 0 where nothing varies.

    Raises:
        ScenarioError: a value is negative or no number.
    """
    return (number("ca", ca) ** 2 + number("cs", cs) ** 2) / 2


def calm_arrivals(rho: float, ca: float, cs: float) -> float:
    """The factor by which arrivals calmer than random (ca < 1) shorten these waits further; 1 for ca ≥ 1.

    exp(−2(1 − ρ)(1 − ca²)²/(3ρ(ca² + cs²))): it matters at low load, where the formulas above are far too high.

    Raises:
        ScenarioError: a value is negative or no number.

    Source: W. Krämer and M. Langenbach-Belz, "Approximate formulae for the delay in the queueing system GI/G/1", 1976.
    """
    load, varied = number("rho", rho), 2 * variability(ca, cs)
    if ca >= 1 or load >= 1:
        return 1.0
    if load * varied < LEAST:  # hardly any load, or one clock against another: nobody waits
        return 0.0
    return math.exp(-2 * (1 - load) * (1 - ca * ca) ** 2 / (3 * load * varied))

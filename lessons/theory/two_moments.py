"""G/G/c/K, roughly: how a limit acts when service times are not exponential.

A queue whose times vary v = (ca² + cs²)/2 times as much as an exponential one fluctuates over distances v times as
long. So its room of K − c places is worth (K − c)/v places of M/M/c/K, and its backlog is v times that one's. This is
exact where it can be: for v = 1 it is M/M/c/K, for K = c Erlang's loss formula (which knows only means), for K → ∞
the Allen-Cunneen formula, and the overload's c/S per second.

Source: the scaling is that of the diffusion approximation (E. Gelenbe, "On approximate computer system models", Journal
of the ACM 22, 1975); this form is the workbook's own. Tests hold its errors against exact M/D/1/K and simulated queues.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lessons.theory import erlang, geometric, kingman, mmck
from lessons.theory.bounds import number, positive, stable, whole
from lessons.theory.sojourn import Floats
from lessons.theory.steady_state import SteadyState

CALMEST = 1e-6
"""The scaling divides by the variability; what varies less than this is as good as a clock."""


def steady_state(
    arrival_rate: float, service_time_s: float, workers: int, limit: int | None, *, ca: float = 1.0, cs: float
) -> SteadyState:
    """Approximate averages, and a guess of the wait's distribution: exponential, cut off by the limit.

    Args:
        arrival_rate: λ, offered, per second.
        service_time_s: S, seconds.
        workers: c.
        limit: K, waiting and running, or None.
        ca: coefficient of variation of the times between arrivals.
        cs: that of the service times.

    Raises:
        ScenarioError: a value is out of bounds.
        UnstableQueue: λS ≥ c and no limit.
    """
    rate, service = number("arrival_rate", arrival_rate), positive("service_time_s", service_time_s)
    usable = whole("workers", workers, high=mmck.MOST_WORKERS)
    room = 0
    if limit is not None:
        room = max(whole("limit", limit, high=mmck.MOST_JOBS) - usable, 0)
        usable = min(usable, limit)
    rho = rate * service / usable if limit is not None else stable(rate, service, usable)
    calm = kingman.calm_arrivals(rho, ca, cs)
    varied = max(kingman.variability(ca, cs) * calm, CALMEST)
    blocked = erlang.b(usable, rate * service)
    if limit is None:
        p_wait, p_block = blocked / (1 - rho * (1 - blocked)), 0.0
        backlog = p_wait * rho / (1 - rho) * varied
    else:
        not_all_busy, waiting, full = mmck.weights(blocked, rho, room / varied)
        every = not_all_busy + waiting + full
        p_wait, p_block = waiting / (not_all_busy + waiting), full / every
        backlog = (waiting + full) / every * varied * geometric.mean(rho, room / varied + 1)
    through = rate * (1 - p_block)
    end_s = np.inf if limit is None else room * service / usable
    return SteadyState(
        arrival_rate=rate,
        service_time_s=service,
        workers=workers,
        p_wait=p_wait * calm,
        p_block=p_block,
        backlog=backlog,
        wait_s=backlog / through if through else 0.0,
        wait_survival=_cut_off(p_wait * calm, usable * (1 - rho) / service / varied, end_s),
    )


def _cut_off(p_wait: float, rate: float, end_s: float) -> Callable[[Floats], Floats]:
    """P(wait > t) when the wait has a density like e^(−rate·t) on (0, end_s), with a rate of either sign."""
    if end_s == 0 or p_wait == 0:
        return np.zeros_like

    def survival(t: Floats) -> Floats:
        left = np.maximum(end_s - t, 0.0)
        if abs(rate) * end_s < 1e-9:
            return p_wait * left / end_s
        falling = np.exp(-max(rate, 0.0) * t)
        return np.asarray(p_wait * falling * np.expm1(-abs(rate) * left) / np.expm1(-abs(rate) * end_s))

    return survival

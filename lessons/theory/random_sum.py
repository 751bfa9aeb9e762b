"""How the waits of M/G/1 spread: a wait is the sum of a geometric number of residual services.

With c workers the waits of those who wait are taken to spread as in a system with one worker c times as fast; that has
the Allen-Cunneen mean and is exact for exponential work.

Source: Pollaczek-Khinchine transform, read as a random sum (V. E. Beneš, "On queues with Poisson arrivals", 1957);
several workers: H. C. Tijms, "A First Course in Stochastic Models", on M/G/c.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lessons.theory.sojourn import Floats
from lessons.theory.wait_and_service import Slices

POINTS = 1 << 15
MEANS = 40.0
"""The table ends at so many mean waits; what lies beyond is folded back (some thousandths for very wide services)."""


def wait_survival(p_wait: float, rho: float, workers: int, services: Slices) -> Callable[[Floats], Floats]:
    """P(wait > t) for arrays of times (seconds).

    Args:
        p_wait: probability of waiting.
        rho: utilization, below 1.
        workers: c.
        services: how long a job holds its worker.
    """
    shares, fast = services.shares, services.times_s / workers
    mean, square = float(shares @ fast), float(shares @ fast**2)
    step = MEANS * square / (2 * mean) / (1 - rho) / POINTS
    edges: Floats = np.asarray((np.arange(POINTS) + 0.5) * step, dtype=np.float64)
    residual = np.fft.rfft(np.diff(_residual_share(edges, shares, fast) / mean, prepend=0.0))
    waits = np.fft.irfft((1 - rho) * residual / (1 - rho * residual), POINTS)
    times, above = np.append(0.0, edges), np.append(1.0, np.clip(1 - np.cumsum(waits), 0.0, 1.0))
    return lambda t: np.asarray(p_wait * np.interp(t, times, above, right=0.0))


def _residual_share(t: Floats, shares: Floats, services: Floats) -> Floats:
    """The mean of min(service, t): over the mean service it is the share of residual services below t."""
    done = np.append(0.0, np.cumsum(shares * services))
    more = np.append(np.cumsum(shares[::-1])[::-1], 0.0)
    shorter = np.searchsorted(services, t)
    return np.asarray(done[shorter] + t * more[shorter])

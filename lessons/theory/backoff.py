"""How long the n-th wait of a backoff policy is: its bounds, mean and variance.

Where the waits of one client do not depend on each other there is a closed form. Those of decorrelated jitter do: each
is uniform between the base and three times the last, and everything above the cap lands on the cap. Its distribution is
carried from retry to retry on a fine grid.

Source: the policies are those of ``demo_workers.policies.backoff``; mean and variance of a uniform variable are
(a + b)/2 and (b − a)²/12.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo_workers.policies.backoff import BackoffState, ceiling
from demo_workers.scenario import Retry

Array = NDArray[np.float64]

CELLS = 20_000


class Spread(NamedTuple):
    """Where the waits before one retry lie: bounds and mean in seconds, variance in seconds squared."""

    min: float
    max: float
    mean: float
    variance: float


def waits(retry: Retry) -> list[Spread]:
    """One spread per retry, ``attempts`` − 1 of them; none for ``none`` and for ``custom``, whose cell decides.

    Exact, but for ``decorrelated`` after its first retry: there mean and standard deviation are right to one part in a
    million where the cap is at most a million times the base, else to one in 10,000.
    """
    retries = retry.attempts - 1
    if retry.policy in ("none", "custom"):
        return []
    if retry.policy == "decorrelated":
        return _decorrelated(retry.base_s, retry.cap_s, retries)
    found = []
    for n in range(retries):
        top_s = ceiling(BackoffState(n), retry.base_s, retry.cap_s)
        low_s, high_s = {
            "immediate": (0.0, 0.0),
            "fixed": (min(retry.base_s, retry.cap_s),) * 2,
            "exponential": (top_s, top_s),
            "full": (0.0, top_s),
            "equal": (top_s / 2, top_s),
        }[retry.policy]
        found.append(Spread(low_s, high_s, (low_s + high_s) / 2, (high_s - low_s) ** 2 / 12))
    return found


def _decorrelated(base_s: float, cap_s: float, retries: int) -> list[Spread]:
    if cap_s <= base_s:
        return [Spread(cap_s, cap_s, cap_s, 0.0)] * retries
    if retries == 0:
        return []
    top_s = min(cap_s, base_s * 3.0**retries)
    edges = np.geomspace(base_s, top_s, CELLS + 1)
    # the last place is the atom at the cap
    places = np.append((edges[1:] + edges[:-1]) / 2, top_s)
    mean, square = _moments(places - base_s, base_s, cap_s)
    # the first wait follows upon the base itself
    ((first,), (first_square,)) = _moments(np.zeros(1), base_s, cap_s)
    moments, masses = (first, first_square), _masses(np.minimum(1.0, (edges - base_s) / (2 * base_s)))
    found = []
    for n in range(retries):
        if n > 0:
            moments, masses = (masses @ mean, masses @ square), _carried(masses, places, edges)
        most_s = min(cap_s, base_s * 3.0 ** (n + 1))
        found.append(Spread(base_s, most_s, base_s + float(moments[0]), float(moments[1] - moments[0] ** 2)))
    return found


def _masses(below: Array) -> Array:
    """The chance of each cell and of the cap, given the chance to lie below each edge."""
    return np.append(np.diff(below), 1 - below[-1])


def _carried(masses: Array, places: Array, edges: Array) -> Array:
    """The next wait's masses: from each place evenly over the base to three times the place."""
    base_s = edges[0]
    density = masses / (3 * places - base_s)
    reached = np.searchsorted(3 * places, edges, side="right")  # places from which all lies below this edge
    whole = np.append(0.0, np.cumsum(masses))[reached]
    part = np.append(np.cumsum(density[::-1])[::-1], 0.0)[reached]
    return _masses(whole + (edges - base_s) * part)


def _moments(above_s: Array, base_s: float, cap_s: float) -> tuple[Array, Array]:
    """Mean and mean square of the next wait's excess over the base, after a wait that exceeded it by ``above_s``."""
    width, room = 3 * above_s + 2 * base_s, cap_s - base_s
    inside = np.minimum(width, room)
    capped = np.maximum(0.0, width - room) / width
    return inside**2 / 2 / width + room * capped, inside**3 / 3 / width + room**2 * capped


__all__ = ["Spread", "waits"]

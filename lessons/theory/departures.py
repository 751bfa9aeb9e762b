"""The sojourn of a job that must first see others leave: first come, first served, exponential service.

While a job waits, all c workers are busy and others leave at the rate cμ. In its own service, each tick of that same
clock is its completion with probability 1/c. So the sojourn is over at the N-th tick of one Poisson clock, where N is
the number of departures to wait for plus a geometric number; only sums of positive terms are needed, for any c and ρ.

Source: uniformization (A. Jensen, "Markoff chains as an aid in the study of Markoff processes", 1953).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np

from lessons.theory import birth_death
from lessons.theory.sojourn import Floats, Sojourn

NEGLIGIBLE = 1e-18
POINTS = 200


class Departures(Sojourn):
    """Sojourn and wait of admitted jobs.

    Args:
        ahead: gives the probability of each number of departures that an admitted job must see before its own service,
            shape (most + 1,); asked once, when a time is first asked for.
        workers: c.
        service_rate: μ of one worker, per second.
        mean_s: mean sojourn (seconds).
    """

    def __init__(self, ahead: Callable[[], Floats], workers: int, service_rate: float, mean_s: float) -> None:
        self._seen, self._workers, self._rate = ahead, workers, workers * service_rate
        self.scale_s = mean_s

    @cached_property
    def _above(self) -> tuple[int, Floats, Floats]:
        """The fewest departures anybody must see; P(more than that + i departures), P(more than that + i ticks)."""
        ahead = self._seen()
        kept = np.flatnonzero(ahead > NEGLIGIBLE)
        waits = ahead[kept[0] : kept[-1] + 1]
        return int(kept[0]), _above(waits), _above(_served(waits, self._workers))

    def survival(self, t_s: float) -> float:
        """P(sojourn > t): fewer than N ticks until t."""
        fewest, _, ticks = self._above
        return 1.0 if t_s <= 0 else self._not_yet(fewest, ticks, t_s)

    def wait_survival(self, t_s: Floats) -> Floats:
        """P(wait > t) for an array of times, interpolated between ``POINTS`` exact ones."""
        return np.asarray(np.interp(t_s, *self._wait_table))

    @cached_property
    def _wait_table(self) -> tuple[Floats, Floats]:
        fewest, waits, _ = self._above
        # the last departure that anybody waits for has come by the end; the waits of most are dense near the beginning
        last = fewest + len(waits)
        times = np.linspace(0.0, 1.0, POINTS) ** 2 * (last + 7 * math.sqrt(last) + 20) / self._rate
        return times, np.array([self._not_yet(fewest, waits, t) for t in times])

    def _not_yet(self, fewest: int, above: Floats, t_s: float) -> float:
        first, clock = _poisson(self._rate * t_s)
        skip = max(first - fewest, 0)
        sure = max(fewest - first, 0)  # so few ticks are not enough for anybody
        reach = above[skip : skip + max(len(clock) - sure, 0)]
        return float(clock[:sure].sum() + clock[sure : sure + len(reach)] @ reach)


def _served(waits: Floats, workers: int) -> Floats:
    """Probabilities of waits plus 1, 2, … ticks, each the last one with probability 1/c."""
    again = 1 - 1 / workers
    longest = math.ceil(math.log(NEGLIGIBLE) / math.log(again)) if again else 0
    ticks = np.zeros(len(waits) + 1 + longest)
    ticks[1 : len(waits) + 1] = waits / workers
    step = 1
    while again**step > NEGLIGIBLE:  # after k rounds each entry holds the sum over 2ᵏ of them, with weights again^j
        ticks[step:] += again**step * ticks[:-step]
        step *= 2
    return ticks


def _above(probabilities: Floats) -> Floats:
    """P(N > i), added from the far end, where the small terms are."""
    total = np.cumsum(probabilities[::-1])[::-1]
    return np.asarray(np.append(total[1:], 0.0) / total[0])


def _poisson(mean: float) -> tuple[int, Floats]:
    """The Poisson probabilities that matter, and the first number they are for."""
    reach = 9.2 * math.sqrt(mean)
    first = max(0, math.floor(mean - reach))
    return first, birth_death.stationary(mean / np.arange(first + 1, math.ceil(mean + reach) + 30))

"""What a formula may be asked: each check returns the value or says name, value, bound and remedy."""

from __future__ import annotations

import math
from numbers import Integral, Real

from demo_workers.errors import ScenarioError, UnstableQueue

LEAST, MOST = 1e-12, 1e12
"""No time or rate above 0 is meant to be smaller, nothing larger; what is, is a slip of units."""
HIGHEST_QUANTILE = 1 - 1e-9


def number(name: str, value: float, low: float = 0.0, high: float = MOST, *, above: bool = False) -> float:
    """A number in [low, high], or (low, high] when ``above``.

    Raises:
        ScenarioError: it is none.
    """
    fits = _is_a(value, Real) and math.isfinite(value) and (low < value if above else low <= value) and value <= high
    if not fits:
        bound = f"a number {'above' if above else 'at least'} {low:.9g} and at most {high:.9g}"
        raise ScenarioError(name, value, bound, "Check the value and its unit (seconds, per second).")
    return float(value)


def _is_a(value: object, kind: type) -> bool:
    """NumPy's numbers are numbers too; True is none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def positive(name: str, value: float) -> float:
    """A number above 0, at least ``LEAST``.

    Raises:
        ScenarioError: it is none.
    """
    return number(name, value, LEAST)


def share(name: str, value: float) -> float:
    """A probability or a share, in [0, 1].

    Raises:
        ScenarioError: it is none.
    """
    return number(name, value, 0.0, 1.0)


def whole(name: str, value: int, low: int = 1, high: int = 10_000_000) -> int:
    """A whole number in [low, high].

    Raises:
        ScenarioError: it is none.
    """
    if not _is_a(value, Integral) or not low <= value <= high:
        remedy = "Count things in whole numbers."
        raise ScenarioError(name, value, f"a whole number at least {low} and at most {high}", remedy)
    return int(value)


def stable(arrival_rate: float, service_time_s: float, workers: int) -> float:
    """The offered utilization ρ = λS/c, when it is below 1.

    Raises:
        UnstableQueue: it is not, so no steady state exists.
    """
    rho = arrival_rate * service_time_s / workers
    if rho >= 1:
        most = workers / service_time_s
        faster = arrival_rate - most
        growth = f"The backlog grows by {faster:.4g} jobs per second, for ever" if faster > 0 else "The backlog grows"
        enough = math.floor(arrival_rate * service_time_s) + 1
        raise UnstableQueue(
            f"arrival_rate = {arrival_rate:g} per second, but {workers} "
            f"{'worker' if workers == 1 else 'workers'} at {service_time_s:g} s per job can do at most "
            f"{most:g} per second: must be below that (offered utilization {rho:.4g}, below 1). {growth}, and so does "
            f"the wait. Use fewer arrivals, at least {enough} workers, or a limit."
        )
    return rho

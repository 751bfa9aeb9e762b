"""The tail at scale: a request that needs many answers is as slow as the slowest of them.

Source: J. Dean and L. A. Barroso, "The Tail at Scale", Communications of the ACM 56 (2013).
"""

from __future__ import annotations

import math

from lessons.theory.bounds import share, whole


def any_slow(p_slow: float, fan_out: int) -> float:
    """1 − (1 − p)ⁿ: the share of requests with a slow part, when n parts are slow with probability p each.

    Raises:
        ScenarioError: p is no probability or n no number of parts.
    """
    p, n = share("p_slow", p_slow), whole("fan_out", fan_out)
    return 1.0 if p == 1 else -math.expm1(n * math.log1p(-p))


def quantile_needed(q: float, fan_out: int) -> float:
    """q^(1/n): the quantile of one part that is the q-quantile of the slowest of n independent ones.

    Raises:
        ScenarioError: q is no probability or n no number of parts.
    """
    return float(share("q", q) ** (1 / whole("fan_out", fan_out)))

"""How many workers: enough for the work, and a reserve that grows only with its square root.

Source: S. Halfin and W. Whitt, "Heavy-Traffic Limits for Queues with Many Exponential Servers", Operations Research 29
(1981).
"""

from __future__ import annotations

import math
from statistics import NormalDist

from lessons.theory import erlang
from lessons.theory.bounds import number, positive, share, whole

MOST_LOAD = 1_000_000.0
_normal = NormalDist()


def square_root_workers(offered_load: float, beta: float) -> int:
    """c = ⌈a + β√a⌉ workers for an offered load a.

    Raises:
        ScenarioError: a load of 0 or less, or β not above 0.
    """
    a = number("offered_load", offered_load, 0.0, MOST_LOAD, above=True)
    # a hair below, so that 100 + 1·√100 is 110 and not 111 for a rounding error
    return math.ceil((a + positive("beta", beta) * math.sqrt(a)) * (1 - 1e-12))


def halfin_whitt_p_wait(beta: float) -> float:
    """P(wait) in the limit of many workers, 1/(1 + βΦ(β)/φ(β)): it depends on the reserve β alone.

    For β = 1 it is 0.223; with a = 100 the exact Erlang C is 0.237.

    Raises:
        ScenarioError: β is not above 0.
    """
    b = number("beta", beta, 0.0, 30.0, above=True)
    return 1 / (1 + b * _normal.cdf(b) / _normal.pdf(b))


def workers_for(offered_load: float, p_wait: float) -> int:
    """The fewest workers with which at most a share ``p_wait`` has to wait (Erlang C, exact).

    Raises:
        ScenarioError: a load of 0 or less, or a share that is not in (0, 1].
    """
    a = number("offered_load", offered_load, 0.0, MOST_LOAD, above=True)
    wanted = share("p_wait", positive("p_wait", p_wait))
    fewest = math.floor(a) + 1
    blocked = erlang.b(fewest, a)
    while blocked / (1 - a / fewest * (1 - blocked)) > wanted:
        fewest += 1
        blocked = a * blocked / (fewest + a * blocked)
    return fewest


def utilization(offered_load: float, workers: int) -> float:
    """ρ = a/c: what large systems can afford and small ones cannot.

    Raises:
        ScenarioError: a value is out of bounds.
    """
    return number("offered_load", offered_load) / whole("workers", workers)

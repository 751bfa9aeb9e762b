"""How retries multiply load: attempts per request, and attempts per attempt through layers.

Source: SRE book (Beyer et al., "Site Reliability Engineering", 2016), chapter 22: three retries in each of three layers
are 4³ = 64 attempts.
"""

from __future__ import annotations

from lessons.theory.bounds import share, whole

MOST_ATTEMPTS = 1000


def attempts_per_request(p_fail: float, attempts: int) -> float:
    """(1 − pⁿ)/(1 − p) = 1 + p + … + pⁿ⁻¹: mean attempts when each fails independently with probability p.

    Failures by overload are not independent: then this is a lower bound of the trouble.

    Args:
        p_fail: p, of one attempt.
        attempts: n, the most attempts per request, the first one included.

    Raises:
        ScenarioError: p is no probability or n no number of attempts.
    """
    p = share("p_fail", p_fail)
    mean = 0.0
    for _ in range(whole("attempts", attempts, high=MOST_ATTEMPTS)):
        mean = 1 + p * mean
    return mean


def success(p_fail: float, attempts: int) -> float:
    """1 − pⁿ: the share of requests that succeed in the end, when failures are independent.

    Raises:
        ScenarioError: p is no probability or n no number of attempts.
    """
    return 1 - share("p_fail", p_fail) ** whole("attempts", attempts, high=MOST_ATTEMPTS)


def through_layers(attempts: int, layers: int) -> int:
    """attempts^layers: how often the bottom is asked for one request when every layer retries and all fails.

    Raises:
        ScenarioError: a value is out of bounds.
    """
    bottom: int = whole("attempts", attempts, high=MOST_ATTEMPTS) ** whole("layers", layers, high=100)
    return bottom


def with_budget(p_fail: float, attempts: int, budget: float) -> float:
    """Mean attempts per request when retries may be at most a share ``budget`` of requests: never above 1 + budget.

    Raises:
        ScenarioError: a value is out of bounds.

    Source: SRE book, chapter 21: clients keep retries below 10 % of their requests, which bounds the growth by 1.1.
    """
    return min(attempts_per_request(p_fail, attempts), 1 + share("budget", budget))


def collapse_load(attempts: int) -> float:
    """1/n: above this utilization, n attempts per request can keep a system overloaded by themselves.

    A rule of thumb: attempts × load above what the workers can do, and a queue longer than the clients' patience.

    Raises:
        ScenarioError: fewer than one attempt.

    Source: N. Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021.
    """
    return 1 / whole("attempts", attempts, high=MOST_ATTEMPTS)

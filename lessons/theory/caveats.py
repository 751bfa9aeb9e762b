"""What the formulas leave out of a scenario, in words: no prediction is silently wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator

from demo_workers.scenario import MAX_SERVICE_S, Scenario
from demo_workers.tape import service_time

LONG_ENOUGH = 10
"""A run of fewer relaxation times still remembers that it began empty."""

ADMISSION = {
    "naive": "Reading the length and then pushing races: the real queue grows beyond the limit now and then.",
    "adaptive": "The adaptive limit moves; the formula takes the scenario's limit as it is.",
    "custom": "The admission rule written in a cell is not in the formula.",
    "lifo": "Newest first has the same means; how the waits spread is not in the formula.",
    "drop_oldest": "A full queue drops its oldest job instead of the new one: as many are lost, but waits differ.",
    "priority": "Urgent jobs go first: the means over all jobs hold; how the waits spread is not in the formula.",
    "drop_expired": "Workers skip jobs whose client has gone: under overload more is done in time than without.",
    "codel": "CoDel drops jobs from a standing queue: under overload waits are shorter than the formula's.",
}


def of(scenario: Scenario, p_block: float) -> Iterator[str]:
    """One sentence on each thing that this scenario has and the formulas have not.

    Args:
        scenario: what was asked about.
        p_block: predicted share refused.
    """
    service, policy = scenario.service, scenario.admission.policy
    yield from (ADMISSION[part] for part in policy.split("+") if part in ADMISSION and _acts(scenario, part))
    if scenario.admission.client_rate is not None:
        yield "The bound on each client's rate (429) is not in the formula."
    if tries_again(scenario, p_block):
        yield (
            "Retries are not in the formula, which counts first attempts only: failed ones come again, so the real "
            "system is offered more. Goodput and amplification need the simulated twin."
        )
    if scenario.load.kind == "closed" and patience_s(scenario) is not None:
        yield "A client whose patience ends thinks again while its job is still inside; the formula lets it wait."
    if service.distribution != "deterministic" and service_time(service, 0.999) >= MAX_SERVICE_S:
        yield f"No job is longer than {MAX_SERVICE_S:g} s, so real ones are shorter on average than the formula's."


def in_order(scenario: Scenario) -> bool:
    """Whether all jobs are served, first come, first served, as the formulas for single waits assume."""
    return not any(_acts(scenario, part) for part in ("lifo", "drop_oldest", "priority", "drop_expired", "codel"))


def patience_s(scenario: Scenario) -> float | None:
    """The shorter of a client's two bounds (seconds), if there is one."""
    bounds = [bound for bound in (scenario.retry.timeout_s, scenario.retry.deadline_s) if bound is not None]
    return min(bounds, default=None)


def tries_again(scenario: Scenario, p_block: float) -> bool:
    """Whether an attempt can fail and be followed by another one."""
    can_fail = p_block > 0 or patience_s(scenario) is not None
    return can_fail and scenario.retry.policy != "none" and scenario.retry.attempts > 1


def settling_s(scenario: Scenario, rho: float) -> float:
    """How long a run should be (seconds) before its averages are those of the long run.

    Ten relaxation times S/(c(1 − √ρ)²); with K places at most the time in which a random walk crosses them; in a closed
    loop, which steers itself, think times.

    Args:
        scenario: what would be run.
        rho: offered utilization, RQ's own cost included.

    Source: relaxation time of M/M/1 (J. W. Cohen, "The Single Server Queue"), for a server c times as fast.
    """
    if scenario.load.kind == "closed":
        return LONG_ENOUGH * scenario.load.think_time_s
    places = scenario.admission.limit
    turn_s = scenario.service.service_time_s / scenario.service.workers
    apart = abs(1 - math.sqrt(rho))
    turns = 1 / apart**2 if apart > 1e-12 else math.inf
    return LONG_ENOUGH * turn_s * (turns if places is None else min(turns, places**2))


def _acts(scenario: Scenario, part: str) -> bool:
    """Whether a policy is chosen and can make a difference here."""
    if part not in scenario.admission.policy.split("+"):
        return False
    if part == "priority":
        return 0 < scenario.load.urgent_share < 1
    return part != "drop_expired" or patience_s(scenario) is not None

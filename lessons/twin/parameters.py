"""A scenario as one record of numbers, so that compiled code can read it."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from demo_workers.scenario import HOOKS, BackoffPolicy, Scenario

INF = float("inf")

REJECT, NAIVE, ADAPTIVE, CUSTOM_ADMIT = range(4)
FIFO, LIFO, DROP_OLDEST, PRIORITY = range(4)
TAKE_ALL, DROP_EXPIRED, CODEL = range(3)
NO_RETRY, IMMEDIATE, FIXED, EXPONENTIAL, FULL, EQUAL, DECORRELATED, CUSTOM_RETRY = range(8)
assert HOOKS["admit"] == ("reject", "naive", "adaptive", "custom")
assert HOOKS["place"] == ("fifo", "lifo", "drop_oldest", "priority")
assert HOOKS["take"] == ("all", "drop_expired", "codel")
assert get_args(BackoffPolicy)[FULL] == "full"

NAIVE_GAP_S = 0.0005
"""Between reading the length and pushing the job: about one round trip to Redis."""

_REALS = (
    "limit client_rate client_burst codel_target_s codel_interval_s gradient_tolerance base_s cap_s"
    " timeout_s deadline_s budget_ratio budget_floor_per_s breaker_open_s throttle_k throttle_window_s"
    " bucket_tokens bucket_ratio think_time_s urgent_share service_scale naive_gap_s"
)
_WHOLES = "workers admit place take backoff attempts honour at_once propagate keyed breaker_failures clients"
PARAMETERS = np.dtype([*((name, "f8") for name in _REALS.split()), *((name, "i8") for name in _WHOLES.split())])
"""The numbers of a scenario. No limit, patience or deadline is infinity; another guard that is left out is −1.
``clients`` is 0 for an open loop. ``service_scale`` is the mean service time over the run's first one, by which the
closed loop's tape is stretched."""


def parameters(scenario: Scenario, first: Scenario) -> dict[str, float]:
    """The numbers of a scenario by their names in ``PARAMETERS``; ``first`` is the one that the run began with."""
    admission, retry, load = scenario.admission, scenario.retry, scenario.load
    found: dict[str, Any] = {
        name: getattr(section, name)
        for section in (admission, retry, load)
        for name in PARAMETERS.names or ()
        if hasattr(section, name)
    }
    found = {name: -1 if value is None else value for name, value in found.items()}
    for name, value in (("limit", admission.limit), ("timeout_s", retry.timeout_s), ("deadline_s", retry.deadline_s)):
        found[name] = INF if value is None else float(value)
    found |= {hook: names.index(admission.hook(hook)) for hook, names in HOOKS.items()}
    return found | {
        "naive_gap_s": NAIVE_GAP_S,
        "service_scale": scenario.service.service_time_s / first.service.service_time_s,
        "workers": scenario.service.workers,
        "clients": load.clients if load.kind == "closed" else 0,
        "backoff": get_args(BackoffPolicy).index(retry.policy),
        "honour": int(retry.honour_retry_after),
        "at_once": int(retry.after_timeout == "at_once"),
        "propagate": int(retry.propagate_deadline),
        "keyed": int(retry.idempotency_key),
    }

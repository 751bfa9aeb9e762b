"""The admission policies that are compared, the load that they meet, and what they make of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from demo_workers.policies.custom import Admit, Door
from demo_workers.records.measures import requests_in_time
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack.calibration import Calibration

WORKERS = 3
SERVICE_S = 0.08
"""How long a job holds its worker on average (seconds), RQ's own cost included. At five times the capacity that is less
than two hundred requests per second: faster, and it is the cores that would be measured."""
PATIENCE_S = 1.0
CAPACITY = WORKERS / SERVICE_S
"""Jobs per second that the workers can do."""
LENGTH_S = 5.0
CALIBRATED_S = 0.06
"""Of a job whose cost is measured: as long as here, or nearly, so that RQ's processes wait for each other as often."""
CLIENTS = 4

LIMIT = round(0.5 * CAPACITY * PATIENCE_S)
"""Whoever is let in behind so many waits for half of the patience."""
WIDE = round(1.6 * CAPACITY * PATIENCE_S)
"""Whoever is let in behind so many waits for longer than the patience."""
BURST = 5.0
"""Requests that each client may send at once; together a little more than ``LIMIT``."""
CODEL_TARGET_S, CODEL_INTERVAL_S = 0.25 * PATIENCE_S, 0.3 * PATIENCE_S


def in_time(door: Door) -> bool:
    """A reader's own policy: let in whoever may expect to be served in time, with some reserve."""
    return (door.expected_wait_s or 0.0) < 0.7 * PATIENCE_S


@dataclass(frozen=True, kw_only=True)
class Policy:
    """An admission policy as it is played.

    Attributes:
        name: of the row.
        admission: its settings.
        bounded: whether it bounds what is let in. ``drop_expired`` and CoDel without a limit do not: they only throw
            away at the workers, the first one what nobody waits for any more.
        admit: the function where it is a reader's own.
    """

    name: str
    admission: Admission = field(default_factory=Admission)
    bounded: bool = True
    admit: Admit | None = None


UNLIMITED = Policy(name="no limit", bounded=False)


def _limited(policy: str, limit: int = LIMIT) -> Policy:
    codel = {"codel_target_s": CODEL_TARGET_S, "codel_interval_s": CODEL_INTERVAL_S}
    return Policy(name=f"{policy}, limit {limit}", admission=Admission(policy=policy, limit=limit, **codel))


POLICIES = (
    UNLIMITED,
    Policy(name="drop_expired", admission=Admission(policy="drop_expired"), bounded=False),
    _limited("reject"),
    _limited("naive"),
    _limited("lifo"),
    _limited("drop_oldest"),
    _limited("priority"),
    _limited("codel"),
    _limited("drop_expired", WIDE),
    Policy(name="lifo+drop_expired", admission=Admission(policy="lifo+drop_expired")),
    Policy(name="adaptive", admission=Admission(policy="adaptive")),
    Policy(
        name="429 by token bucket",
        admission=Admission(client_rate=CAPACITY / CLIENTS, client_burst=BURST),
    ),
    Policy(name="custom, expected wait", admission=Admission(policy="custom"), admit=in_time),
)


def overloaded(policy: Policy, factor: float, cost: Calibration, seed: int, length_s: float = LENGTH_S) -> Scenario:
    """A policy under so many times the capacity; whoever is not served within the patience does not come again.

    Args:
        policy: which one.
        factor: arrivals as a multiple of what the workers can do.
        cost: RQ's cost per job here; the work is so much shorter.
        seed: of the tape, which is the same for every policy.
        length_s: of the load, seconds.
    """
    return Scenario(
        load=Load(arrival_rate=factor * CAPACITY, duration_s=length_s, clients=CLIENTS, urgent_share=0.2),
        service=Service(service_time_s=SERVICE_S - cost.stretch_s - cost.overhead_s, workers=WORKERS),
        admission=policy.admission,
        retry=Retry(policy="none", timeout_s=PATIENCE_S),
        seed=seed,
        drain_s=PATIENCE_S + 0.1,  # nobody waits for longer than that
    )


def feasible(run: Run) -> float:
    """How many requests could be answered in time at best: all that came, or all that the workers can do from the first
    one until the last one's patience is over.
    """
    return min(float(len(run.requests)), CAPACITY * (run.length_s + PATIENCE_S))


def share_served(run: Run) -> float:
    """Requests answered in time, as a share of the feasible; luck with the work can make it a little more than 1."""
    return requests_in_time(run) / feasible(run)


__all__ = [
    "CALIBRATED_S",
    "CAPACITY",
    "LENGTH_S",
    "POLICIES",
    "UNLIMITED",
    "WORKERS",
    "Policy",
    "feasible",
    "overloaded",
    "share_served",
]

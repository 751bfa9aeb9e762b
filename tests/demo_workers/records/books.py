"""A small, consistent run written by hand, for tests that then spoil one thing in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from demo_workers.records.events import EVENT, ClientOutcome, Kind, Outcome, Result
from demo_workers.records.run import Run
from demo_workers.records.witnesses import Witnesses
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service

SERVED, REFUSED = 6, 2


def scenario() -> Scenario:
    """Eight requests in four seconds, limit 2."""
    return Scenario(
        load=Load(arrival_rate=2, duration_s=4),
        service=Service(service_time_s=0.2, workers=1),
        admission=Admission(limit=2),
        retry=Retry(timeout_s=1),
        warmup_s=0,
    )


def event(kind: Kind, request: int, t: float, **columns: Any) -> tuple[Any, ...]:
    """One row in the order of ``EVENT``."""
    row = {"code": 0, "status": 0, "attempt": 1, "actor": -1, "depth": -1, "limit": -1, "value": np.nan} | columns
    return (
        kind,
        row["code"],
        row["status"],
        row["attempt"],
        0,
        row["actor"],
        request,
        row["depth"],
        row["limit"],
        t,
        row["value"],
    )


def rows() -> list[tuple[Any, ...]]:
    """Requests 0-5 are served in 0.3 s each after 0.1 s of waiting; 6 and 7 are refused."""
    found = []
    for i in range(SERVED):
        t = 0.5 * i
        found += [
            event(Kind.SENT, i, t, actor=i, value=t),
            event(Kind.DECIDED, i, t, code=Outcome.ADMITTED, status=202, depth=1 + i % 2, limit=2),
            event(Kind.STARTED, i, t + 0.1, actor=0),
            event(Kind.ENDED, i, t + 0.4, actor=0, code=Result.OK),
            event(Kind.ANSWERED, i, t + 0.4, status=200, code=ClientOutcome.SUCCEEDED),
        ]
    for i in range(SERVED, SERVED + REFUSED):
        t = 0.5 * i
        found += [
            event(Kind.SENT, i, t, actor=i, value=t),
            event(Kind.DECIDED, i, t, code=Outcome.SHED, status=503, depth=2, limit=2),
            event(Kind.ANSWERED, i, t + 0.01, status=503, code=ClientOutcome.REFUSED),
        ]
    return found


def witnesses(**changes: Any) -> Witnesses:
    """What others counted in that run."""
    true: dict[str, Any] = {
        "script": {"admitted": SERVED, "full": REFUSED, "duplicate": 0, "dropped": 0},
        "rq_finished": [(i, 1) for i in range(SERVED)],
        "rq_failed": [],
        "rq_canceled": [],
        "clients": {"attempts": SERVED + REFUSED, "refused": REFUSED},
        "gateway": {"admitted": SERVED, "shed": REFUSED, "unasked": 0},
        "samples": [(0.1, 0, 1), (0.2, 1, 2), (4.0, 0, 0)],
    }
    return Witnesses(**(true | changes))


def run(events: list[tuple[Any, ...]] | None = None, **changes: Any) -> Run:
    """The run, from the rows above unless others are given."""
    given: dict[str, Any] = {"scenario": scenario(), "source": "live", "steering": [], "witnesses": witnesses()}
    return Run(events=np.array(rows() if events is None else events, EVENT), **(given | changes))

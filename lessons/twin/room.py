"""Room for a run: a fresh ``Sim`` of a given size, over objects or over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demo_workers.policies.adaptive_throttling import Throttle
from demo_workers.policies.admission.adaptive import Adaptive
from demo_workers.policies.circuit_breaker import Breaker
from demo_workers.policies.retry_budget import RetryBudget
from demo_workers.policies.token_bucket import TokenBucket
from lessons.twin.overheads import Overheads
from lessons.twin.parameters import PARAMETERS
from lessons.twin.state import (
    ATTEMPT,
    COST,
    EVENT,
    EXECUTION,
    INF,
    NONE,
    REGISTERS,
    REQUEST,
    WORKER,
    Sim,
    make_rows,
)
from lessons.twin.tapes import Tapes

HIRES = 512
"""Workers ever hired that there is room for; hiring more is an overflow, which doubles all room."""


def sim(
    seed: int,
    tapes: Tapes,
    clients: int,
    params: Sequence[dict[str, float]],
    overheads: Overheads,
    rows: int,
    *,
    compiled: bool,
) -> Sim:
    """A fresh twin.

    Args:
        seed: the scenario's.
        tapes: the requests.
        clients: how many there are.
        params: the scenario's numbers, and those after each turned knob.
        overheads: what jobs cost beside their service time.
        rows: attempts that there is room for.
        compiled: arrays for the compiled engine, else objects.
    """
    n = len(tapes.due_s)
    hires = max(HIRES, rows // 64)
    numbers = make_rows(PARAMETERS, len(params), compiled)
    for record, values in zip(numbers, params, strict=True):
        _set(record, values)
    s = Sim(
        seed=seed,
        attempts=make_rows(ATTEMPT, rows, compiled),
        requests=_requests(tapes, n, compiled),
        executions=make_rows(EXECUTION, rows + 1, compiled),
        workers=make_rows(WORKER, hires, compiled),
        calendar=make_rows(EVENT, rows + n + 2 * hires, compiled),
        now=make_rows(REGISTERS, 1, compiled),
        params=numbers,
        idle=_column(np.full(2 * hires, NONE), compiled),
        done_s=_column(np.zeros(rows + hires), compiled),
        full_at_s=_column(np.full(clients, -INF), compiled),
        thinks=_column(tapes.thinks, compiled),
        costs=_costs(overheads, compiled),
        pickups_s=_column(np.array(overheads.pickups_s or [overheads.pickup_s], float), compiled),
        cost_seed=(seed + overheads.seed) % 2**63,
    )
    _set(s.now[0], _first_registers())
    return s


def _first_registers() -> dict[str, float]:
    registers: dict[str, float] = dict.fromkeys(REGISTERS.names or (), 0)
    budget, breaker, throttle, adaptive = RetryBudget(), Breaker(), Throttle(), Adaptive()
    return registers | {
        "since_s": float("nan"),
        "head": NONE,
        "tail": NONE,
        "last_urgent": NONE,
        "budget_tokens": budget.tokens,
        "budget_requests": budget.requests,
        "budget_at_s": budget.at_s,
        "breaker_position": breaker.position,
        "breaker_failures": breaker.failures,
        "breaker_since_s": breaker.since_s,
        "throttle_requests": throttle.requests,
        "throttle_accepts": throttle.accepts,
        "throttle_at_s": throttle.at_s,
        "bucket_missing": TokenBucket().missing,
        "adaptive_limit": adaptive.limit,
        "recent_s": adaptive.recent_s,
        "quiet_s": adaptive.quiet_s,
        "jobs": adaptive.jobs,
    }


def _requests(tapes: Tapes, n: int, compiled: bool) -> Any:
    rows = make_rows(REQUEST, n, compiled)
    columns = {name: getattr(tapes, name) for name in ("due_s", "service_s", "client", "urgent")}
    columns["job"] = np.full(n, NONE)
    for name, values in columns.items():
        if compiled:
            rows[name] = values
        else:
            for row, value in zip(rows, values.tolist(), strict=True):
                setattr(row, name, value)
    return rows


def _costs(overheads: Overheads, compiled: bool) -> Any:
    costs = overheads.rows()
    rows = make_rows(COST, len(costs), compiled)
    for row, cost in zip(rows, costs, strict=True):
        _set(row, dict(zip(COST.names or (), cost, strict=True)))
    return rows


def _set(record: Any, values: dict[str, float]) -> None:
    for name, value in values.items():
        if isinstance(record, np.void):
            record[name] = value
        else:
            setattr(record, name, value)


def _column(values: Any, compiled: bool) -> Any:
    return values if compiled else values.tolist()

"""What must be true of a run's own record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from demo_workers.records.events import ClientOutcome, Outcome
from demo_workers.records.line import Line
from demo_workers.records.tables import Table, key

if TYPE_CHECKING:
    from demo_workers.records.run import Run


def lines(run: Run, n: Mapping[str, int]) -> list[Line]:
    """The statements about a run, given its counts."""
    return [*_sums(run, n), _limit(run), _order(run), _answers(run)]


def _sums(run: Run, n: Mapping[str, int]) -> list[Line]:
    decided = sum(n[o.name.lower()] for o in Outcome)
    kept = sum(n[k] for k in ("completed", "failed", "dropped", "cancelled", "lost"))
    ended = sum(n[f"requests_{o.name.lower()}"] for o in ClientOutcome if o != ClientOutcome.PENDING)
    return [
        Line(
            "attempts",
            "every attempt was admitted, a duplicate, shed, throttled or errored",
            f"{n['attempts']} = {n['admitted']} + {n['duplicate']} + {n['shed']} + {n['throttled']} + {n['errored']}",
            decided == n["attempts"],
        ),
        Line(
            "admitted",
            "every admitted job completed, failed, or was dropped, cancelled or lost",
            f"{n['admitted']} = {n['completed']} + {n['failed']} + {n['dropped']} + {n['cancelled']} + {n['lost']}"
            f" ({n['pending']} pending)",
            kept == n["admitted"],
        ),
        Line(
            "requests",
            "every request ended in exactly one way",
            f"{n['requests']} = {n['requests_succeeded']} in time + {n['requests_timed_out']} timed out"
            f" + {n['requests_refused']} refused + {n['requests_gave_up']} gave up + {n['requests_errored']} errored",
            ended == n["requests"] or bool(run.ended_by),
        ),
    ]


def _limit(run: Run) -> Line:
    rows = run.attempts
    bounded = rows[(rows["outcome"] == Outcome.ADMITTED) & (rows["limit"] >= 0)]
    limits = [run.scenario.admission.limit, *(s.value for s in run.steering if s.knob == "limit")]
    named = ", then ".join("none" if value is None else str(value) for value in limits)
    deepest = int(np.max(rows["depth_seen"], initial=0))
    kept = bool(np.all(bounded["depth_seen"] <= bounded["limit"]))
    return Line("limit", "never more inside than the limit", f"deepest {deepest}, limit {named}", kept)


def _order(run: Run) -> Line:
    rows, executions = run.attempts, run.executions[~np.isnan(run.executions["started_s"])]
    at = np.searchsorted(key(rows), key(executions))
    at_known = at[at < len(rows)]
    began_early = int(np.sum(executions["started_s"][at < len(rows)] < rows["admitted_s"][at_known]))
    ended_early = int(np.sum(executions["finished_s"] < executions["started_s"]))
    return Line(
        "order",
        "no job began before it was admitted, none ended before it began",
        f"{began_early + ended_early} of {len(executions)}",
        began_early + ended_early == 0,
    )


def _answers(run: Run) -> Line:
    """Two processes wrote down the same conversation."""
    rows = run.attempts
    differ = int(np.sum(~_same_answer(rows[(rows["status"] > 0) & (rows["decided_status"] > 0)])))
    unknown = int(np.sum((rows["status"] > 0) & (rows["decided_status"] == 0)))
    return Line(
        "answers",
        "clients and gateway recorded the same answers",
        f"{differ} differ, {unknown} unknown to the gateway",
        differ == 0 and (unknown == 0 or bool(run.ended_by)),
    )


def _same_answer(rows: Table) -> NDArray[np.bool_]:
    # a job inside is answered 202, or 200 when its client waited for the result, or 503 when it was cancelled; whoever
    # joins it by its key hears the same
    inside = np.isin(rows["outcome"], (Outcome.ADMITTED, Outcome.DUPLICATE))
    same = rows["status"] == rows["decided_status"]
    return np.asarray(np.where(inside, np.isin(rows["status"], (200, 202, 503)), same))

"""The record against its witnesses, who counted without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from demo_workers.records.events import Kind, Outcome, Result
from demo_workers.records.line import Line
from demo_workers.records.witnesses import Witnesses

if TYPE_CHECKING:
    from demo_workers.records.run import Run


def lines(run: Run) -> list[Line]:
    """One line per witness; none where the run has no witnesses (a twin)."""
    w = run.witnesses
    return [] if w is None else [*_counts(run, w), *_registries(run, w), _samples(run, w)]


def _counts(run: Run, w: Witnesses) -> list[Line]:
    rows = run.rows(Kind.DECIDED)
    # a refusal from memory, or by an admission policy, never reaches the script
    unasked = int(np.sum(~np.isnan(rows["value"])))
    decided = rows["code"][np.isnan(rows["value"])]
    admitted, shed, duplicate = (int(np.sum(decided == o)) for o in (Outcome.ADMITTED, Outcome.SHED, Outcome.DUPLICATE))
    refused = int(np.sum(run.attempts["status"] == 503))
    sent = int(np.sum(~np.isnan(run.attempts["sent_s"])))
    script = "witness: the script admitted as many as the record says"
    own = ("admitted", "unasked")
    full = "witness: the script found the queue full as often as the record says"
    twice = "witness: the script met as many duplicates as the record says"
    # a gateway that was killed may have heard the script's answer, or not even that, and written nothing down
    unsaid = int(np.sum(run.attempts["decided_status"] == 0)) if w.gateway is None else 0
    found = [
        _line("script_admitted", script, admitted, w.script, "admitted", unsaid=unsaid),
        _line("script_full", full, shed, w.script, "full", unsaid=unsaid),
        _line("script_duplicate", twice, duplicate, w.script, "duplicate", unsaid=unsaid),
        _line("gateway_admitted", "witness: the gateway's own count agrees", [admitted, unasked], w.gateway, *own),
        _line("clients_attempts", "witness: the clients' own count of attempts agrees", sent, w.clients, "attempts"),
        _line("clients_503", "witness: the clients' own count of 503s agrees", refused, w.clients, "refused"),
    ]
    if run.scenario.admission.client_rate is not None or any(s.knob == "client_rate" for s in run.steering):
        throttled = int(np.sum(run.attempts["status"] == 429))
        text = "witness: the clients' own count of 429s agrees"
        found.append(_line("clients_429", text, throttled, w.clients, "throttled"))
    if {"drop_oldest", "priority"} & _policies(run):
        ended = run.rows(Kind.ENDED)
        # the script has no worker; what a worker drops has one
        dropped = int(np.sum((ended["code"] == Result.DROPPED) & (ended["actor"] == -1)))
        text = "witness: the script dropped as many for others as the record says"
        found.append(_line("script_dropped", text, dropped, w.script, "dropped", unsaid=unsaid))
    held = len(run.rows(Kind.HELD_BACK))
    if held or (w.clients or {}).get("held_back"):
        text = "witness: the clients' guards held back as many attempts as the record says"
        found.append(_line("clients_held_back", text, held, w.clients, "held_back"))
    return found


def _line(
    name: str, text: str, mine: int | list[int], witness: Mapping[str, Any] | None, *counts: str, unsaid: int = 0
) -> Line:
    """``mine`` against one count of a witness, or several against as many; ``unsaid`` may be missing in the record."""
    if witness is None:
        return Line(name, text, f"record {mine}, the witness has died", None)
    ours, theirs = mine if isinstance(mine, list) else [mine], [witness.get(count, 0) for count in counts]
    ok = all(a <= b <= a + unsaid for a, b in zip(ours, theirs, strict=True))
    numbers = f"record {mine}, witness {theirs if isinstance(mine, list) else theirs[0]}"
    return Line(name, text, numbers + (f", {unsaid} undecided" if unsaid else ""), ok)


def _policies(run: Run) -> set[str]:
    """Names of all the admission policies that were in force."""
    given = [run.scenario.admission.policy, *(s.value for s in run.steering if s.knob == "admission_policy")]
    return {name for policy in given for name in str(policy).split("+")}


def _registries(run: Run, w: Witnesses) -> list[Line]:
    """RQ's registries hold job ids, so they are compared job by job."""
    texts = {
        name: f"witness: RQ {name} the same jobs as the record says" for name in ("finished", "failed", "cancelled")
    }
    if w.rq_finished is None or w.rq_failed is None or w.rq_canceled is None:
        why = "the witness has died, or looked away for too long"
        return [Line(f"rq_{name}", text, why, None) for name, text in texts.items()]
    finished, failed, canceled = set(w.rq_finished), set(w.rq_failed), set(w.rq_canceled)
    completed, cancelled = _jobs(run, Result.OK), _jobs(run, Result.CANCELLED) | _jobs(run, Result.DROPPED)
    # killed between the function's return and RQ's bookkeeping: one such job per dead worker is possible
    abandoned = completed & (failed - finished)
    # the others took a frozen worker for dead and gave its job up; when thawed it finished the job all the same
    late = completed & failed & finished
    lost_or_failed = _jobs(run, Result.FAILED) | _jobs(run, Result.LOST)
    broken = bool(run.ended_by)  # then nobody was left to put the books of RQ in order
    found = [
        Line(
            "rq_finished",
            texts["finished"],
            f"record {len(completed)}, RQ {len(finished)}, abandoned {len(abandoned)}",
            completed - abandoned == finished or broken,
        ),
        Line(
            "rq_failed",
            texts["failed"],
            f"record {len(lost_or_failed)}, RQ {len(failed - abandoned - late)}",
            lost_or_failed == failed - abandoned - late or broken,
        ),
        Line(
            "rq_cancelled",
            texts["cancelled"],
            f"record {len(cancelled)}, RQ {len(canceled)}",
            cancelled == canceled or broken,
        ),
    ]
    if (deaths := run.worker_deaths) or abandoned:
        text = "finished in the record, abandoned in RQ: at most one per killed worker"
        numbers = f"{len(abandoned)} jobs, {deaths} killed"
        found.append(Line("abandoned", text, numbers, len(abandoned) <= deaths))
    if (frozen := sum(entry.knob == "freeze_worker" for entry in run.steering)) or late:
        text = "given up by RQ, finished late all the same: at most one per frozen worker"
        found.append(Line("late", text, f"{len(late)} jobs, {frozen} frozen", len(late) <= frozen))
    return found


def _samples(run: Run, w: Witnesses) -> Line:
    """Ten looks a second at Redis itself; a limit lowered in mid-run lets those inside finish."""
    limits = [run.scenario.admission.limit, *(s.value for s in run.steering if s.knob == "limit")]
    known = [limit for limit in limits if limit is not None]
    exact = len(known) == len(limits) and "naive" not in _policies(run)
    deepest = max((inside for _, _, inside in w.samples), default=0)
    left = w.samples[-1][2] if w.samples else 0
    return Line(
        "queue_samples",
        "witness: Redis itself never held more than the limit, and nothing at the end",
        f"{len(w.samples)} looks, deepest {deepest}, at the end {left}",
        (left == 0 or bool(run.ended_by)) and (not exact or deepest <= max(known)),
    )


def _jobs(run: Run, result: Result) -> set[tuple[int, int]]:
    rows = run.attempts[run.fates == result]
    return set(zip(rows["request"].tolist(), rows["attempt"].tolist(), strict=True))

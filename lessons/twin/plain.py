"""The plain queue, much faster: clients who come once and wait, a limit, first come first served, c workers.

Nothing but arrivals and departures happens there, so there is no calendar and no row per attempt, only columns. It
plays exactly what the engine plays; a property test says so. Theory's open queues are all plain, and sweeps mostly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo_workers.scenario import Scenario
from lessons.twin.state import INF
from lessons.twin.uniform import uniform_compiled

Floats = NDArray[np.float64]
Wholes = NDArray[Any]


def is_plain(scenario: Scenario) -> bool:
    """Whether all that happens in it are arrivals and departures."""
    admission, retry = scenario.admission, scenario.retry
    once = retry.policy == "none" or retry.attempts == 1
    hooks = [admission.hook(hook) for hook in ("admit", "place", "take")]
    bounds = (retry.timeout_s, retry.deadline_s, retry.breaker_failures, retry.throttle_k, admission.client_rate)
    open_loop = scenario.load.kind != "closed"
    return open_loop and once and hooks == ["reject", "fifo", "all"] and all(bound is None for bound in bounds)


def serve(
    due_s: Floats, service_s: Floats, limit: int, before_s: float, after_s: float, until_s: float,
    free_s: Floats, done_s: Floats, job: Wholes, idle: Wholes, picked_s: Floats, depth: Wholes, worker: Wholes,
) -> int:  # fmt: skip
    """Let all come and be served.

    Args:
        due_s: when requests come, in order.
        service_s: what their jobs take.
        limit: most jobs inside.
        before_s: what a worker needs before each function.
        after_s: what it needs after it, still holding the slot.
        until_s: no job is begun later.
        free_s: scratch, one entry for each worker, like the next three: when it is free, infinity while it is idle.
        done_s: when its function returns.
        job: the request at which it is.
        idle: a ring of idle workers, longest idle first.
        picked_s: found: when a worker has taken the job.
        depth: found: jobs inside, itself included; of one that was refused, those inside, negative.
        worker: found: who had the job.

    Returns:
        How many of those let in were taken by a worker: the first ones, since nobody overtakes.
    """
    workers, n = len(free_s), len(due_s)
    inside, waiting, taken, head, idle_from, idlers = 0, 0, 0, 0, 0, workers
    next_s, next_worker = INF, -1
    for i in range(n + 1):
        t = due_s[i] if i < n else until_s
        while next_s <= t:
            inside -= 1
            if waiting > 0:
                while depth[head] < 0:
                    head += 1
                waiting, taken = waiting - 1, taken + 1
                _take(head, next_worker, next_s, before_s, after_s, service_s, free_s, done_s, job, picked_s, worker)
                head += 1
            else:
                free_s[next_worker] = INF
                idle[(idle_from + idlers) % workers] = next_worker
                idlers += 1
            next_worker = _soonest(free_s, done_s, job)
            next_s = free_s[next_worker]
        if i == n:
            break
        if inside >= limit:
            depth[i] = -inside
            continue
        inside += 1
        depth[i] = inside
        if idlers == 0:
            waiting += 1
            continue
        chosen = idle[idle_from]
        idle_from, idlers, taken = (idle_from + 1) % workers, idlers - 1, taken + 1
        _take(i, chosen, t, before_s, after_s, service_s, free_s, done_s, job, picked_s, worker)
        head = i + 1  # whoever came before has been taken or refused
        next_worker = _soonest(free_s, done_s, job)
        next_s = free_s[next_worker]
    return taken


def _take(
    request: int, by: int, t: float, before_s: float, after_s: float, service_s: Floats,
    free_s: Floats, done_s: Floats, job: Wholes, picked_s: Floats, worker: Wholes,
) -> None:  # fmt: skip
    picked_s[request], worker[request], job[by] = t, by, request
    done_s[by] = t + before_s + service_s[request]
    free_s[by] = done_s[by] + after_s


def _soonest(free_s: Floats, done_s: Floats, job: Wholes) -> int:
    """The worker that is free next; of two at one moment, the one that was done first, or had begun first."""
    best = 0
    for w in range(1, len(free_s)):
        same = free_s[w] == free_s[best] < INF
        if free_s[w] < free_s[best] or (same and (done_s[w], job[w]) < (done_s[best], job[best])):
            best = w
    return best


def draw(seed: int, stream: int, found: Floats) -> None:
    """The variates of a stream, one for each request."""
    for i in range(len(found)):
        found[i] = uniform_compiled(seed, stream, i, 0)


COUNTS = ("decided", "admitted", "shed", "queued", "finished", "seen")
"""What ``count`` counts in the window; ``queued`` are those let in while all workers were busy."""


def count(
    due_s: Floats, service_s: Floats, picked_s: Floats, depth: Wholes, taken: int, before_s: float, until_s: float,
    grace_s: float, start_s: float, end_s: float, workers: float,
    waits: Floats, sojourns: Floats, inside: Floats, served: Floats, counts: Wholes,
) -> tuple[int, int]:  # fmt: skip
    """Find what a run's measures are made of, in one go through its columns.

    Args:
        due_s: as of ``serve``, like the next four.
        service_s: what jobs took.
        picked_s: when they were taken.
        depth: what they saw.
        taken: how many were.
        before_s: what a worker needed before each function.
        until_s: when the run was over.
        grace_s: how long functions could go on after that.
        start_s: from when it is counted.
        end_s: until when.
        workers: how many.
        waits: found: the wait of each job that was let in within the window and finished (seconds).
        sojourns: found: its sojourn (seconds).
        inside: found: for how much of the window each job that was let in was inside (seconds).
        served: found: for how much of it its function ran (seconds).
        counts: found: by ``COUNTS``.

    Returns:
        How many jobs were let in, and how many have a sojourn.
    """
    let_in = found = 0
    for i in range(len(due_s)):
        came_s = due_s[i]
        within = start_s <= came_s < end_s
        counts[0] += within
        if depth[i] < 0:
            counts[2] += within
            continue
        counts[1] += within
        counts[3] += within and depth[i] > workers
        left_s, began_s = until_s, end_s
        if let_in < taken:
            began_s = picked_s[i] + before_s
            left_s = began_s + service_s[i]
            if left_s <= until_s + grace_s:
                done = start_s <= left_s < end_s
                counts[4] += done
                counts[5] += done and left_s <= until_s
                if within:
                    waits[found], sojourns[found] = began_s - came_s, left_s - came_s
                    found += 1
            else:
                left_s = until_s + grace_s
        served[let_in] = max(min(left_s, end_s) - max(began_s, start_s), 0.0)
        inside[let_in] = max(min(left_s, end_s) - max(came_s, start_s), 0.0)
        let_in += 1
    return let_in, found

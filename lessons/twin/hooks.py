"""Where the engine asks a policy that was written in a notebook's cell; only plain Python can.

The compiled engine gets stand-ins that are never reached: a run with such a policy is played by the Python engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from demo_workers.policies.custom import DOORS, FAILURES, Admit, Door, Failure, NextTry, checked, dice, raised
from demo_workers.policies.retry_budget import RetryBudget, left
from demo_workers.records.events import ClientOutcome
from lessons.twin.state import INF, Sim


class Written:
    """The reader's policies of the run that is being played."""

    next_try: NextTry | None = None
    admit: Admit | None = None


written = Written()


@contextmanager
def asking(next_try: NextTry | None, admit: Admit | None) -> Iterator[None]:
    """Let the engine ask a reader's functions. Each is first tried on what the live system tries it on.

    Raises:
        PolicyError: it made a mistake there.
    """
    for function, name, examples in ((next_try, "next_try", FAILURES), (admit, "admit", DOORS)):
        for example in examples if function is not None else ():
            _answer(name, function, example)
    written.next_try, written.admit = next_try, admit
    try:
        yield
    finally:
        written.next_try = written.admit = None


_REASONS = {ClientOutcome.REFUSED: "refused", ClientOutcome.TIMED_OUT: "timed_out", ClientOutcome.ERRORED: "errored"}


def ask_next_try(s: Sim, row: int, outcome: int, told_s: float) -> float:
    """Seconds to wait, or −1 to give up."""
    a, now = s.attempts[row], s.now[0]
    r, p = s.requests[a.request], s.params[now.turned]
    budget = None
    if p.budget_ratio >= 0:
        state = RetryBudget(now.budget_tokens, now.budget_requests, now.budget_at_s)
        budget = left(state, now.t, p.budget_ratio, p.budget_floor_per_s)
    failure = Failure(
        attempt=a.attempt,
        previous_s=r.previous_s,
        retry_after_s=told_s if told_s >= 0 else None,
        time_left_s=r.due_s + p.deadline_s - now.t if p.deadline_s < INF else None,
        budget_left=budget,
        reason="held_back" if a.sent_s != a.sent_s else _REASONS[ClientOutcome(outcome)],
        rng=dice(s.seed, a.request, a.attempt),
    )
    wait_s = _answer("next_try", written.next_try, failure)
    return -1.0 if wait_s is None else float(wait_s)


def ask_admit(s: Sim, row: int, limit: float, rate: float) -> bool:
    """Whether an attempt may ask for a place."""
    a, now = s.attempts[row], s.now[0]
    r, left_s = s.requests[a.request], a.told_expires_s - now.t
    door = Door(
        now_s=now.t,
        depth=now.inside,
        limit=int(limit) if limit < INF else None,
        drain_rate=rate if rate >= 0 else None,
        expected_wait_s=now.inside / rate if rate > 0 else None,
        time_left_s=left_s if left_s < INF else None,
        client=r.client,
        urgent=bool(r.urgent),
    )
    return bool(_answer("admit", written.admit, door))


def _answer(name: str, function: Any, argument: Any) -> Any:
    """What the reader's function says; a mistake of it is told as the live system tells it."""
    try:
        answer = function(argument)
    except (Exception, SystemExit) as error:
        filename = getattr(getattr(function, "__code__", None), "co_filename", "")
        raise raised(name, error, argument, filename) from None
    return checked(name, answer, argument)


def no_next_try(s: Sim, row: int, outcome: int, told_s: float) -> float:
    """Stand-in of ``ask_next_try`` in compiled code."""
    return -1.0


def no_admit(s: Sim, row: int, limit: float, rate: float) -> bool:
    """Stand-in of ``ask_admit`` in compiled code."""
    return True

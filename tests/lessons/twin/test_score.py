"""What was done to a run is done to the twin: knobs, deaths, and a word about what cannot be done."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from demo_workers.closed_tape import ClosedTape
from demo_workers.records.directory import Steer
from demo_workers.records.events import ClientOutcome, Outcome, Result
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.tape import Request
from lessons.twin import simulate

OPEN = Scenario(
    load=Load(kind="uniform", arrival_rate=20, duration_s=10),
    service=Service(service_time_s=0.1, distribution="deterministic", workers=3),
    drain_s=30,
)
CLOSED = Scenario(
    load=Load(kind="closed", clients=8, think_time_s=0.4, duration_s=10),
    service=Service(service_time_s=0.05, workers=8),
)


def steered(scenario: Scenario, *entries: tuple[float, str, object]) -> Run:
    """What the twin makes of a run to which this was done."""
    steering = [Steer(t, knob, value) for t, knob, value in entries]
    asked = Run(scenario=scenario, source="live", steering=steering, events=simulate(scenario).events)
    return simulate(asked)


def begun(run: Run, since_s: float, until_s: float) -> np.ndarray:
    """Executions that began within a while."""
    began = run.executions["started_s"]
    return run.executions[(began >= since_s) & (began < until_s)]


def test_workers_come_at_once_and_leave_after_their_job() -> None:
    """Up: more work at the same time. Down: nobody drops a job in hand, and the youngest go."""
    slow = OPEN.replace("service.service_time_s", 0.5)  # ten jobs at a time would be needed
    run = steered(slow, (3.0, "workers", 6), (6.0, "workers", 2))
    assert run.ledger.balanced
    assert set(begun(run, 0, 3)["worker"]) == {0, 1, 2}
    assert set(begun(run, 3, 4)["worker"]) == set(range(6))
    assert set(begun(run, 6.001, 10)["worker"]) == {0, 1}
    assert np.all(begun(run, 0, 99)["result"] == Result.OK)


def test_all_workers_may_leave_and_come_again() -> None:
    """Nothing is served meanwhile, and everything afterwards."""
    run = steered(OPEN, (3.0, "workers", 0), (6.0, "workers", 3))
    assert len(begun(run, 3.0 + 1e-9, 6.0)) == 0
    assert len(begun(run, 6.0, 7.0)) == pytest.approx(30, abs=3)
    assert run.ledger.counts["completed"] == 200


@pytest.mark.parametrize(("knob", "result"), [("worker_died", Result.LOST), ("horse_died", Result.FAILED)])
def test_who_dies_takes_its_job_along(knob: str, result: Result) -> None:
    """One job is lost, or failed where only the work horse died; the others are done; the books balance.

    A dead worker's place is taken soon; a horse's worker goes on at once.
    """
    busy = OPEN.replace("service.service_time_s", 0.2)  # more than three workers can do: all are at work
    run = steered(busy, (5.0, "kill_worker", "queue-w1"), (5.0, knob, "queue-w1"))
    assert run.ledger.balanced, run.ledger.table()
    (lost,) = run.executions[run.executions["result"] != Result.OK]
    assert (lost["worker"], lost["result"], lost["left_s"]) == (1, result, 5.0)
    assert run.worker_deaths == 1
    at_work = set(begun(run, 5.0, 5.4)["worker"].tolist())
    assert at_work == ({0, 2} if knob == "worker_died" else {0, 1, 2})
    assert len(set(begun(run, 6.0, 7.0)["worker"].tolist())) == 3
    failed = run.attempts[run.attempts["client_outcome"] == ClientOutcome.ERRORED]
    assert failed["request"].tolist() == [lost["request"]]


def test_the_dead_are_known_by_their_place_and_not_by_their_number() -> None:
    """A live stack goes on counting its workers from load to load; the twin begins at nought."""
    live = simulate(OPEN)
    live.executions["worker"] += 17
    again = simulate(
        Run(scenario=OPEN, source="live", steering=[Steer(5.0, "worker_died", "q-w18")], events=shifted(live, 17))
    )
    assert [entry.value for entry in again.steering] == ["twin-w1"]
    assert again.executions[again.executions["result"] == Result.LOST]["worker"].tolist() in ([1], [])
    assert 1 not in begun(again, 5.0, 10.0)["worker"]


def shifted(run: Run, by: int) -> np.ndarray:
    """The rows of a run whose workers have other numbers."""
    events = run.events.copy()
    events["actor"][np.isin(events["kind"], (4, 5)) & (events["actor"] >= 0)] += by
    return events


def test_a_worker_that_was_leaving_has_no_successor() -> None:
    """Killed at its last job: the job is lost, and nobody is hired."""
    slow = OPEN.replace("service.service_time_s", 1.0)
    run = steered(slow, (5.2, "workers", 2), (5.3, "worker_died", "q-w2"))
    assert np.sum(run.executions["result"] == Result.LOST) == 1
    assert set(begun(run, 5.3, 30)["worker"]) == {0, 1}
    assert run.ledger.balanced


def test_what_cannot_be_done_is_told() -> None:
    """Other faults are left out of the new run's log, so that no mark claims them; a note names them."""
    run = steered(OPEN, (2.0, "slow_network", 0.1), (4.0, "limit", 2), (5.0, "freeze_worker", "q-w0"))
    assert [entry.knob for entry in run.steering] == ["limit"]
    assert run.notes == ["The twin did not play slow_network at 2.0 s, freeze_worker at 5.0 s."]
    assert run.ledger.balanced


def closed_by_hand(scenario: Scenario, turns: Sequence[tuple[float, dict[str, float]]], run: Run) -> list[Request]:
    """What the live system's own tape plays when requests end as they did in a run."""
    tape, found = ClosedTape(scenario), list[Request]()
    ends = sorted((float(row["answered_s"]), int(row["request"])) for row in run.requests if row["answered_s"] > 0)
    todo = [(t, 0, (knobs,)) for t, knobs in turns] + [(t, 1, (request,)) for t, request in ends]
    for t, kind, (what,) in sorted(todo, key=lambda entry: entry[:2]):
        while tape.due_s <= t:
            found.append(tape.pop())
        if kind == 0:
            scenario = scenario.steered(**what)
            tape.steer(t, scenario)
        else:
            tape.ended(what, t)
    while not math.isinf(tape.due_s):
        found.append(tape.pop())
    return found


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [(4.0, {"think_time_s": 0.1})],
        [(3.0, {"think_time_s": 2.0}), (7.0, {"think_time_s": 0.05})],
        [(4.0, {"service_time_s": 0.2}), (6.0, {"urgent_share": 0.5})],
        [(2.0, {"think_time_s": 0.0})],
    ],
)
def test_closed_loop_clients_are_steered_as_the_live_ones(turns: list[tuple[float, dict[str, float]]]) -> None:
    """The live system's own tape, told when the twin's requests ended, plays the twin's requests: each think time,
    service time and urgency, also of whoever was thinking when the knob was turned.
    """
    entries = [(t, knob, value) for t, knobs in turns for knob, value in knobs.items()]
    run = steered(CLOSED, *entries)
    assert run.ledger.balanced
    wanted = {request.request: request for request in closed_by_hand(CLOSED, turns, run)}
    played = run.attempts[run.attempts["attempt"] == 1]
    assert set(played["request"].tolist()) == set(wanted)
    for row in played:
        assert row["due_s"] == pytest.approx(wanted[row["request"]].due_s, abs=1e-9)
    done = run.executions[run.executions["result"] == Result.OK]
    took = done["finished_s"] - done["started_s"]
    expected = [wanted[request].service_time_s for request in done["request"].tolist()]
    assert took == pytest.approx(np.array(expected), abs=1e-9)


def test_keys_and_deadlines_are_those_with_which_an_attempt_left() -> None:
    """Turned in mid-run, neither knob touches what was on its way before, as in the live system."""
    retry = Retry(policy="immediate", attempts=3, timeout_s=0.4, idempotency_key=False)
    busy = Scenario(
        load=Load(arrival_rate=40, duration_s=6),
        service=Service(service_time_s=0.1, workers=2),
        admission=Admission(limit=30, policy="drop_expired"),
        retry=retry,
    )
    run = steered(busy, (3.0, "idempotency_key", True), (3.0, "propagate_deadline", False))
    assert run.ledger.balanced
    first_s = dict(zip(run.attempts["request"].tolist(), run.attempts["due_s"].tolist(), strict=True))
    for row in run.attempts:
        first_s[row["request"]] = min(first_s[row["request"]], row["due_s"])
    joined = run.attempts[run.attempts["outcome"] == Outcome.DUPLICATE]
    assert len(joined) > 0
    assert all(first_s[request] >= 3.0 for request in joined["request"].tolist())
    admitted = run.attempts[run.attempts["outcome"] == Outcome.ADMITTED]
    expired = admitted[np.isin(run.fates[run.attempts["outcome"] == Outcome.ADMITTED], [Result.DROPPED])]
    assert len(expired) > 0
    assert expired["sent_s"].max() < 3.0

"""Every line of the ledger can fail, and says so when it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo_workers.errors import LedgerError
from demo_workers.records.directory import RunDirectory, Steer
from demo_workers.records.events import EVENT, ClientOutcome, Guard, Kind, Outcome, Result
from demo_workers.records.run import Run
from tests.demo_workers.records import books
from tests.demo_workers.records.books import event

Rows = list[tuple[Any, ...]]


def without(kind: Kind, request: int) -> Rows:
    """The rows less one."""
    return [row for row in books.rows() if not (row[0] == kind and row[6] == request)]


def test_a_true_record_balances(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line is ✓, and the lines that nbval compares hold no digit but in names."""
    run = books.run()
    run.ledger.check()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(run.ledger.lines)
    assert all(line.startswith("✓") for line in lines)
    run.ledger.show()
    assert "8 = 6 + 0 + 2 + 0 + 0" in capsys.readouterr().out
    counts = run.ledger.counts
    assert (counts["attempts"], counts["completed"], counts["requests_refused"]) == (8, 6, 2)


SPOILT: dict[str, Callable[[], Run]] = {
    "admitted": lambda: books.run(without(Kind.ENDED, 3)),
    "requests": lambda: books.run(without(Kind.ANSWERED, 3)),
    "limit": lambda: books.run(
        [*without(Kind.DECIDED, 3), event(Kind.DECIDED, 3, 1.5, code=Outcome.ADMITTED, status=202, depth=3, limit=2)]
    ),
    "order": lambda: books.run([*without(Kind.STARTED, 3), event(Kind.STARTED, 3, 1.4, actor=0)]),
    "answers": lambda: books.run(
        [*without(Kind.ANSWERED, 7), event(Kind.ANSWERED, 7, 3.9, status=200, code=ClientOutcome.SUCCEEDED)]
    ),
    "script_admitted": lambda: books.run(witnesses=books.witnesses(script={"admitted": 7, "full": 2, "duplicate": 0})),
    "script_full": lambda: books.run(witnesses=books.witnesses(script={"admitted": 6, "full": 1, "duplicate": 0})),
    "script_duplicate": lambda: books.run(witnesses=books.witnesses(script={"admitted": 6, "full": 2, "duplicate": 1})),
    "gateway_admitted": lambda: books.run(witnesses=books.witnesses(gateway={"admitted": 5})),
    "clients_attempts": lambda: books.run(witnesses=books.witnesses(clients={"attempts": 9, "refused": 2})),
    "clients_held_back": lambda: books.run(
        witnesses=books.witnesses(clients={"attempts": 8, "refused": 2, "held_back": 1})
    ),
    "clients_503": lambda: books.run(witnesses=books.witnesses(clients={"attempts": 8, "refused": 3})),
    "rq_finished": lambda: books.run(witnesses=books.witnesses(rq_finished=[(i, 1) for i in range(5)])),
    "rq_failed": lambda: books.run(witnesses=books.witnesses(rq_failed=[(7, 1)])),
    "rq_cancelled": lambda: books.run(witnesses=books.witnesses(rq_canceled=[(7, 1)])),
    "queue_samples": lambda: books.run(witnesses=books.witnesses(samples=[(0.1, 2, 3), (4.0, 0, 0)])),
    "abandoned": lambda: books.run(
        steering=[Steer(1.0, "worker_died", "w0")],
        witnesses=books.witnesses(rq_finished=[(i, 1) for i in range(4)], rq_failed=[(4, 1), (5, 1)]),
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_each_line_fails_when_its_own_statement_is_false(name: str) -> None:
    """One thing spoilt, that line is ✗, and check() raises with its numbers."""
    run = SPOILT[name]()
    assert run.ledger.invariants[name] is False
    with pytest.raises(LedgerError):
        run.ledger.check()


def test_a_refusal_that_the_script_never_saw_is_not_its_business() -> None:
    """One of two refusals came from memory: the script counts the other, the gateway both, the clients too."""
    rows = [(*row[:-1], 1.0) if row[0] == Kind.DECIDED and row[6] == 7 else row for row in books.rows()]
    script = {"admitted": 6, "full": 1, "duplicate": 0, "dropped": 0}
    gateway = {"admitted": 6, "shed": 2, "unasked": 1}
    assert books.run(rows, witnesses=books.witnesses(script=script, gateway=gateway)).ledger.balanced
    spoilt = books.run(rows, witnesses=books.witnesses(script=script, gateway=gateway | {"unasked": 0}))
    assert spoilt.ledger.invariants["gateway_admitted"] is False
    assert books.run(rows).ledger.invariants["script_full"] is False


def test_a_killed_gateway_may_have_let_in_what_it_never_wrote_down() -> None:
    """The script admitted one whose row is missing; but never fewer than the record has, nor more than were asking."""
    rows = without(Kind.DECIDED, 7)
    script = {"admitted": 6, "full": 1, "duplicate": 0, "dropped": 0}

    def verdict(gateway: dict[str, int] | None, **changed: int) -> bool | None:
        found = books.witnesses(script=script | changed, gateway=gateway)
        return books.run(rows, witnesses=found, ended_by="killed").ledger.invariants["script_admitted"]

    assert verdict(None)
    assert verdict(None, admitted=7)
    assert verdict(None, admitted=8) is False
    assert verdict(None, admitted=5) is False
    assert verdict({"admitted": 6}, admitted=7) is False


def test_jobs_dropped_for_others_and_by_workers_are_told_apart() -> None:
    """RQ cancelled both; the script knows of those that no worker dropped."""
    scenario = books.scenario().replace("admission.policy", "drop_oldest+drop_expired")
    gone = [event(Kind.ENDED, 4, np.nan, code=Result.DROPPED, value=2.2)]
    gone += [event(Kind.ENDED, 5, np.nan, code=Result.DROPPED, value=2.7, actor=0)]
    rows = [row for row in books.rows() if row[0] not in (Kind.STARTED, Kind.ENDED) or row[6] not in (4, 5)]
    script = {"admitted": 6, "full": 2, "duplicate": 0, "dropped": 1}
    found = {"rq_finished": [(i, 1) for i in range(4)], "rq_canceled": [(4, 1), (5, 1)], "script": script}
    run = books.run([*rows, *gone], scenario=scenario, witnesses=books.witnesses(**found))
    assert run.ledger.balanced, run.ledger.table()
    assert run.ledger.invariants["script_dropped"] is True
    for wrong in ({"script": script | {"dropped": 2}}, {"rq_canceled": [(4, 1)]}):
        spoilt = books.run([*rows, *gone], scenario=scenario, witnesses=books.witnesses(**(found | wrong)))
        assert not spoilt.ledger.balanced


def held_back(request: int = 8, attempt: int = 1, t: float = 3.5) -> Rows:
    """A guard of the clients kept an attempt from leaving, and the client made no further one."""
    return [
        event(Kind.HELD_BACK, request, t, code=Guard.BREAKER, attempt=attempt, actor=request, value=t),
        event(Kind.ANSWERED, request, t, code=ClientOutcome.REFUSED, attempt=attempt),
    ]


def test_an_attempt_that_was_held_back_is_an_attempt_and_a_request() -> None:
    """It was throttled, never sent, and ended its request; who counts what was sent does not count it."""
    run = books.run(
        [*books.rows(), *held_back()],
        witnesses=books.witnesses(clients={"attempts": 8, "refused": 2, "held_back": 1}),
    )
    assert run.ledger.balanced, run.ledger.table()
    assert run.ledger.invariants["clients_held_back"] is True
    counts = run.ledger.counts
    assert (counts["attempts"], counts["throttled"], counts["requests"], counts["requests_refused"]) == (9, 1, 9, 3)
    (row,) = run.attempts[run.attempts["request"] == 8]
    assert np.isnan(row["sent_s"])
    assert (row["due_s"], row["client"], row["outcome"]) == (3.5, 8, Outcome.THROTTLED)
    assert run.measures.retry_amplification == pytest.approx(1.0)
    assert run.measures.p_block == pytest.approx(2 / 8)


def test_a_request_that_was_held_back_first_ends_with_its_last_attempt() -> None:
    """Request 5 was held back once before the attempt that was served."""
    rows = [(*row[:3], 2, *row[4:]) if row[6] == 5 else row for row in books.rows()]
    clients = {"attempts": 8, "refused": 2, "held_back": 1}
    found = [(i, 1 + (i == 5)) for i in range(6)]
    run = books.run([*held_back(5, 1, 2.4), *rows], witnesses=books.witnesses(clients=clients, rq_finished=found))
    assert run.ledger.balanced, run.ledger.table()
    assert run.requests["client_outcome"][run.requests["request"] == 5].tolist() == [ClientOutcome.SUCCEEDED]


def test_a_job_that_a_worker_dropped_left_without_a_time_of_its_function() -> None:
    """Among the executions it has a worker and a moment at which it left; it is in the system until then."""
    rows = [row for row in books.rows() if row[0] not in (Kind.STARTED, Kind.ENDED) or row[6] != 5]
    rows.append(event(Kind.ENDED, 5, np.nan, code=Result.DROPPED, value=2.9, actor=0))
    found = [(i, 1) for i in range(5)]
    run = books.run(rows, witnesses=books.witnesses(rq_finished=found, rq_canceled=[(5, 1)]))
    assert run.ledger.balanced, run.ledger.table()
    assert run.ledger.counts["dropped"] == 1
    (row,) = run.executions[run.executions["request"] == 5]
    assert (row["worker"], row["left_s"], row["result"]) == (0, 2.9, Result.DROPPED)
    assert np.isnan(row["started_s"])
    assert np.isnan(row["finished_s"])
    assert run.measures.in_system == pytest.approx((5 + 1) * 0.4 / 4)


def test_executions_say_when_the_job_was_taken() -> None:
    """NaN in records that do not have it."""
    rows = [*without(Kind.STARTED, 3), event(Kind.STARTED, 3, 1.6, actor=0, value=1.58)]
    picked = books.run(rows).executions["picked_s"]
    assert picked[3] == 1.58
    assert np.isnan(np.delete(picked, 3)).all()


def test_an_abandoned_job_needs_a_death() -> None:
    """Finished in the record and failed in RQ without anybody having died: that is wrong; a dead horse explains one."""
    found = books.witnesses(rq_finished=[(i, 1) for i in range(5)], rq_failed=[(5, 1)])
    assert books.run(witnesses=found).ledger.invariants["abandoned"] is False
    assert books.run(steering=[Steer(1.0, "horse_died", "w0")], witnesses=found).ledger.balanced


def test_a_job_that_rq_gave_up_may_finish_late_where_its_worker_was_frozen() -> None:
    """It stands in both registries; without a frozen worker to explain it the books do not balance."""
    found = books.witnesses(rq_failed=[(0, 1)])
    thawed = [Steer(0.2, "freeze_worker", "q-w9"), Steer(0.4, "thaw_worker", "q-w9")]
    assert books.run(witnesses=found, steering=thawed).ledger.balanced
    assert books.run(witnesses=found).ledger.invariants["late"] is False


def test_something_left_in_redis_at_the_end_is_seen() -> None:
    """The last look must find nothing inside."""
    run = books.run(witnesses=books.witnesses(samples=[(4.0, 1, 1)]))
    assert run.ledger.invariants["queue_samples"] is False


def test_one_abandoned_job_per_killed_worker_is_allowed() -> None:
    """Killed between the function's return and RQ's bookkeeping."""
    found = books.witnesses(rq_finished=[(i, 1) for i in range(5)], rq_failed=[(5, 1)])
    run = books.run(steering=[Steer(1.0, "worker_died", "w0")], witnesses=found)
    assert run.ledger.balanced
    assert run.ledger.invariants["abandoned"] is True


def test_a_dead_witness_is_silent_not_wrong() -> None:
    """Lines without a witness are neither ✓ nor ✗."""
    found = books.witnesses(script=None, rq_finished=None, rq_failed=None, rq_canceled=None)
    run = books.run(witnesses=found, ended_by="RedisUnavailable: it died")
    assert run.ledger.invariants["rq_finished"] is None
    assert run.ledger.invariants["script_admitted"] is None
    assert run.ledger.balanced


def test_what_a_fault_left_unanswered_is_lost() -> None:
    """Admitted before the fault and never ended: counted as lost, nothing is pending."""
    run = books.run([*without(Kind.ENDED, 3)], ended_by="GatewayUnavailable: it died")
    assert (run.ledger.counts["lost"], run.ledger.counts["pending"]) == (1, 0)
    never_begun = [row for row in without(Kind.ENDED, 3) if not (row[0] == Kind.STARTED and row[6] == 3)]
    run = books.run(never_begun, ended_by="GatewayUnavailable: it died")
    assert (run.ledger.counts["lost"], run.ledger.counts["pending"]) == (1, 0)


def test_a_run_whose_owner_was_killed_says_so(tmp_path: Path) -> None:
    """Its manifest was never completed: what was open is lost, and the length is that of what there is."""
    directory = RunDirectory(tmp_path)
    directory.write_manifest({"scenario": books.scenario().to_dict()})
    rows = np.array([row for row in without(Kind.ENDED, 3) if row[9] < 3], EVENT)
    directory.gateway.write_bytes(rows.tobytes())
    run = Run.read(directory, "replay")
    assert "died" in run.ended_by
    assert run.length_s < 3
    assert (run.ledger.counts["lost"], run.ledger.counts["pending"]) == (1, 0)
    assert run.ledger.balanced


def test_a_job_that_ran_twice_is_visible_and_counted_once() -> None:
    """Two executions, one completed attempt."""
    again = [event(Kind.STARTED, 2, 3.0, actor=1), event(Kind.ENDED, 2, 3.2, actor=1, code=Result.OK)]
    run = books.run([*books.rows(), *again])
    assert run.ledger.counts["executions"] == 7
    assert run.ledger.counts["completed"] == 6
    assert len(run.executions[run.executions["request"] == 2]) == 2


def test_a_duplicate_may_hear_the_result_of_the_job_it_joined() -> None:
    """Whoever joins a job is answered like the one who brought it: taken in by the gateway, a result for the client."""
    joined = [
        event(Kind.SENT, 2, 1.3, attempt=2, actor=2, value=1.3),
        event(Kind.DECIDED, 2, 1.3, attempt=2, code=Outcome.DUPLICATE, status=202),
        event(Kind.ANSWERED, 2, 1.4, attempt=2, status=200, code=ClientOutcome.SUCCEEDED),
    ]
    told = books.witnesses(
        script={"admitted": 6, "full": 2, "duplicate": 1, "dropped": 0}, clients={"attempts": 9, "refused": 2}
    )
    assert books.run([*books.rows(), *joined], witnesses=told).ledger.balanced


def test_measures_are_those_of_the_rows() -> None:
    """Averages worked out by hand."""
    m = books.run().measures
    assert m.throughput == pytest.approx(6 / 4)
    assert m.goodput == pytest.approx(6 / 4)
    assert m.shed_rate == pytest.approx(2 / 4)
    assert m.p_block == pytest.approx(2 / 8)
    assert m.wait_s == pytest.approx(0.1)
    assert m.sojourn_s == pytest.approx(0.4)
    assert m.in_system == pytest.approx(6 * 0.4 / 4)
    assert m.in_service == pytest.approx(6 * 0.3 / 4)
    assert m.utilization == pytest.approx(6 * 0.3 / 4)
    assert m.offered_utilization == pytest.approx(8 * 0.2 / 4)
    assert m.p_wait == pytest.approx(0.5)
    assert m.retry_amplification == pytest.approx(1.0)
    # Little's law holds on the record: L = λW
    assert m.in_system == pytest.approx(m.throughput * m.sojourn_s)


def test_utilization_counts_the_workers_there_were() -> None:
    """Half the time with one worker, half with three: two on average."""
    run = books.run(steering=[Steer(2.0, "workers", 3)])
    assert run.measures.utilization == pytest.approx(6 * 0.3 / 4 / 2)

"""What a student writes in a cell runs in the twin as it does in the live system."""

from __future__ import annotations

import numpy as np
import pytest

from demo_workers.errors import PolicyError
from demo_workers.policies.custom import FAILURES, Door, Failure
from demo_workers.records.events import Kind, NoRetry, Outcome
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from lessons.twin import replicate, simulate

CROWDED = Scenario(
    load=Load(arrival_rate=60, duration_s=5),
    service=Service(service_time_s=0.1, workers=2),
    admission=Admission(limit=6),
    retry=Retry(policy="none", attempts=4, timeout_s=1.0, deadline_s=3.0, budget_ratio=5.0),
)


def fixed(failure: Failure) -> float | None:
    """Wait 0.2 s twice, then give up."""
    return 0.2 if failure.attempt < 3 else None


def half(state: Door) -> bool:
    """Only half of the limit may be used."""
    return state.limit is None or state.depth < state.limit // 2


def test_next_try_decides_about_every_retry() -> None:
    """Its waits are on the record, and when it gives up the record says so."""
    run = simulate(CROWDED, next_try=fixed)
    assert run.scenario.retry.policy == "custom"
    assert run.ledger.balanced
    waits = run.attempts["backoff_s"]
    assert set(waits[~np.isnan(waits)]) == {0.2}
    assert run.attempts["attempt"].max() == 3
    ends = run.rows(Kind.ANSWERED)
    assert set(ends["actor"][ends["attempt"] == 3]) & {NoRetry.CUSTOM}


def test_next_try_is_told_what_the_live_one_is() -> None:
    """First the examples, then every failure with all that its client knows."""
    told: list[Failure] = []

    def curious(failure: Failure) -> float | None:
        told.append(failure)
        return failure.rng.random() / 10

    simulate(CROWDED, next_try=curious)
    refused = [failure for failure in told[len(FAILURES) :] if failure.reason == "refused"]
    assert {failure.attempt for failure in refused} >= {1, 2, 3}
    assert all(failure.retry_after_s is not None and failure.retry_after_s > 0 for failure in refused)
    assert all(failure.budget_left is not None and failure.time_left_s is not None for failure in refused)
    assert all((failure.previous_s == 0) == (failure.attempt == 1) for failure in refused)


def test_admit_can_only_make_the_door_narrower() -> None:
    """Half of the limit is never passed; a policy that always says yes changes nothing at all."""
    narrow = simulate(CROWDED, admit=half)
    assert narrow.attempts["depth_seen"][narrow.attempts["outcome"] == Outcome.ADMITTED].max() == 3
    plain, open_door = simulate(CROWDED, engine="python"), simulate(CROWDED, admit=lambda state: True)
    assert plain.events.tobytes() == open_door.events.tobytes()


@pytest.mark.parametrize(
    ("policy", "value"),
    [
        ({"next_try": lambda failure: -1.0}, "next_try returned -1.0"),
        ({"next_try": lambda failure: "soon"}, "next_try returned 'soon'"),
        ({"next_try": lambda failure: float("nan")}, "next_try returned nan"),
        ({"admit": lambda state: None}, "admit returned None"),
        ({"admit": lambda state: 1 / 0}, "admit raised ZeroDivisionError"),
        ({"admit": lambda state: state.missing}, "admit raised AttributeError"),
        ({"next_try": lambda failure: {}[failure.attempt]}, "next_try raised KeyError: 1"),
    ],
)
def test_a_mistake_names_the_value(policy: dict[str, object], value: str) -> None:
    """A ``PolicyError`` with what was returned or raised, the line of code, and what the policy was called with."""
    with pytest.raises(PolicyError, match=value) as error:
        simulate(CROWDED, **policy)  # type: ignore[arg-type]  # wrong on purpose
    called = "Failure(attempt=" if "next_try" in policy else "Door(now_s="
    assert f"It was called with {called}" in str(error.value)


def test_a_mistake_made_late_ends_the_run_too() -> None:
    """Right on all that it is tried on, wrong in the middle of the run; the twin is fit for the next run at once."""

    def moody(state: Door) -> bool:
        if 2.0 < state.now_s < 3.0 and state.client >= 0:
            return "yes"  # type: ignore[return-value]  # wrong on purpose
        return True

    with pytest.raises(PolicyError, match="admit returned 'yes'"):
        simulate(CROWDED, admit=moody)
    assert simulate(CROWDED).ledger.balanced


def test_custom_without_a_function_says_what_to_pass() -> None:
    """At the start, and where a knob asks for it in the middle of a recorded run."""
    with pytest.raises(PolicyError, match="Pass next_try=your_function"):
        simulate(CROWDED.replace("retry.policy", "custom"))
    with pytest.raises(PolicyError, match="Pass admit=your_function"):
        replicate(CROWDED.replace("admission.policy", "custom"), 2)


def test_a_reader_s_policy_is_asked_whatever_the_engine() -> None:
    """Only plain Python can ask it, so plain Python plays, also where compiled code was wanted."""
    runs: list[Run] = [simulate(CROWDED, next_try=fixed, admit=half, engine=e) for e in ("python", "compiled", "auto")]
    assert len({run.events.tobytes() for run in runs}) == 1
    assert runs[0].attempts["depth_seen"].max() == 3

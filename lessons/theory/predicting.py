"""From a scenario to a prediction, by the definitions that runs use."""

from __future__ import annotations

from demo_workers.errors import LabError, ScenarioError
from demo_workers.scenario import Scenario
from lessons.theory import caveats
from lessons.theory.bounds import number
from lessons.theory.choosing import Choice, choose, work_of
from lessons.theory.prediction import Prediction
from lessons.theory.sojourn import Sojourn
from lessons.theory.steady_state import SteadyState
from lessons.theory.wait_and_service import WaitAndService

MOST_OVERHEAD_S = 60.0


def predict(
    scenario: Scenario,
    *,
    arrival_rate: float | None = None,
    overhead_before_s: float = 0.0,
    overhead_after_s: float = 0.0,
) -> Prediction:
    """What queueing theory says about a scenario in the long run.

    As in a run, a job waits until its function starts and is gone when that ends: RQ's own time before the function is
    wait, its time after it holds worker and place but is not seen. ``utilization`` counts the functions alone.

    Args:
        scenario: what would be run.
        arrival_rate: predict one stretch of a load whose rate changes, at this many requests per second.
        overhead_before_s: RQ's own time per job before its function starts.
        overhead_after_s: RQ's own time per job after it.

    Raises:
        UnstableQueue: without a limit, as much or more arrives than the workers can do.
        ScenarioError: there is no worker, a value is out of bounds, or the rate changes and none was stated.
    """
    service = scenario.service
    if service.workers == 0:
        raise ScenarioError("service.workers", 0, "at least 1 for a prediction", "Without workers nothing is served.")
    before_s = number("overhead_before_s", overhead_before_s, high=MOST_OVERHEAD_S)
    after_s = number("overhead_after_s", overhead_after_s, high=MOST_OVERHEAD_S)
    chosen = choose(scenario, arrival_rate, before_s + service.service_time_s + after_s, after_s)
    return _prediction(scenario, chosen, before_s)


def predict_or_reason(
    scenario: Scenario,
    *,
    arrival_rate: float | None = None,
    overhead_before_s: float = 0.0,
    overhead_after_s: float = 0.0,
) -> Prediction | LabError:
    """As ``predict``, but a queue that has no long run, or that no formula fits, gives the error instead of raising it.

    That is what ``gaps`` and ``overlay`` take: there, no theory is an answer like any other.
    """
    try:
        return predict(
            scenario,
            arrival_rate=arrival_rate,
            overhead_before_s=overhead_before_s,
            overhead_after_s=overhead_after_s,
        )
    except LabError as reason:
        return reason


def _prediction(scenario: Scenario, chosen: Choice, before_s: float) -> Prediction:
    state, work_s, workers = chosen.state, scenario.service.service_time_s, scenario.service.workers
    wait_s, through = state.wait_s + before_s, state.throughput
    sojourn = _sojourn(scenario, state, before_s)
    p50, p95, p99 = (None if sojourn is None else sojourn.quantile(q) for q in (0.5, 0.95, 0.99))
    needed_s = caveats.settling_s(scenario, state.offered_utilization)
    again = caveats.tries_again(scenario, state.p_block)
    return Prediction(
        utilization=through * work_s / workers,
        offered_utilization=state.arrival_rate * work_s / workers,
        p_wait=state.p_wait,
        p_block=state.p_block,
        backlog=through * wait_s,
        in_system=through * (wait_s + work_s),
        in_service=through * work_s,
        wait_s=wait_s,
        sojourn_s=wait_s + work_s,
        sojourn_p50_s=p50,
        sojourn_p95_s=p95,
        sojourn_p99_s=p99,
        throughput=through,
        goodput=None if again else _in_time(scenario, through, sojourn),
        shed_rate=state.shed_rate,
        retry_amplification=None if again else 1.0,
        model=chosen.model,
        why=chosen.why + _how_long(needed_s, scenario.load.duration_s),
        approximate=(*_cost(state, work_s), *chosen.approximate, *caveats.of(scenario, state.p_block)),
        settling_s=needed_s,
        sojourn=sojourn,
    )


def _sojourn(scenario: Scenario, state: SteadyState, before_s: float) -> Sojourn | None:
    """The model's own distribution, or its wait with the real work after it where they differ."""
    if not caveats.in_order(scenario):
        return None
    service = scenario.service
    if service.distribution == "exponential" and service.service_time_s == state.service_time_s and state.sojourn:
        return state.sojourn
    assert state.wait_survival is not None  # every model that is chosen knows it
    return WaitAndService(state.wait_survival, work_of(service), before_s)


def _in_time(scenario: Scenario, throughput: float, sojourn: Sojourn | None) -> float | None:
    """Completions per second whose client still waits; who gave up is served all the same, so the queue is as it is."""
    patience_s = caveats.patience_s(scenario)
    if patience_s is None:
        return throughput
    return None if sojourn is None else throughput * sojourn.within(patience_s)


def _cost(state: SteadyState, work_s: float) -> tuple[str, ...]:
    cost_s = state.service_time_s - work_s
    if cost_s <= 0:
        return ()
    most = state.workers / state.service_time_s
    return (
        f"RQ's own {cost_s * 1000:.3g} ms per job are added to the time that a job holds its worker: the workers can "
        f"do {most:.4g} per second, while utilization counts the work alone.",
    )


def _how_long(needed_s: float, length_s: float) -> str:
    if needed_s <= length_s:
        return ""
    return f" This is the long run: {length_s:g} s, begun empty, are too short to show it; {needed_s:,.0f} s would."

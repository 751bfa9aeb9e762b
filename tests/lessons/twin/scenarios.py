"""Random scenarios of everything the system can do, small enough to be played in a moment."""

from __future__ import annotations

from hypothesis import strategies as st

from demo_workers.records.run import Run
from demo_workers.scenario import HOOKS, Admission, Load, Retry, Scenario, Service

policies = st.tuples(*(st.sampled_from([name for name in names if name != "custom"]) for names in HOOKS.values()))
loads = st.builds(
    Load,
    kind=st.sampled_from(["poisson", "uniform", "ramp", "spike", "closed"]),
    arrival_rate=st.floats(0, 120),
    ramp_to_rate=st.floats(0, 120),
    spike_rate=st.floats(0, 200),
    spike_start_s=st.floats(0, 2),
    spike_length_s=st.floats(0, 2),
    duration_s=st.floats(0.5, 4),
    clients=st.integers(1, 30),
    think_time_s=st.floats(0.05, 2),
    urgent_share=st.sampled_from([0.0, 0.3, 1.0]),
)
services = st.builds(
    Service,
    service_time_s=st.floats(0.005, 0.3),
    distribution=st.sampled_from(["exponential", "deterministic", "lognormal"]),
    cv=st.floats(0, 3),
    workers=st.integers(0, 5),
)
admissions = st.builds(
    Admission,
    policy=policies.map("+".join),
    limit=st.none() | st.integers(1, 40),
    client_rate=st.none() | st.floats(0.5, 20),
    client_burst=st.floats(1, 5),
    codel_target_s=st.floats(0.01, 0.3),
    codel_interval_s=st.floats(0.05, 1),
)
retries = st.builds(
    Retry,
    policy=st.sampled_from(["none", "immediate", "fixed", "exponential", "full", "equal", "decorrelated"]),
    attempts=st.integers(1, 5),
    base_s=st.floats(0.01, 0.5),
    cap_s=st.floats(0.05, 2),
    timeout_s=st.none() | st.floats(0.05, 2),
    deadline_s=st.none() | st.floats(0.1, 4),
    honour_retry_after=st.booleans(),
    after_timeout=st.sampled_from(["backoff", "at_once"]),
    idempotency_key=st.booleans(),
    propagate_deadline=st.booleans(),
    budget_ratio=st.none() | st.floats(0, 1),
    breaker_failures=st.none() | st.integers(1, 20),
    breaker_open_s=st.floats(0.05, 1),
    throttle_k=st.none() | st.floats(1, 3),
    bucket_tokens=st.none() | st.floats(1, 20),
)
scenarios = st.builds(
    Scenario,
    load=loads,
    service=services,
    admission=admissions,
    retry=retries,
    seed=st.integers(0, 2**63 - 1),
    drain_s=st.floats(0, 2),
)


def books_hold(run: Run) -> bool:
    """The ledger balances; with ``naive``, which lets more in than the limit, all but that line of it does."""
    forgiven = {"limit"} if run.scenario.admission.hook("admit") == "naive" else set()
    return {line.name for line in run.ledger.lines if line.ok is False} <= forgiven

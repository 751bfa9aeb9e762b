"""The twin agrees with the textbooks: within three standard errors over twenty runs."""

from __future__ import annotations

import numpy as np
import pytest

from demo_workers.scenario import Admission, Load, Scenario, Service
from lessons.theory import predict
from lessons.twin.simulate import simulate

RUNS = 20
STANDARD_ERRORS = 3.0
KEYS = ("wait_s", "sojourn_s", "in_system", "throughput", "utilization")


def scenario(
    rho: float, workers: int = 1, limit: int | None = None, seconds: float = 400.0, **service: object
) -> Scenario:
    """``workers`` at 10 jobs per second each, offered ``rho`` of what they can do."""
    return Scenario(
        load=Load(arrival_rate=rho * 10 * workers, duration_s=seconds),
        service=Service(service_time_s=0.1, workers=workers, **service),  # type: ignore[arg-type]  # as given below
        admission=Admission(limit=limit),
        drain_s=60.0,
    )


CASES = {
    "M/M/1": scenario(0.7),
    "M/M/3": scenario(0.8, 3, seconds=200.0),
    "M/M/2/6": scenario(1.3, 2, 6, seconds=200.0),
    "M/D/1": scenario(0.7, distribution="deterministic"),
    "M/G/1": scenario(0.6, distribution="lognormal", cv=1.5),
    "closed": Scenario(
        load=Load(kind="closed", clients=12, think_time_s=0.5, duration_s=200.0),
        service=Service(service_time_s=0.1, workers=2),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_mean_over_runs_is_the_formulas(name: str) -> None:
    """Waits, sojourns, jobs inside, throughput and utilization."""
    theory = predict(CASES[name]).to_dict()
    found: dict[str, list[float]] = {key: [] for key in KEYS}
    for seed in range(RUNS):
        measured = simulate(CASES[name].replace("seed", seed), engine="python").measures.to_dict()
        for key in KEYS:
            value = measured[key]
            assert value is not None
            found[key].append(value)
    for key, values in found.items():
        error = np.std(values, ddof=1) / np.sqrt(RUNS)
        expected = theory[key]
        assert expected is not None
        assert abs(np.mean(values) - expected) <= STANDARD_ERRORS * error, (key, np.mean(values), expected, error)


def test_the_check_can_fail() -> None:
    """Against the formulas of another load the same runs are far off."""
    theory = predict(CASES["M/M/1"].replace("load.arrival_rate", 8.0)).to_dict()["sojourn_s"]
    values = [simulate(CASES["M/M/1"].replace("seed", seed), engine="python").measures.sojourn_s for seed in range(5)]
    assert theory is not None
    assert all(value is not None and value < 0.9 * theory for value in values)

"""The twin agrees with the textbooks: within three standard errors over twenty replications."""

from __future__ import annotations

import random

import numpy as np
import pytest

from demo_workers.scenario import Admission, Load, Scenario, Service
from lessons.theory import predict
from lessons.twin import Replications, replicate
from lessons.twin.confidence import student_t

RUNS = 20
STANDARD_ERRORS = 3.0
KEYS = ("wait_s", "sojourn_s", "in_system", "throughput", "utilization", "p_block")


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
        load=Load(kind="closed", clients=12, think_time_s=0.5, duration_s=80.0),
        service=Service(service_time_s=0.1, workers=2),
    ),
}


def far_off(name: str, found: Replications, most: float) -> list[str]:
    """The measures whose mean is more standard errors away from theory than ``most``."""
    theory, lines = predict(CASES[name]).to_dict(), []
    for key in KEYS:
        values, expected = found.values(key), theory[key]
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        if abs(np.mean(values) - expected) > most * error:
            lines.append(f"{key}: {np.mean(values):.5g} ± {error:.2g}, theory {expected:.5g}")
    return lines


@pytest.mark.parametrize("name", CASES)
def test_the_mean_over_replications_is_the_formulas(name: str) -> None:
    """Waits, sojourns, jobs inside, throughput, utilization and the share refused, within three standard errors; the
    seeds follow from one that nobody chose. Of six cases with six means each, random seeds would fail once in five.
    """
    assert far_off(name, replicate(CASES[name].replace("seed", 0), RUNS), STANDARD_ERRORS) == []


@pytest.mark.parametrize("name", CASES)
def test_other_dice_agree_too(name: str) -> None:
    """Each time the suite runs, seeds that nobody has seen: so far off as to fail here is only one in a million suites
    by chance, however many means are looked at.
    """
    seed = random.randrange(2**63)
    means = len(CASES) * len(KEYS)
    most = student_t(RUNS - 1, 1 - 1e-6 / means)
    assert far_off(name, replicate(CASES[name].replace("seed", seed), RUNS), most) == [], f"seed {seed}"


def test_three_standard_errors_hold_the_truth_as_often_as_they_say() -> None:
    """Over cases, means and base seeds, in all but one of a hundred or so: neither bias nor luck."""
    names, seeds = ("M/M/1", "M/M/3", "M/M/2/6", "M/D/1"), range(100, 105)
    wrong = [
        line
        for name in names
        for seed in seeds
        for line in far_off(name, replicate(CASES[name].replace("seed", seed), RUNS), STANDARD_ERRORS)
    ]
    assert len(wrong) <= 0.05 * len(names) * len(seeds) * len(KEYS), wrong


@pytest.mark.parametrize("name", CASES)
def test_the_checks_can_fail(name: str) -> None:
    """A tenth more load, and all but the last check would notice."""
    load = CASES[name].load
    knob = "load.arrival_rate" if load.kind == "poisson" else "load.think_time_s"
    value = load.arrival_rate if load.kind == "poisson" else load.think_time_s
    found = replicate(CASES[name].replace(knob, value * 1.1), RUNS)
    assert far_off(name, found, student_t(RUNS - 1, 1 - 1e-6 / 36))

"""Section b: 300 requests per second of 50 ms each. Fifteen workers are enough for the work, and for nothing else."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from IPython.display import display

from demo_workers.errors import LabError, UnstableQueue
from demo_workers.records.measures import Measures
from demo_workers.scenario import Load, Scenario, Service
from lessons.check.claims import Claim, check
from lessons.show import charts
from lessons.theory import Prediction, erlang, predict, predict_or_reason, staffing
from lessons.twin.simulate import simulate

RATE, SERVICE_S = 300.0, 0.05
"""Requests per second, and the mean work of one (seconds)."""

JUST_ENOUGH, ROOT = 15, 19
"""Workers: what the work alone keeps busy, and with the square root of that as a reserve."""

CHOICES = range(16, 23)
LENGTH_S, SEEDS = 6.0, (21, 77)
"""Of the twin's runs in the notebook. Two tapes are few, for Run All must be quick; these two are typical."""

AXIS = {1.0: "1 ms", 10.0: "10 ms", 100.0: "100 ms"}


def crew(workers: int, *, seed: int = 7, length_s: float = LENGTH_S) -> Scenario:
    """The load of this section, for so many workers."""
    load = Load(arrival_rate=RATE, duration_s=length_s)
    return Scenario(load=load, service=Service(service_time_s=SERVICE_S, workers=workers), seed=seed)


def show_enough() -> None:
    """What theory says to fifteen workers: why it has no answer."""
    reason = predict_or_reason(crew(JUST_ENOUGH))
    print(textwrap.fill(f"{type(reason).__name__}: {reason}" if isinstance(reason, LabError) else f"{reason}", 100))


def show_rule() -> None:
    """The square-root rule, with numbers that follow from the formulas alone."""
    load = RATE * SERVICE_S
    print(f"work alone keeps busy: a = λS = {RATE:g} × {SERVICE_S:g} = {load:g} workers")
    for beta, name in ((1.0, "a + √a"), (2.0, "a + 2√a")):
        workers = staffing.square_root_workers(load, beta)
        share, limit = erlang.c(workers, load), staffing.halfin_whitt_p_wait(beta)
        print(f"{name:>7}: {workers} workers; {share:.0%} have to wait (in a very large system {limit:.0%})")


def twin_crews(*, seeds: Sequence[int] = SEEDS, length_s: float = LENGTH_S) -> dict[int, list[Measures]]:
    """Fifteen workers and each of the choices in the twin, all on the same tapes: number → one per seed."""
    return {
        workers: [
            simulate(crew(workers, seed=seed, length_s=length_s), engine="python").measures for seed in seeds
        ]
        for workers in (JUST_ENOUGH, *CHOICES)
    }  # fmt: skip


def show_crews(twin: Mapping[int, Sequence[Measures]]) -> None:
    """The mean wait over the number of workers, and a table of both: who waits, and how long on average."""
    theory = {workers: expected(workers) for workers in CHOICES}
    waits = {workers: [1000 * (one.wait_s or 0.0) for one in ones] for workers, ones in twin.items()}
    layers = [
        charts.curve("theory, M/M/c", list(theory), [1000 * said.wait_s for said in theory.values()]),
        charts.spread("twin", waits, joined=False),
    ]
    title = "Each worker more helps, and each helps less than the one before"
    ticks = {float(workers): str(workers) for workers in twin}
    display(charts.chart(title, layers, x="workers", y="mean wait", log_y=True, ticks=ticks, y_ticks=AXIS))
    print(f"{'have to wait':>31}{'mean wait [ms]':>18}")
    print(f"workers  busy{'theory':>11}{'twin':>7}{'theory':>11}{'twin':>7}")
    for workers, ones in twin.items():
        said = theory.get(workers)
        busy, share, wait = (
            ("100%", "–", "–")
            if said is None
            else (f"{said.utilization:.0%}", f"{said.p_wait:.0%}", f"{1000 * said.wait_s:.1f}")
        )
        seen = _mean(ones, "p_wait"), float(np.mean(waits[workers]))
        print(f"{workers:>7}{busy:>6}{share:>11}{seen[0]:>7.0%}{wait:>11}{seen[1]:>7.1f}")


def expected(workers: int) -> Prediction:
    """The long run, by theory.

    Raises:
        UnstableQueue: there is none.
    """
    return predict(crew(workers))


def check_crews(twin: Mapping[int, Sequence[Measures]]) -> None:
    """What section b says of fifteen workers and of more.

    Raises:
        ClaimError: it is not so.
    """
    waits = np.array([expected(workers).wait_s for workers in CHOICES])
    theory = dict(zip(CHOICES, waits.tolist(), strict=True))
    by_tape = [[ones[n].wait_s or 0.0 for ones in twin.values()] for n in range(len(twin[ROOT]))]
    few, enough = _mean(twin[JUST_ENOUGH], "wait_s"), _mean(twin[ROOT], "wait_s")
    waiting = _mean(twin[ROOT], "p_wait")
    numbers = f"theory {theory}; twin {by_tape}; who waits {waiting:.3f}"
    check(
        Claim("theory has no long run for fifteen workers, and for sixteen it has", _endless(JUST_ENOUGH), numbers),
        Claim("the square-root rule says nineteen",
              staffing.square_root_workers(RATE * SERVICE_S, 1.0) == ROOT, numbers),
        Claim("theory: with nineteen about one in four has to wait", 0.2 < expected(ROOT).p_wait < 0.3, numbers),
        Claim("theory: from sixteen to nineteen the wait shrinks to less than a tenth",
              theory[ROOT] < 0.1 * theory[CHOICES[0]], numbers),
        Claim("theory: each worker more helps less than the one before", bool(np.all(np.diff(waits, 2) > 0)), numbers),
        Claim("twin: on the same tape each worker more makes the wait shorter",
              all(bool(np.all(np.diff(tape) < 0)) for tape in by_tape), numbers),
        Claim("twin: with fifteen the wait is many times that with nineteen", few > 5 * enough, numbers),
        Claim("twin: with nineteen some have to wait, and most do not", 0 < waiting < 0.65, numbers),
    )  # fmt: skip


def _endless(workers: int) -> bool:
    try:
        expected(workers)
    except UnstableQueue:
        return expected(workers + 1).utilization < 1
    return False


def _mean(ones: Sequence[Measures], key: str) -> float:
    return float(np.mean([getattr(one, key) for one in ones]))

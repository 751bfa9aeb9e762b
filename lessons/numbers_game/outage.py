"""Section c, the star: all workers are away for five minutes, and the queue is long for four times as long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from IPython.display import display
from numpy.typing import NDArray

from demo_workers.records.directory import Steer
from demo_workers.records.events import EVENT
from demo_workers.records.measures import stays
from demo_workers.records.run import Run
from demo_workers.scenario import Load, Scenario, Service
from lessons.check.claims import Claim, check
from lessons.show import charts
from lessons.theory import drain
from lessons.twin.simulate import Engine, simulate

WORKERS, SERVICE_S, CV = 4, 0.4, 0.5
"""Chirp's thumbnails: ten per second at most; the work of one (seconds), and how much that varies."""

BEGINS_S, OUTAGE_S = 60.0, 300.0
"""When the workers go away, and for how long (seconds)."""

USUAL = 0.8
"""How busy they are on any other day."""

UTILIZATIONS = (0.5, 0.7, USUAL)
SEEDS = range(40, 43)
OTHERS = range(40, 42)
"""Seeds of the tapes at the usual utilization, and at the others."""
BAND_S = 900.0, 1500.0
"""In at least 99 of 100 tapes the recovery at 80 % takes so long: fifteen to twenty-five minutes."""

LATER_S, AROUND_S = 600.0, 60.0
"""Who comes so long after the repair, give or take a minute, is asked how long it took."""

STEP_S = 5.0
"""Between two looks at the queue, for the picture."""


class Recovery(NamedTuple):
    """What an outage did to one tape; seconds.

    Attributes:
        utilization: before and after it.
        recovered_s: from the workers' return until somebody came who did not have to wait; NaN if nobody did.
        later_wait_s: mean wait of those who came ten minutes after the workers' return.
        t_s: times, from the moment the workers went.
        inside: how many jobs were inside then, waiting and running.
    """

    utilization: float
    recovered_s: float
    later_wait_s: float
    t_s: NDArray[np.float64]
    inside: NDArray[np.int64]


def broken(utilization: float, seed: int) -> Run:
    """The scenario and what is done to it, as a record that was never played: no worker for five minutes.

    The twin replays the steering log of a run, whoever wrote it.

    Args:
        utilization: ρ before and after.
        seed: of the tape.
    """
    back_s = BEGINS_S + OUTAGE_S
    load = Load(
        arrival_rate=utilization * WORKERS / SERVICE_S,
        duration_s=back_s + 1.4 * drain.recovery_s(OUTAGE_S, utilization) + LATER_S / 5,
    )
    service = Service(service_time_s=SERVICE_S, workers=WORKERS, distribution="lognormal", cv=CV)
    log = [Steer(BEGINS_S, "workers", 0), Steer(back_s, "workers", WORKERS)]
    scenario = Scenario(load=load, service=service, seed=seed, drain_s=0.0)
    return Run(scenario=scenario, source="twin", steering=log, events=np.empty(0, EVENT))


def suffer(utilization: float, seed: int, *, engine: Engine = "python") -> Recovery:
    """Play an outage in the twin.

    Args:
        utilization: ρ before and after.
        seed: of the tape.
        engine: of the twin.
    """
    return recovery(simulate(broken(utilization, seed), engine=engine), utilization)


def recovery(run: Run, utilization: float) -> Recovery:
    """Read off a run of the twin what its outage did.

    Args:
        run: the twin's, of a ``broken`` one.
        utilization: ρ before and after.
    """
    back_s = BEGINS_S + OUTAGE_S
    came_s, at_once = run.attempts["admitted_s"], run.attempts["depth_seen"] <= WORKERS
    free = came_s[(came_s >= back_s) & at_once]
    came, left = (np.sort(times) for times in stays(run))
    t_s = np.arange(0.0, run.length_s, STEP_S)
    inside = np.searchsorted(came, t_s, side="right") - np.searchsorted(left, t_s, side="right")
    return Recovery(
        utilization=utilization,
        recovered_s=float(free[0] - back_s) if len(free) else float("nan"),
        later_wait_s=_wait_s(run, back_s + LATER_S),
        t_s=t_s - BEGINS_S,
        inside=inside,
    )


def _wait_s(run: Run, around_s: float) -> float:
    """Mean wait of those who came around a moment; NaN where nobody came who was served."""
    done = run.executions[~np.isnan(run.executions["started_s"])]
    came_s = run.attempts["admitted_s"][np.searchsorted(run.attempts["request"], done["request"])]
    waits = (done["started_s"] - came_s)[np.abs(came_s - around_s) < AROUND_S]
    return float(np.mean(waits)) if len(waits) else float("nan")


def twin_outages() -> dict[float, list[Recovery]]:
    """The same five minutes at three utilizations, in plain Python: ρ → one recovery per tape."""
    return {rho: [suffer(rho, seed) for seed in (SEEDS if rho == USUAL else OTHERS)] for rho in UTILIZATIONS}


def fluid(t_s: NDArray[np.float64], utilization: float = USUAL) -> NDArray[np.float64]:
    """The backlog by rates alone: it grows by λ while nobody works, and shrinks by cμ − λ after that.

    Args:
        t_s: times from the beginning of the outage (seconds).
        utilization: ρ.
    """
    capacity = WORKERS / SERVICE_S
    away_s = np.clip(t_s, 0.0, OUTAGE_S)
    after_s = np.clip(t_s - OUTAGE_S, 0.0, None)
    return np.asarray(np.maximum(capacity * (utilization * away_s - (1 - utilization) * after_s), 0.0))


def show_outage(twin: Mapping[float, Sequence[Recovery]]) -> None:
    """The queue at 80 % from a minute before the outage on: arithmetic and every tape."""
    ones = twin[USUAL]
    t_s = ones[0].t_s
    layers = [charts.curve("arithmetic", t_s / 60, fluid(t_s))]
    layers += [charts.path(f"twin, tape {n}", one.t_s / 60, one.inside) for n, one in enumerate(ones, start=1)]
    title = "Five minutes without workers, at 80 %"
    display(charts.chart(title, layers, x="minutes since the workers went", y="jobs inside"))
    for n, one in enumerate(ones, start=1):
        most, minutes, wait = np.max(one.inside), one.recovered_s / 60, one.later_wait_s / 60
        print(f"tape {n}: up to {most} jobs inside; normal again {minutes:.1f} min after the repair; "
              f"10 min after it one waited {wait:.1f} min")  # fmt: skip


def show_recoveries(twin: Mapping[float, Sequence[Recovery]]) -> None:
    """Minutes to recover over the utilization: Tρ/(1 − ρ), and the twin."""
    xs = np.linspace(0.05, 0.92, 100)
    minutes = {rho: [one.recovered_s / 60 for one in ones] for rho, ones in twin.items()}
    layers = [
        charts.curve("arithmetic, Tρ/(1 − ρ)", xs, [drain.recovery_s(OUTAGE_S, float(x)) / 60 for x in xs]),
        charts.spread("twin", minutes, joined=False),
    ]
    title = "The same five minutes: how long until it is normal again?"
    display(charts.chart(title, layers, x="utilization ρ before and after", y="minutes after the repair"))
    for rho in (*twin, 0.9, 0.95):
        print(f"ρ = {rho:.2f}: {drain.recovery_s(OUTAGE_S, rho) / 60:.0f} minutes")


def back_to_normal(twin: Mapping[float, Sequence[Recovery]]) -> str:
    """How long it took at 80 %, in a phrase."""
    minutes = np.array([one.recovered_s for one in twin[USUAL]]) / 60
    return f"{np.min(minutes):.0f} to {np.max(minutes):.0f} minutes later, by arithmetic twenty"


def in_band(one: Recovery) -> bool:
    """Whether it took between fifteen and twenty-five minutes."""
    return BAND_S[0] < one.recovered_s < BAND_S[1]


def check_outage(twin: Mapping[float, Sequence[Recovery]]) -> None:
    """What section c says of the outage.

    Raises:
        ClaimError: it is not so.
    """
    took = {rho: [one.recovered_s for one in ones] for rho, ones in twin.items()}
    means = [float(np.mean(ones)) for ones in took.values()]
    later = [one.later_wait_s for one in twin[USUAL]]
    highest = [float(np.max(one.inside)) for one in twin[USUAL]]
    piled = fluid(np.array([OUTAGE_S]))[0]
    numbers = f"recovered {took}; waits later {later}; highest {highest}"
    check(
        Claim("arithmetic: five minutes at eighty per cent take twenty more",
              abs(drain.recovery_s(OUTAGE_S, USUAL) - 1200) < 1e-6, numbers),
        Claim("twin: the queue grew to about what came in five minutes",
              all(abs(high - piled) < 0.15 * piled for high in highest), numbers),
        Claim("twin: on every tape it is normal again fifteen to twenty-five minutes after the repair",
              all(map(in_band, twin[USUAL])), numbers),
        Claim("twin: ten minutes after the repair one still waits for more than a minute", min(later) > 60, numbers),
        Claim("twin: at half load it takes about as long as the outage itself",
              abs(means[0] - OUTAGE_S) < 0.25 * OUTAGE_S, numbers),
        Claim("twin: the busier the workers usually are, the longer it takes", means == sorted(means), numbers),
    )  # fmt: skip

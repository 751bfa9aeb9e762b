"""Section d: one worker, ever closer to its capacity. Theory as a curve, the twin and the live system as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from IPython.display import display

from demo_workers.records.run import Run
from demo_workers.scenario import Distribution, Load, Scenario, Service
from lessons.back_pressure.journeys import journeys
from lessons.back_pressure.lesson import Lesson
from lessons.check.claims import Claim, check
from lessons.show import charts
from lessons.theory import mg1, mm1
from lessons.twin.simulate import Overheads, simulate

RHOS = (0.5, 0.6, 0.7, 0.8, 0.9)
LIVE_RHOS = (0.5, 0.8)
"""What Run All plays live; a reader may play all of them."""

SERVICE_S = 0.04
LIVE_S = 1.2
JOBS, SEEDS = 300, range(20, 22)
"""Jobs in one run of the twin, times 1/(1 − ρ) since a busy queue forgets slowly; and its tapes.

Two tapes are few, for Run All must be quick; these two are typical."""

SETTLE = 0.25
"""Share of a run that is left out at its beginning: a queue that begins empty is too short at first."""

VARIATIONS = (0.0, 1.0, 3.0)
CROWDED = 0.9
VARIED_JOBS = 1800
"""Rare long jobs decide, so more of them must be seen."""


class Point(NamedTuple):
    """One live run beside the twin on its tape, and theory; waits in units of the time a job holds its worker."""

    rho: float
    live: float
    twin: float
    theory: float
    run: Run


def scenario(rho: float, held_s: float, *, duration_s: float, seed: int = 7, cv: float = 1.0) -> Scenario:
    """One worker that is offered ``rho`` of what it can do.

    Args:
        rho: offered utilization.
        held_s: how long a job holds its worker on average, RQ's own cost included (seconds).
        duration_s: length of the load.
        seed: the tape's seed.
        cv: coefficient of variation of the work: 0 all alike, 1 exponential, more is lognormal.
    """
    kinds: dict[float, Distribution] = {0.0: "deterministic", 1.0: "exponential"}
    work = Service(service_time_s=SERVICE_S, workers=1, distribution=kinds.get(cv, "lognormal"), cv=cv)
    return Scenario(
        load=Load(arrival_rate=rho / held_s, duration_s=duration_s), service=work, seed=seed, drain_s=60.0
    )  # fmt: skip


def theory_wait(rho: float, cv: float = 1.0) -> float:
    """The mean wait in units of the mean service time: ρ/(1 − ρ) · (1 + cv²)/2."""
    return (mm1.steady_state(rho, 1.0) if cv == 1 else mg1.steady_state(rho, 1.0, cv)).wait_s


def show_theory() -> None:
    """Print the hockey stick's numbers; they follow from the formula alone."""
    for rho in (*RHOS, 0.95, 0.99):
        print(f"ρ = {rho:.2f}: a post waits {theory_wait(rho):5.2f} times as long as one takes to do")


def wait(run: Run, skip_s: float = 0.0) -> float:
    """Mean wait of the posts (seconds), without those that came in the first ``skip_s``."""
    posts = journeys(run)
    return float(np.mean((posts.started_s - posts.came_s)[posts.came_s >= skip_s]))


def cost(run: Run) -> Overheads:
    """What RQ cost per job in this very run, with one worker: also what a sleep took longer than it should.

    A short run on a busy machine has its own cost, which is not that of the calibration.
    """
    posts = journeys(run)
    drawn = journeys(simulate(run, engine="python"))
    done = run.executions[~np.isnan(run.executions["started_s"])]
    waited = posts.came_s[1:] < posts.finished_s[:-1]  # the worker went straight on to these
    asked = dict(zip(drawn.request.tolist(), (drawn.finished_s - drawn.started_s).tolist(), strict=True))
    longer = (posts.finished_s - posts.started_s) - [asked[number] for number in posts.request.tolist()]
    after = (done["picked_s"][1:] - done["finished_s"][:-1])[waited]
    return Overheads(
        before_s=float(np.mean(done["started_s"] - done["picked_s"])) + max(0.0, float(np.mean(longer))),
        # a clock that is read in two processes may make a short pause negative
        after_s=max(0.0, float(np.mean(after))) if len(after) else 0.0,
    )


def _twin_waits(rho: float, *, cv: float = 1.0, jobs: int, seeds: Sequence[int]) -> list[float]:
    length_s = jobs * SERVICE_S / rho
    runs = (
        simulate(scenario(rho, SERVICE_S, duration_s=length_s, seed=seed, cv=cv), engine="python") for seed in seeds
    )
    return [wait(run, SETTLE * length_s) / SERVICE_S for run in runs]


def twin_stick(rhos: Sequence[float] = RHOS, *, seeds: Sequence[int] = SEEDS) -> dict[float, list[float]]:
    """The twin's mean waits in service times, one per seed, without any cost of RQ's."""
    return {rho: _twin_waits(rho, jobs=round(JOBS / (1 - rho)), seeds=seeds) for rho in rhos}


async def live_points(lesson: Lesson, rhos: Sequence[float] = LIVE_RHOS, *, duration_s: float = LIVE_S) -> list[Point]:
    """Real RQ with one worker; each run is played again in the twin, on the same tape and with RQ's cost in it.

    The load is set by what RQ costs three workers, which is known already: one alone has a little less to do.
    """
    held_s, found = SERVICE_S + lesson.cost.overhead_s, list[Point]()
    for rho in rhos:
        asked = scenario(rho, held_s, duration_s=duration_s).replace("drain_s", 2.0)
        run = await lesson.play(asked)
        again = simulate(run, overheads=cost(run), engine="python")
        found.append(Point(rho, wait(run) / held_s, wait(again) / held_s, theory_wait(rho), run))
    return found


def show_stick(twin: Mapping[float, Sequence[float]], live: Sequence[Point] = ()) -> None:
    """Theory as a pale curve, the twin's range thin, live runs as bold dots."""
    xs = np.linspace(0.02, 0.93, 120)
    series = [charts.curve("theory, M/M/1", xs, [theory_wait(float(x)) for x in xs]), charts.spread("twin", twin)]
    if live:
        series.append(charts.measured("live, real RQ, a short run", {point.rho: [point.live] for point in live}))
        series.append(charts.same_tape("twin on the live tape", {point.rho: [point.twin] for point in live}))
    display(charts.chart("The nearer to the capacity, the longer the wait", series, x="utilization ρ",
                         y="wait, in service times"))  # fmt: skip
    for point in live:
        print(f"ρ = {point.rho}: live {point.live:.2f}, twin on its tape {point.twin:.2f}, theory {point.theory:.2f}")


def check_stick(twin: Mapping[float, Sequence[float]], live: Sequence[Point]) -> None:
    """What section d says of the hockey stick.

    Raises:
        ClaimError: it is not so.
    """
    means = {rho: float(np.mean(ones)) for rho, ones in twin.items()}
    near = [abs(mean - theory_wait(rho)) < 0.25 * theory_wait(rho) for rho, mean in means.items()]
    low, high = min(means), max(means)
    numbers = f"twin {means}; live {[point[:4] for point in live]}"
    near_twin = [max(point.live, point.twin) < 1 + 2 * min(point.live, point.twin) for point in live]
    check(
        Claim("theory: from a half to nine tenths the wait grows ninefold",
              abs(theory_wait(0.9) / theory_wait(0.5) - 9) < 1e-9, numbers),
        Claim("the twin's points lie on the curve", all(near), numbers),
        Claim("each step towards the capacity costs more than the step before",
              bool(np.all(np.diff(np.diff([means[rho] for rho in sorted(means)])) > 0)), numbers),
        Claim("the twin's wait grows at least sixfold", means[high] > 6 * means[low], numbers),
        Claim("the busier live run waited longer", live[-1].live > live[0].live, numbers),
        Claim("on the same tape live and twin wait for times of the same size", all(near_twin), numbers),
        Claim("the books of the live runs balance", all(point.run.ledger.balanced for point in live), numbers),
    )  # fmt: skip


def vary(*, seeds: Sequence[int] = SEEDS) -> dict[float, list[float]]:
    """At ρ = 0.9, work that is all alike, exponential, and wildly different: the twin's mean waits in service times."""
    return {cv: _twin_waits(CROWDED, cv=cv, jobs=VARIED_JOBS, seeds=seeds) for cv in VARIATIONS}


def show_variation(twin: Mapping[float, Sequence[float]]) -> None:
    """Pollaczek and Khinchine's curve and the twin's points."""
    xs = np.linspace(0, 3.2, 80)
    series = [
        charts.curve("theory, Pollaczek–Khinchine", xs, [theory_wait(CROWDED, float(x)) for x in xs]),
        charts.spread("twin", twin),
    ]
    title = "The same load, the same average work: only its variation differs"
    display(charts.chart(title, series, x="coefficient of variation of the work", y="wait, in service times"))
    for cv, ones in twin.items():
        print(f"cv {cv:g}: twin {np.mean(ones):.1f} service times, theory {theory_wait(CROWDED, cv):.1f}")


def check_variation(twin: Mapping[float, Sequence[float]]) -> None:
    """What section d says of variation.

    Raises:
        ClaimError: it is not so.
    """
    calm, plain, wild = (float(np.mean(twin[cv])) for cv in VARIATIONS)
    numbers = f"{calm:.2f}, {plain:.2f}, {wild:.2f}"
    check(
        Claim("theory: work that is all alike waits half as long as exponential work",
              abs(theory_wait(CROWDED, 0.0) / theory_wait(CROWDED) - 0.5) < 1e-9, numbers),
        Claim("theory: with a variation of three it waits five times as long",
              abs(theory_wait(CROWDED, 3.0) / theory_wait(CROWDED) - 5) < 1e-9, numbers),
        Claim("the twin: about half as long", 0.3 < calm / plain < 0.7, numbers),
        Claim("the twin: several times as long", wild > 2.5 * plain, numbers),
    )  # fmt: skip

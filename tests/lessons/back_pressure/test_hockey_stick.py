"""Section d: the nearer to the capacity the longer the wait, and the more the work varies; each claim can fail."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence

import pytest

from demo_workers.records.events import Kind
from demo_workers.records.run import Run
from lessons import back_pressure
from lessons.back_pressure import Lesson
from lessons.back_pressure.hockey_stick import Point, cost, scenario, theory_wait, wait
from lessons.check.claims import ClaimError
from lessons.check.gaps import Gaps, gaps
from lessons.theory import predict
from lessons.twin.simulate import Overheads, simulate
from tests.lessons.back_pressure.paper import played


@pytest.mark.parametrize(("rho", "expected"), [(0.5, 1), (0.6, 1.5), (0.7, 7 / 3), (0.8, 4), (0.9, 9), (0.99, 99)])
def test_the_hockey_stick_of_theory(rho: float, expected: float) -> None:
    """ρ/(1 − ρ), in service times."""
    assert theory_wait(rho) == pytest.approx(expected)


@pytest.mark.parametrize(("cv", "factor"), [(0, 0.5), (1, 1), (3, 5)])
def test_variation_in_theory(cv: float, factor: float) -> None:
    """(1 + cv²)/2 times as long."""
    assert theory_wait(0.9, cv) == pytest.approx(9 * factor)


def test_the_printed_theory_is_the_same_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Its numbers are compared when the notebook is tested."""
    back_pressure.show_theory()
    assert "ρ = 0.90: a post waits  9.00 times" in capsys.readouterr().out


def a_run(rho: float, **changes: object) -> Run:
    """A short run with one worker."""
    return played(scenario(rho, 0.04, duration_s=2.0), **changes)


def points(
    live: Sequence[float] = (1.1, 3.4), twin: Sequence[float] = (1.0, 3.5), run: Run | None = None
) -> list[Point]:
    """Two live points with their twins."""
    one = a_run(0.5) if run is None else run
    return [Point(rho, a, b, theory_wait(rho), one) for rho, a, b in zip((0.5, 0.8), live, twin, strict=True)]


TWIN = {0.5: [1.0], 0.6: [1.5], 0.7: [2.3], 0.8: [4.1], 0.9: [8.8]}
BAD: dict[str, Callable[[], tuple[dict[float, list[float]], list[Point]]]] = {
    "lie on the curve": lambda: (TWIN | {0.7: [3.0]}, points()),
    "costs more than the step before": lambda: (TWIN | {0.7: [1.8], 0.6: [1.7]}, points()),
    "at least sixfold": lambda: (TWIN | {0.9: [5.9]}, points()),
    "the busier live run": lambda: (TWIN, points(live=(3.4, 1.1))),
    "times of the same size": lambda: (TWIN, points(live=(1.1, 9.0))),
    "books of the live runs": lambda: (TWIN, points(run=a_run(0.5, lose=Kind.ENDED))),
}


def test_a_true_stick_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a digit."""
    back_pressure.check_stick(TWIN, points())
    lines = capsys.readouterr().out
    assert lines.count("✓") == 7
    assert not any(letter.isdigit() for letter in lines)


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_the_stick_can_fail(claim: str) -> None:
    """By the one point that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_stick(*BAD[claim]())


def test_the_notebooks_own_tapes_bear_it_out() -> None:
    """What the twin's cells play; the live points are the twin's here."""
    back_pressure.check_stick(back_pressure.twin_stick(), points())
    back_pressure.check_variation(back_pressure.vary())


@pytest.mark.parametrize(
    ("claim", "waits"),
    [("half as long", (9.0, 9.0, 40.0)), ("several times", (4.5, 9.0, 12.0))],
)
def test_each_claim_about_variation_can_fail(claim: str, waits: tuple[float, float, float]) -> None:
    """By the one mean that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_variation({cv: [value] for cv, value in zip((0.0, 1.0, 3.0), waits, strict=True)})


@pytest.mark.live
@pytest.mark.timed
async def test_live_points_lie_near_their_twins(lesson: Lesson) -> None:
    """Real RQ with one worker, short as in the notebook."""
    live = await back_pressure.live_points(lesson)
    back_pressure.check_stick(TWIN, live)


def test_the_cost_in_a_run_is_found_again() -> None:
    """Played with a cost, a run tells it; so the twin can be given what a busy machine really took."""
    asked = scenario(0.8, 0.05, duration_s=30.0)
    run = simulate(asked, overheads=Overheads(before_s=0.004, after_s=0.006), engine="python")
    found = cost(run)
    assert found.before_s == pytest.approx(0.004, rel=0.05)
    assert found.after_s == pytest.approx(0.006, rel=0.05)
    assert wait(simulate(run, overheads=found, engine="python")) == pytest.approx(wait(run), rel=0.02)


def laid_over(run: Run) -> Gaps:
    """A run beside its twins, as the notebook lays it."""
    return back_pressure.lay_over(Point(0.8, 0.0, 0.0, 4.0, run))


def live(seed: int, overheads: Overheads | None = None) -> Run:
    """A run that takes itself for a live one."""
    asked = scenario(0.8, 0.044, duration_s=2.4, seed=seed)
    spent = overheads or Overheads(before_s=0.002, after_s=0.002)
    return dataclasses.replace(simulate(asked, overheads=spent, engine="python"), source="live")


def test_true_gaps_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """For any tape, without a digit."""
    for _ in range(3):
        back_pressure.check_gaps(laid_over(live(random.randrange(10**6))))
    lines = [line for line in capsys.readouterr().out.splitlines() if "✓" in line]
    assert len(lines) == 9
    assert not any(letter.isdigit() for line in lines for letter in line)


def test_a_live_run_that_falls_behind_is_no_twins() -> None:
    """Jobs that took many times as long as drawn, while the twin knows nothing of it."""
    slow = live(7, Overheads(before_s=0.3))
    twins = [simulate(dataclasses.replace(slow.scenario, seed=seed), engine="python") for seed in range(7, 20)]
    with pytest.raises(ClaimError, match=r"as many posts per second.*another tape would change more"):
        back_pressure.check_gaps(gaps(predict(slow.scenario), *twins, slow))


def test_a_run_that_is_above_the_formula_is_told() -> None:
    """The formula of half the load lies below what all tapes say."""
    run = live(7)
    light = predict(scenario(0.2, 0.044, duration_s=2.4))
    with pytest.raises(ClaimError, match="is not above what the formula says"):
        back_pressure.check_gaps(gaps(light, *laid_over(run).tapes, run))

"""How far theory, twin and live run are apart, and what of it is chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from demo_workers.errors import LabError
from demo_workers.scenario import Scenario
from lessons.check.gaps import CLOSE, HEADLINES, WORDS, Gap, Spread, gaps
from lessons.theory.prediction import KEYS, Prediction
from lessons.twin.simulate import Overheads, simulate
from tests.lessons.compared import CALM, DEAR, FULL, GROWING, live, theory, twins


def test_one_more_run_falls_within_the_spread_as_often_as_it_says() -> None:
    """Eight values and a ninth, four thousand times: 95 %; the confidence of the mean holds it far more seldom."""
    dice = np.random.default_rng(2026)
    rows = dice.normal(3.0, 2.0, (4000, 9))
    spreads = [Spread.of(row[:8].tolist()) for row in rows]
    assert all(spreads)
    off = [abs(row[8] - spread.mean) for row, spread in zip(rows, spreads, strict=True) if spread]
    held = np.mean([o <= spread.one_more for o, spread in zip(off, spreads, strict=True) if spread])
    mean_only = np.mean([o <= spread.mean_ci95 for o, spread in zip(off, spreads, strict=True) if spread])
    assert 0.94 <= held <= 0.96
    assert mean_only < 0.65


def test_the_spread_is_the_textbooks() -> None:
    """Both intervals by an independent implementation, and none of two values."""
    values = [1.0, 2.5, 2.0, 4.0]
    found = Spread.of(values)
    assert found is not None
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (found.mean - found.mean_ci95, found.mean + found.mean_ci95) == pytest.approx((low, high))
    assert found.one_more == pytest.approx(stats.t.ppf(0.975, 3) * np.std(values, ddof=1) * np.sqrt(1.25))
    assert Spread.of([1.0, 2.0]) is None


@pytest.mark.parametrize("scenario", [CALM, FULL])
def test_a_live_run_that_is_like_its_twin_agrees(scenario: Scenario) -> None:
    """In every headline, and the finding says so."""
    found = gaps(None, *twins(scenario), live(scenario))
    assert {gap.key: str(gap) for gap in found.headlines if gap.live_verdict != "agrees"} == {}
    assert found.finding == "Live agrees with its twin"
    assert found.biased == []


def test_a_bias_that_luck_would_hide_is_found_on_the_same_tape() -> None:
    """Another seed changes the stay by far more than fourteen milliseconds do; the same tape shows them."""
    found = gaps(None, *twins(CALM), live(CALM, DEAR))
    gap = found["sojourn_s"]
    assert gap.live_verdict == "bias"
    assert gap.live is not None
    assert gap.twin is not None
    assert gap.luck is not None
    assert gap.machine is not None
    assert gap.machine.one_more < gap.live - gap.twin < gap.luck.one_more
    assert gap.live_to_twin == pytest.approx(100 * (gap.live / gap.twin - 1))
    assert str(gap) == f"bias: live is {gap.live_to_twin:.0f} % above the twin"
    assert found.finding.startswith("Bias: live is ")
    assert gaps(None, *twins(CALM, same=0), live(CALM, DEAR))["sojourn_s"].live_verdict == "agrees"  # what luck hides


def test_one_twin_alone_judges_only_what_luck_cannot_do() -> None:
    """On one tape without costs drawn anew a small gap is unknown, a huge one is bias, and a tiny one agrees."""
    few = twins(CALM, same=1)
    assert gaps(None, *few, live(CALM, DEAR))["sojourn_s"].live_verdict == "unknown"
    huge = Overheads(before_s=0.2, after_s=0.003)
    assert gaps(None, *few, live(CALM, huge))["sojourn_s"].live_verdict == "bias"
    assert gaps(None, *few, live(CALM))["sojourn_s"].live_verdict == "agrees"
    alone = gaps(None, few[0], live(CALM, huge))
    assert alone["sojourn_s"].live_verdict == "unknown"
    assert alone.finding.startswith("Live is up to ")


def test_a_formula_holds_where_it_should_and_not_where_it_is_wrong() -> None:
    """A queue with a limit settles at once. A formula that does not know RQ's cost promises too much."""
    some = twins(FULL, same=0, others=15)
    right = gaps(theory(FULL), *some)
    assert right.finding == "The formula holds"
    assert right["throughput"].theory_verdict == "agrees"
    wrong = gaps(
        theory(FULL, Overheads(before_s=-0.0, after_s=0.0)), *(simulate(r.scenario, overheads=DEAR) for r in some)
    )
    assert wrong["throughput"].theory_verdict == "bias"
    assert wrong["throughput"].twin_to_theory == pytest.approx(-20, abs=8)
    assert wrong.finding.endswith(" % off")


def test_a_run_that_is_too_short_is_not_the_formulas_fault() -> None:
    """Near saturation a queue takes minutes to fill; the finding says that the long run is still away."""
    near = CALM.steered(arrival_rate=53.0)
    found = gaps(theory(near), *twins(near, same=0))
    assert found["in_system"].theory_verdict == "bias"
    assert found.too_short
    assert found.finding.startswith("The long run is up to ")
    assert not gaps(theory(FULL), *twins(FULL)).too_short


def test_no_theory_is_no_error_but_a_reason() -> None:
    """Of an unstable queue everything else is still compared."""
    found = gaps(theory(GROWING), *twins(GROWING), live(GROWING))
    assert found.prediction is None
    assert "arrival_rate = 90 per second" in found.reason
    assert found.finding == "Live agrees with its twin; no formula fits"
    assert {gap.theory for gap in found.values()} == {None}


def test_every_shared_key_has_its_gap_and_its_words() -> None:
    """In the keys' own order; those that matter most come first in pictures."""
    found = gaps(theory(CALM), *twins(CALM, others=2), live(CALM))
    assert tuple(found) == KEYS == tuple(found.to_dict())
    assert set(WORDS) == set(KEYS) >= set(HEADLINES)
    assert isinstance(found.theory, Prediction)
    assert found["in_system"].theory == found.theory.in_system
    assert "shed_rate" not in [gap.key for gap in found.headlines]  # nothing is refused without a limit


def test_nothing_has_no_percent() -> None:
    """What the twin never did is measured in its own unit."""
    gap = Gap(key="shed_rate", twin=0.0, live=2.0, luck=Spread.of([0.0, 0.0, 0.3]))
    assert gap.live_to_twin is None
    assert gap.live_verdict == "bias"
    assert str(gap) == "bias: live is 2 above the twin"


@pytest.mark.parametrize("side", [-1, 1])
def test_a_twentieth_is_near_enough(side: int) -> None:
    """Whatever the spread; a little more needs it."""
    near = Gap(key="sojourn_s", twin=1.0, live=1 + side * 0.99 * CLOSE, same_tape=True)
    assert near.live_verdict == "agrees"
    assert replace(near, live=1 + side * 1.01 * CLOSE).live_verdict == "unknown"


def test_only_one_live_run_can_be_compared() -> None:
    """And something has to be."""
    with pytest.raises(LabError, match="2 live ones"):
        gaps(None, live(CALM), live(CALM))
    with pytest.raises(LabError, match="something to compare"):
        gaps(None)


def test_costs_of_the_same_tape_are_no_second_seed() -> None:
    """Luck counts each tape once, whichever way the twins are given."""
    some = twins(CALM, same=4, others=3)
    for order in (some, some[::-1]):
        found = gaps(None, *order, live(CALM))
        assert (len(found.own), len(found.tapes)) == (4, 4)
        assert found.twin in found.own

"""Intervals of confidence, against an independent implementation and against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lessons.twin.confidence import half_width, mean, student_t


@pytest.mark.parametrize("degrees", [*range(1, 60), 99, 100, 499, 1000, 9999])
def test_students_t_is_that_of_the_tables(degrees: int) -> None:
    """To eleven digits, odd and even, at other levels too."""
    for confidence in (0.5, 0.95, 0.999):
        expected = stats.t.ppf((1 + confidence) / 2, degrees)
        assert student_t(degrees, confidence) == pytest.approx(expected, rel=1e-11)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Five values each, four thousand times: 95 %, where the normal distribution's 1.96 would hold it in 88 %."""
    dice = np.random.default_rng(2026)
    rows = dice.normal(3.0, 2.0, (4000, 5)).tolist()
    held = [abs(np.mean(row) - 3.0) <= (half_width(row) or 0.0) for row in rows]
    naive = [abs(np.mean(row) - 3.0) <= 1.96 * np.std(row, ddof=1) / np.sqrt(5) for row in rows]
    assert 0.94 <= np.mean(held) <= 0.96
    assert np.mean(naive) < 0.90


def test_one_value_says_nothing_about_its_spread() -> None:
    """None, not zero and not NaN."""
    assert half_width([3.0]) is None
    assert half_width([]) is None
    assert mean([]) is None
    assert mean([1.0, 2.0]) == 1.5

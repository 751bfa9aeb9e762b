from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.services.clients.histogram import FLOOR_S, GROWTH, LONGEST_S, Histogram


def filled(durations: list[float]) -> Histogram:
    """A histogram of these."""
    found = Histogram()
    for duration_s in durations:
        found.add(duration_s)
    return found


@given(st.lists(st.floats(0, LONGEST_S), min_size=1, max_size=200), st.floats(0.01, 1))
def test_quantiles_are_at_most_two_per_cent_too_long(durations: list[float], q: float) -> None:
    """Never shorter than the exact one, and longer by less than a bucket."""
    exact = np.quantile(durations, q, method="inverted_cdf")
    found = filled(durations).quantile(q)
    assert exact <= found * (1 + 1e-9)
    assert found <= max(exact * GROWTH, FLOOR_S) * (1 + 1e-9)


@pytest.mark.parametrize("duration_s", [0.0, -1.0, 1e-9, 1e6, 1e300])
def test_what_is_outside_has_a_bucket_too(duration_s: float) -> None:
    """The longest is told as it was, whatever the buckets are."""
    found = filled([duration_s])
    assert found.count == 1
    assert found.to_dict()["max_s"] == max(duration_s, 0.0)


def test_nothing_yet() -> None:
    """Before the first duration all figures are zero."""
    assert set(Histogram().to_dict().values()) == {0.0}


def test_memory_does_not_grow() -> None:
    """A million durations need no more room than one."""
    few = filled([0.001])
    many = filled((np.random.default_rng(7).exponential(size=1_000_000) * 1e-3).tolist())
    assert sum(sys.getsizeof(v) for v in vars(many).values()) <= sum(sys.getsizeof(v) for v in vars(few).values()) + 64

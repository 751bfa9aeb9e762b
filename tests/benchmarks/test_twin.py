"""The three simulations that the benchmark compares play the same queue."""

from __future__ import annotations

import math
import random
from importlib.util import find_spec

import pytest

from benchmarks.twin import Answer, cost_us, ours, with_ciw, with_simpy

SIDES = {"simpy": with_simpy, "ciw": with_ciw, "demo_workers": ours}
HERE = [library for library in SIDES if find_spec(library)]
"""Only `make bench` installs the peers."""


@pytest.mark.parametrize("library", HERE)
def test_each_agrees_with_theory(library: str) -> None:
    """So like is compared with like; whose answer is wrong has no cost at all."""
    seed = random.randrange(10**6)
    assert 0 < cost_us(SIDES[library], 20_000, seed) < math.inf, f"seed {seed}"


@pytest.mark.parametrize("wrong", [Answer(0.2, 0.0175), Answer(0.108, 0.03), Answer(math.nan, math.nan)])
def test_a_wrong_answer_has_no_cost(wrong: Answer) -> None:
    """The check above can fail."""
    assert math.isnan(cost_us(lambda arrivals, seed: wrong, 1_000_000, 0))

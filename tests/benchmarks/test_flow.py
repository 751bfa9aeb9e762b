"""The bars of the flow view, in short: they hold without a browser."""

from __future__ import annotations

import argparse

from benchmarks.flow import measure


def test_a_batch_costs_a_twentieth_of_a_frame_and_next_to_nothing_when_it_is_off() -> None:
    """Median of five rounds, both sides in turns on the same core."""
    figures = measure(argparse.Namespace(rounds=5))
    assert all(figure.met for figure in figures), figures

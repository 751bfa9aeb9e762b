"""``workbook predict``: what queueing theory says about a scenario, before anything runs."""

from __future__ import annotations

import argparse

import msgspec

from lessons import theory
from lessons.cli.options import number, scenario_of
from lessons.theory import Prediction


def predict(arguments: argparse.Namespace) -> int:
    """Print the prediction; one that does not exist is an error with what is known."""
    found = theory.predict(
        scenario_of(arguments),
        arrival_rate=None if arguments.at_rate is None else number("--at-rate", arguments.at_rate),
        overhead_before_s=number("--overhead-before", arguments.overhead_before),
        overhead_after_s=number("--overhead-after", arguments.overhead_after),
    )
    print(msgspec.json.encode(found.to_dict()).decode() if arguments.json else lines(found))
    return 0


def lines(found: Prediction) -> str:
    """The same for people; keys that do not apply are left out."""
    numbers = {name: value for name, value in found.to_dict().items() if isinstance(value, float)}
    width = max(map(len, numbers))
    shown = [f"{name:<{width}}  {value:.4g}" for name, value in numbers.items()]
    notes = [f"approximate: {sentence}" for sentence in found.approximate]
    return "\n".join([f"{found.model}: {found.why}", *notes, "", *shown])

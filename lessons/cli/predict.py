"""``workbook predict``: what queueing theory says about a scenario, before anything runs."""

from __future__ import annotations

import argparse

import msgspec

from demo_workers.errors import ScenarioError
from demo_workers.scenario import parse
from lessons import theory
from lessons.cli.options import scenario_of
from lessons.theory import Prediction


def predict(arguments: argparse.Namespace) -> int:
    """Print the prediction; one that does not exist is an error with what is known."""
    found = theory.predict(
        scenario_of(arguments),
        arrival_rate=None if arguments.at_rate is None else _number("--at-rate", arguments.at_rate),
        overhead_before_s=_number("--overhead-before", arguments.overhead_before),
        overhead_after_s=_number("--overhead-after", arguments.overhead_after),
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


def _number(option: str, text: str) -> float:
    value = parse(option, text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScenarioError(option, text, "a number", "Write seconds or requests per second, for example 0.004.")
    return float(value)

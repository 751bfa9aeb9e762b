"""``workbook backoff``: how long the waits of a policy are, retry by retry."""

from __future__ import annotations

import argparse
from typing import get_args

import msgspec
from rich.console import Console
from rich.table import Table

from demo_workers.errors import ScenarioError
from demo_workers.scenario import BackoffPolicy, Retry, parse
from lessons.theory.backoff import Spread, waits

POLICIES = tuple(name for name in get_args(BackoffPolicy) if name != "custom")


def backoff(arguments: argparse.Namespace) -> int:
    """Print bounds, mean and variance of each wait."""
    if arguments.policy == "custom":
        remedy = "A policy written in a cell decides while it runs: try it in a notebook."
        raise ScenarioError("retry.policy", "custom", f"one of {', '.join(POLICIES)}", remedy)
    retry = Retry(
        policy=arguments.policy,
        base_s=parse("retry.base_s", arguments.base),
        cap_s=parse("retry.cap_s", arguments.cap),
        attempts=parse("retry.attempts", arguments.attempts),
    )
    spreads = waits(retry)
    if arguments.json:
        rows = [{"retry": n, **spread._asdict()} for n, spread in enumerate(spreads, 1)]
        print(msgspec.json.encode({"retries": rows}).decode())
    else:
        Console(highlight=False).print(_table(retry, spreads))
    return 0


def _table(retry: Retry, spreads: list[Spread]) -> Table | str:
    if not spreads:
        return f"{retry.policy} with attempts = {retry.attempts}: no retry, so no wait."
    table = Table(title=f"{retry.policy}: seconds before each retry")
    for column in ("retry", "least", "most", "mean", "standard deviation"):
        table.add_column(column, justify="right")
    for n, (least, most, mean, variance) in enumerate(spreads, 1):
        table.add_row(str(n), *(f"{value:.4g}" for value in (least, most, mean, variance**0.5)))
    return table

"""Two systems that were never started, to build loads with and to play them in the twin."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from demo_workers.records.events import Kind
from demo_workers.records.run import Run
from demo_workers.stack import Stack
from demo_workers.stack.calibration import Calibration
from lessons.retries import TwoFates
from lessons.retries.two_fates import SHORT, Form

COST = Calibration(overhead_before_s=0.001, overhead_after_s=0.003, workers=2, jobs=100)
PAPER = TwoFates(Stack("struck, never started"), Stack("calm, never started"), COST)


def played(
    form: Form = SHORT,
    *,
    struck: bool = True,
    turned: Mapping[str, Any] | None = None,
    lose: Kind | None = None,
    seed: int = 7,
    **changes: Any,
) -> Run:
    """A run of the twin.

    Args:
        form: how long.
        struck: whether there is a spike.
        turned: knobs that are turned when the form says.
        lose: leave out the first row of this kind, so that the books do not balance.
        seed: the tape's.
        changes: other fields of the run.
    """
    run = PAPER.simulate(PAPER.load(form, struck=struck, seed=seed), turned, form.turned_s)
    if lose is not None:
        first = int((run.events["kind"] == lose).argmax())
        changes["events"] = run.events[[row != first for row in range(len(run.events))]]
    return dataclasses.replace(run, **changes)

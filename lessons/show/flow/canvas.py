"""The canvas in the browser: it takes batches of steps and plays each at its time, two tenths of a second late."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import traitlets

from lessons.show.acknowledged import Acknowledged, script
from lessons.show.flow.board import Counts
from lessons.show.flow.stage import Stage, wire
from lessons.show.flow.steps import Step
from lessons.show.flow.words import Labels


class Canvas(Acknowledged):
    """Where dots move; see ``flow.js``.

    Args:
        stage: what there is.
        on_ready: called when a browser reports; on any thread.
        clock: seconds, for tests.
    """

    _esm = script(*(Path(__file__).with_name(name) for name in ("scene.js", "paint.js", "flow.js")))
    plan = traitlets.Dict().tag(sync=True)
    line = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        stage: Stage,
        on_ready: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(on_ready, clock)
        self.plan = wire(stage)

    def play(
        self, now_s: float, steps: Iterable[Step], counts: Counts, labels: Labels, state: Mapping[str, int]
    ) -> None:
        """Send a batch.

        Args:
            now_s: the experiment's clock now.
            steps: those that the browser has not had.
            counts: exact ones.
            labels: of the stations.
            state: ``per``, how many requests one dot stands for; ``fresh``, whether to forget all dots first, since the
                steps tell where everything is; ``over``, whether nobody will try again.
        """
        told = [_brief(step) for step in steps]
        inside = [counts.in_queue, counts.at_work]
        now_s = round(now_s, 3)
        self.post({"kind": "batch", "now": now_s, "steps": told, "inside": inside, "labels": labels, **state})


def _brief(step: Step) -> list[float]:
    pause_s = step.pause_s if math.isfinite(step.pause_s) else 0.0
    return [round(step.t, 3), int(step.kind), step.id, step.nth, step.lane, round(pause_s, 3)]

"""What the flow view costs the kernel: a batch of fifty events, against one frame of the live picture.

``python -m benchmarks.flow`` plays a run of the twin. In each round a batch is read, folded, put into words, packed and
signed as the message that goes to the browser, many times; beside it the live picture is drawn and encoded. The same
with the flow view switched off, where the rows are only put aside. No browser is needed: this is the sender's side.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jupyter_client.session import Session

from benchmarks._bar import Figure, main, ratios
from demo_workers.records.events import Events
from demo_workers.records.run import Run
from demo_workers.scenario import Load, Retry, Scenario
from lessons.show import subject
from lessons.show.flow.companion import Companion, stage
from lessons.show.flow.flow import Flow
from lessons.show.flow.record import Reader
from lessons.show.livefig import LiveFigure
from lessons.show.series import Series
from lessons.twin.simulate import simulate

MOST_COST = 0.05
MOST_OFF = 0.005
EVENTS = 50
BATCHES, FRAMES = 60, 20
"""Of each side in a round."""
SCENARIO = Scenario(
    load=Load(arrival_rate=70.0, duration_s=40.0), retry=Retry(policy="full", attempts=3, timeout_s=1.0), seed=5
).steered(limit=20)


class Sender:
    """A flow view whose messages are packed as a kernel packs them, and go nowhere."""

    def __init__(self, scenario: Scenario) -> None:
        self._session = Session(key=b"as a kernel has one")
        self._reader = Reader(scenario.service.workers)
        self._flow = Flow(stage(scenario))
        self._flow.canvas.send = self._pack
        self._flow.canvas.receive(None, {"kind": "ready"})

    def batch(self, rows: Events) -> None:
        """What a tenth of a second costs."""
        self._flow.feed(self._reader.steps(rows))
        self._flow.send(float(rows["t"][-1]))

    def _pack(self, content: dict[str, Any], buffers: object = None) -> None:
        data = {"comm_id": "0" * 32, "data": {"method": "custom", "content": content}}
        self._session.serialize(self._session.msg("comm_msg", content=data))
        self._flow.canvas.receive(None, {"kind": "ack", "n": content.get("n", 0)})


def measure(options: argparse.Namespace) -> list[Figure]:
    """On and off, each against the picture."""
    run = simulate(SCENARIO)
    batches, frame = _endless(run), _frames(run)
    sender = Sender(run.scenario)
    aside = Companion(run.scenario, lambda do: lambda *args: void(do(*args)))

    def off() -> None:
        aside.look(next(batches), 1.0, [])

    for warm in (lambda: sender.batch(next(batches)), frame, off):
        _cpu_s(warm, 5)
    picture: Callable[[], float] = lambda: _cpu_s(frame, FRAMES)  # noqa: E731  # a name for what is measured twice
    on = ratios(options.rounds, ours=lambda: _cpu_s(lambda: sender.batch(next(batches)), BATCHES), theirs=picture)
    none = ratios(options.rounds, ours=lambda: _cpu_s(off, BATCHES), theirs=picture)
    against = "a frame of the live picture, drawn and encoded"
    return [
        Figure.of(f"a batch of {EVENTS} events in the flow view", on, against=against, at_most=MOST_COST),
        Figure.of("the same, switched off", none, against=against, at_most=MOST_OFF),
    ]


def _endless(run: Run) -> Iterator[Events]:
    """Fifty rows at a time, over and over; times and requests go on."""
    rows = run.events[np.argsort(run.events["t"], kind="stable")]
    rows = rows[np.isfinite(rows["t"])]
    length_s, requests = float(rows["t"][-1]), int(rows["request"].max()) + 1
    while True:
        for at in range(0, len(rows) - EVENTS, EVENTS):
            yield rows[at : at + EVENTS]
        rows = rows.copy()
        rows["t"] += length_s
        rows["request"] += requests


def _frames(run: Run) -> Callable[[], None]:
    figure, series = LiveFigure(subject.look(run.scenario, fourth="retries", open_ended=True)), Series(limit=20)
    series.feed(run.events)
    times = iter(np.arange(10.0, 1e6, 0.1))
    return lambda: void(figure.frame(series, float(next(times)) % 40.0))


def void(_: object) -> None:
    """Drop a result."""


def _cpu_s(do: Callable[[], None], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        do()
    return (time.process_time() - began) / times


if __name__ == "__main__":
    sys.exit(main(__doc__, measure))

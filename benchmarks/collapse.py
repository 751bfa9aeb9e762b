"""Does notebook 04's system collapse after its spike every time, and does the reference rescue bring it back?

``python -m benchmarks.collapse`` plays the five-second spike of section c twenty times live, with another seed each
time: once left alone, and once with the reference knob (newest first) turned two seconds after the spike, on the same
tape. Then the twin plays a minute for each of the nine knobs on twenty tapes, and tells how long each takes.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

from benchmarks._bar import Figure, main, say
from demo_workers.records.run import Run
from demo_workers.stack import Stack
from lessons.retries.health import health
from lessons.retries.rescue import REFERENCE, REMEDIES, SEEDS, rescue_in_twin
from lessons.retries.spike import WORKERS
from lessons.retries.two_fates import FULL, TwoFates

RUNS = 20
LEAST_SHARE = 0.95
AFTER_S = 9.0
"""Of load after the knob is, or would be, turned."""

LOOK_S = 4.0
"""The last so many seconds tell what has become of it."""

COLLAPSED, RECOVERED = 0.1, 0.8
"""In time at the end, as a share of what was in time before the spike: at most, and at least."""

LEAST_BEFORE = 0.5
"""Of those who came; else it was no healthy system that the spike hit."""


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Play them all and tell a row of each."""
    form = FULL._replace(end_s=FULL.turn_s + AFTER_S)
    stack = Stack("collapse")
    collapsed, recovered, goodput = [], [], []
    try:
        await stack.start(WORKERS)
        fates = TwoFates(stack, stack, await stack.calibrate(WORKERS))
        cost_ms = 1000 * fates.cost.overhead_s
        say(f"{stack.redis.name}; RQ's cost per job {cost_ms:.1f} ms; {fates.capacity:.1f} posts/s")
        say("in time per second: before the spike, during it, at the end")
        say(f"{'seed':>6} {'left alone':>24} {REMEDIES[REFERENCE].name:>24}")
        for seed in range(options.first_seed, options.first_seed + options.rounds):
            load = fates.load(form, seed=seed)
            alone = _rates(await fates.play(load))
            rescued = _rates(await fates.play(load, REMEDIES[REFERENCE].knobs, form.turned_s))
            say(f"{seed:>6} {_words(alone):>24} {_words(rescued):>24}")
            well = min(alone[0], rescued[0]) > LEAST_BEFORE * load.load.arrival_rate
            collapsed.append(well and alone[2] <= COLLAPSED * alone[0])
            recovered.append(well and rescued[2] >= RECOVERED * rescued[0])
            goodput.append(alone)
    finally:
        await stack.stop()
    return [
        Figure.share("collapsed when left alone", collapsed, against="before the spike", at_least=LEAST_SHARE),
        Figure.share("recovered by newest first", recovered, against="before the spike", at_least=LEAST_SHARE),
        *(Figure.of(f"in time, {when}", [rates[n] for rates in goodput], against="left alone", unit="per second")
          for n, when in enumerate(("before", "during", "after"))),
        *_knobs(rescue_in_twin(fates, range(options.first_seed, options.first_seed + options.tapes))),
    ]  # fmt: skip


def _rates(run: Run) -> tuple[float, float, float]:
    """In time per second before the spike, during it, and at the end."""
    load = run.scenario.load
    end_s = load.spike_start_s + load.spike_length_s
    parts = (0.0, load.spike_start_s), (load.spike_start_s, end_s), (run.length_s - LOOK_S, run.length_s)
    before, during, after = (health(run, *part).in_time for part in parts)
    return before, during, after


def _words(rates: Sequence[float]) -> str:
    return " ".join(f"{rate:7.1f}" for rate in rates)


def _knobs(found: dict[str, list[float]]) -> list[Figure]:
    """How long each knob takes in the twin; the figures of those that do not help say how often that was so."""
    figures = []
    for key, times in found.items():
        back = [time for time in times if math.isfinite(time)]
        name = REMEDIES[key].name
        say(f"{name:<18} back within the minute on {len(back)} of {len(times)} tapes")
        if back:
            figures.append(Figure.of(f"{name}: back after", back, against="twin, same tapes", unit="s"))
        else:
            none = [True] * len(times)
            figures.append(Figure.share(f"{name}: not back within the minute", none, against="twin, same tapes"))
    return figures


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--tapes", type=int, default=SEEDS, help=f"of the twin, default {SEEDS}")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=RUNS, options=add_options))

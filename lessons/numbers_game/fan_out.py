"""Further 1: a page that needs a hundred answers is as slow as the slowest of them; and asking twice, but late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from IPython.display import display
from numpy.typing import NDArray

from demo_workers.records.measures import sojourns
from demo_workers.scenario import Load, Scenario, Service
from lessons.check.claims import Claim, check
from lessons.show import charts
from lessons.theory import tail
from lessons.twin.simulate import simulate

PARTS = (1, 3, 10, 30, 100)
PAGES = 2000
SLOW, LATE = 0.99, 0.95
"""A part is slow beyond this quantile; after that one, somebody else is asked as well."""

SERVICE_S, WORKERS, UTILIZATION = 0.05, 3, 0.7
LENGTH_S = 240.0
"""Of the twin's run whose jobs are the parts."""


class Pages(NamedTuple):
    """Pages of so many parts.

    Attributes:
        slow: share of the pages that have to wait for a slow part.
        median_s: half of the pages are done within this.
        hedged_slow: likewise, where whatever is late is asked for once more.
        hedged_median_s: likewise.
    """

    slow: float
    median_s: float
    hedged_slow: float
    hedged_median_s: float


def twin_pages(*, seed: int = 7) -> dict[int, Pages]:
    """Pages of 1 to 100 parts, each from a machine of its own that is 70 % busy: parts → pages.

    The times of the parts are those of one run of the twin, drawn at random: machines that do not know of each other.

    Args:
        seed: of the run and of what is drawn.
    """
    load = Load(arrival_rate=UTILIZATION * WORKERS / SERVICE_S, duration_s=LENGTH_S)
    run = simulate(
        Scenario(load=load, service=Service(service_time_s=SERVICE_S, workers=WORKERS), seed=seed), engine="python"
    )  # fmt: skip
    times_s, dice = sojourns(run), np.random.default_rng(seed)
    return {parts: _pages(times_s, parts, dice) for parts in PARTS}


def _pages(times_s: NDArray[np.float64], parts: int, dice: np.random.Generator) -> Pages:
    late_s, slow_s = np.quantile(times_s, (LATE, SLOW))
    first, second = dice.choice(times_s, (2, PAGES, parts))
    # whoever has not answered by then has a rival, and the earlier answer counts
    hedged = np.where(first > late_s, np.minimum(first, late_s + second), first)
    done, hedged_done = first.max(axis=1), hedged.max(axis=1)
    return Pages(
        slow=float(np.mean(done > slow_s)),
        median_s=float(np.median(done)),
        hedged_slow=float(np.mean(hedged_done > slow_s)),
        hedged_median_s=float(np.median(hedged_done)),
    )


def show_pages(twin: Mapping[int, Pages]) -> None:
    """The share of slow pages over the number of parts: theory, and the twin with and without a second question."""
    xs = np.arange(1, max(twin) + 1)
    layers = [
        charts.curve("theory, 1 − 0.99ⁿ", xs, [tail.any_slow(1 - SLOW, int(n)) for n in xs]),
        charts.spread("twin", {parts: [one.slow] for parts, one in twin.items()}, joined=False),
        charts.same_tape("twin, what is late is asked twice", {n: [one.hedged_slow] for n, one in twin.items()}),
    ]
    title = "One part in a hundred is slow. How many pages are?"
    display(charts.chart(title, layers, x="parts of a page", y="share of slow pages"))
    for parts, one in twin.items():
        print(f"{parts:3d} parts: {one.slow:4.0%} of the pages slow, half within {1000 * one.median_s:3.0f} ms; "
              f"asked twice: {one.hedged_slow:4.0%}, {1000 * one.hedged_median_s:3.0f} ms")  # fmt: skip


def check_pages(twin: Mapping[int, Pages]) -> None:
    """What this section says of pages.

    Raises:
        ClaimError: it is not so.
    """
    whole, single = twin[PARTS[-1]], twin[PARTS[0]]
    off = [abs(one.slow - tail.any_slow(1 - SLOW, parts)) for parts, one in twin.items()]
    slow = [one.slow for one in twin.values()]
    numbers = f"{twin}"
    check(
        Claim("of pages with a hundred parts more than half are slow", whole.slow > 0.5, numbers),
        Claim("theory says the same for each number of parts", max(off) < 0.06, numbers),
        Claim("the more parts, the more slow pages", slow == sorted(slow), numbers),
        Claim("half of the large pages take longer than nearly all single parts",
              whole.median_s > 2 * single.median_s and single.slow < 0.05, numbers),
        Claim("to ask once more for what is late spares a quarter of the slow ones or more",
              whole.hedged_slow < 0.75 * whole.slow, numbers),
    )  # fmt: skip

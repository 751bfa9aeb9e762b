"""Section a: seven latencies in order, beside the table that every engineer is said to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from IPython.display import display

from lessons.check import ordering
from lessons.check.claims import Claim, check
from lessons.numbers_game.clocks import NAMES
from lessons.show import charts, style

SHUFFLED = ("loopback", "RQ job", "cache", "fsync", "system call", "Redis", "memory")
"""As they are offered, in no order."""


class Known(NamedTuple):
    """One line of the table, seconds: as it was handed down, and about 2020.

    Source: the numbers that J. Dean gave in talks and P. Norvig in "Teach Yourself Programming in Ten Years"; those of
    2020 are from C. Scott's page "Latency Numbers Every Programmer Should Know".
    """

    what: str
    classic: float
    later: float


TABLE: Mapping[str, Known] = {
    "cache": Known("first-level cache", 0.5e-9, 1e-9),
    "memory": Known("main memory", 100e-9, 100e-9),
    "fsync": Known("disk seek", 10e-3, 2e-3),
    "data centre": Known("round trip in one data centre", 0.5e-3, 0.5e-3),
    "ocean": Known("California, Netherlands and back", 150e-3, 150e-3),
}
"""Beside the name that is measured here, where it is; the table knows no system call, no Redis and no RQ."""

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
SPANS = ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
AXIS = {size * 10**power: f"{10**power} {unit}" for size, unit in reversed(UNITS[1:]) for power in range(3)}


def ask_order() -> None:
    """The prediction: the seven, to be put in order."""
    ordering.arrange("latencies", "Which is the quickest, which the slowest? The quickest on top.", SHUFFLED)


def ordered(found: Mapping[str, float]) -> list[str]:
    """The names, the quickest first."""
    return sorted(found, key=lambda name: found[name])


def show_latencies(found: Mapping[str, float]) -> None:
    """The ladder on a logarithmic scale with the table beside it, and the same in words, also in human time.

    Args:
        found: seconds by name, as measured here.
    """
    steps = [*ordered(found), *(name for name in TABLE if name not in found)]
    places = {name: place for place, name in enumerate(steps)}
    title = "From the cache to a job: each line is ten times the line below"
    known = [places[name] for name in TABLE]
    layers = [
        _known("the table, as handed down", known, [line.classic for line in TABLE.values()], "s"),
        _known("the table, about 2020", known, [line.later for line in TABLE.values()], "^"),
        charts.measured("measured here", {float(places[name]): [found[name]] for name in ordered(found)}, joined=True),
    ]
    ticks = {float(place): name for name, place in places.items()}
    display(charts.chart(title, layers, x="", y="", log_y=True, ticks=ticks, y_ticks=AXIS))
    second = 1 / min(found.values())
    print(f"{'':12}{'here':>9}{'table':>9}{'2020':>9}   if the quickest took a second")
    for name in steps:
        line = TABLE.get(name)
        here, classic, later = (
            _said(value) for value in (found.get(name), line and line.classic, line and line.later)
        )  # fmt: skip
        long = found[name] if name in found else TABLE[name].later
        print(f"{name:12}{here:>9}{classic:>9}{later:>9}   {_span(long * second)}")


def _known(name: str, places: Sequence[float], seconds: Sequence[float], marker: str) -> charts.Layer:
    return charts.line(name, places, seconds, style.THEORY, marker, joined=False)


def _said(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    size, unit = next(((size, unit) for size, unit in UNITS if seconds >= size), UNITS[-1])
    return f"{seconds / size:.2g} {unit}" if seconds / size < 10 else f"{seconds / size:.0f} {unit}"


def _span(seconds: float) -> str:
    size, unit = next(((size, unit) for size, unit in SPANS if seconds >= 1.5 * size), SPANS[-1])
    said = f"{seconds / size:.0f} {unit}"
    return said.removesuffix("s") if said == "1 seconds" else said


def job_to_cache(found: Mapping[str, float]) -> str:
    """How many times as long an RQ job takes as a read from the cache, in a phrase."""
    return f"{found['RQ job'] / found['cache']:,.0f} times"


def reveal_order(found: Mapping[str, float]) -> None:
    """The prediction beside the order that was measured, and how many pairs of it are right."""
    ordering.reveal("latencies", ordered(found))


def check_latencies(found: Mapping[str, float]) -> None:
    """What section a says of the ladder; only what holds on any machine.

    Raises:
        ClaimError: it is not so.
    """
    numbers = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in found.items())
    slowest, quickest = max(found.values()), min(found.values())
    check(
        Claim("all seven were measured", tuple(found) == NAMES and quickest > 0, numbers),
        Claim("a read that the cache answers is at least twice as quick as one from main memory",
              found["memory"] > 2 * found["cache"], numbers),
        Claim("a system call takes longer than a read from the cache", _rising(found, "cache", "system call"), numbers),
        Claim("whatever asks another thread or process takes longer than a system call",
              _rising(found, "system call", "loopback") and _rising(found, "system call", "Redis"), numbers),
        Claim("an RQ job takes longer than both: it asks several times, and a worker has to wake up",
              _rising(found, "loopback", "RQ job") and found["RQ job"] > 2 * found["Redis"], numbers),
        Claim("between the quickest and the slowest lie more than four powers of ten", slowest > 1e4 * quickest,
              numbers),
    )  # fmt: skip


def _rising(found: Mapping[str, float], *names: str) -> bool:
    values: Sequence[float] = [found[name] for name in names]
    return values == sorted(values) and len(set(values)) == len(values)

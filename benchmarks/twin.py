"""The twin against SimPy and Ciw on the same queue, and what an arrival costs from ten thousand to ten million.

``python -m benchmarks.twin`` plays an M/M/4/10 at its capacity in each of them, in one process, and compares processor
time for each arrival. What counts of ours is all that a user waits for: the tape is drawn, the run is played, and its
measures are taken (``simulate(scenario).measures``); of the others likewise the model built, a million arrivals (fewer
with ``--arrivals``), and two means taken of what they noted: the share that was refused and the mean sojourn. Nothing
is counted that is done once for a machine or a process: imports, and our compiling. Each of the three must agree with
theory, else the comparison is void and the round counts as nothing.

The queue is plain, so ours takes its short way (``lessons/twin/plain.py``). What the engine with all retries, rules and
knobs takes for the same queue is reported beside it.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import random
import sys
import time
from collections.abc import Callable, Generator
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from benchmarks._bar import Figure, Unavailable, main, say
from demo_workers.records.events import EVENT
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Scenario, Service
from lessons.theory import mmck
from lessons.twin import simulate

AT_LEAST, FLAT = 100.0, 2.0
RATE, WORKERS, LIMIT = 1000.0, 4, 10
SERVICE_S = WORKERS / RATE
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
NEAR = 0.03
"""How far from theory the answer of a million arrivals may be; that of fewer is less sure."""


class Answer(NamedTuple):
    """What a simulation found: the share refused and the mean sojourn (seconds)."""

    refused: float
    sojourn_s: float


def ours(arrivals: int, seed: int, engine: Any = "plain") -> Answer:
    """The twin's. A scenario lasts an hour at most; a longer load is a run that was left going."""
    load = Load(arrival_rate=RATE, duration_s=min(arrivals / RATE, 3600.0))
    queue = Scenario(
        load=load,
        service=Service(service_time_s=SERVICE_S, workers=WORKERS),
        admission=Admission(limit=LIMIT),
        seed=seed,
        warmup_s=0.0,
    )
    length = {"length_s": arrivals / RATE}
    run = Run(scenario=queue, source="live", steering=[], events=np.empty(0, EVENT), manifest=length)
    found = simulate(run, engine=engine).measures
    assert found.p_block is not None
    assert found.sojourn_s is not None
    return Answer(found.p_block, found.sojourn_s)


def with_simpy(arrivals: int, seed: int) -> Answer:
    """As SimPy's own examples are written: a process for each customer, a resource for the workers."""
    import simpy

    dice, sojourns, refused = random.Random(seed), list[float](), 0
    env = simpy.Environment()
    workers = simpy.Resource(env, capacity=WORKERS)

    def customer() -> Generator[Any, Any, None]:
        nonlocal refused
        if workers.count + len(workers.queue) >= LIMIT:
            refused += 1
            return
        came_s = env.now
        with workers.request() as turn:
            yield turn
            yield env.timeout(dice.expovariate(1 / SERVICE_S))
        sojourns.append(env.now - came_s)

    def source() -> Generator[Any, Any, None]:
        for _ in range(arrivals):
            yield env.timeout(dice.expovariate(RATE))
            env.process(customer())

    env.process(source())
    env.run()
    return Answer(refused / arrivals, fmean(sojourns))


def with_ciw(arrivals: int, seed: int) -> Answer:
    """As Ciw's own guide is written: a network of one node, and the records of its customers."""
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=RATE)],
        service_distributions=[ciw.dists.Exponential(rate=1 / SERVICE_S)],
        number_of_servers=[WORKERS],
        queue_capacities=[LIMIT - WORKERS],
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(arrivals / RATE)
    records = simulation.get_all_records()
    sojourns = [record.exit_date - record.arrival_date for record in records if record.record_type == "service"]
    return Answer(sum(record.record_type == "rejection" for record in records) / len(records), fmean(sojourns))


def cost_us(play: Callable[[int, int], Answer], arrivals: int, seed: int) -> float:
    """Processor time for each arrival (µs); NaN where the answer is not theory's."""
    before = time.process_time()
    found = play(arrivals, seed)
    cost = (time.process_time() - before) / arrivals * 1e6
    expected = mmck.steady_state(RATE, SERVICE_S, WORKERS, LIMIT)
    wanted = Answer(expected.p_block, expected.wait_s + SERVICE_S)
    near = NEAR * math.sqrt(1e6 / arrivals)
    if not all(abs(a / b - 1) < near for a, b in zip(found, wanted, strict=True)):
        say(f"{found} is too far from {wanted}")
        return math.nan
    return cost


def measure(options: argparse.Namespace) -> list[Figure]:
    """The three side by side in each round, then our cost at each size."""
    for name in ("simpy", "ciw"):
        if importlib.util.find_spec(name) is None:
            raise Unavailable(f"{name} is not installed: `make bench` installs it.")
    for engine in ("plain", "compiled"):
        ours(1000, 0, engine)  # compiled once for the machine, loaded once for the process
    ours(SIZES[-1], 0)  # a virtual machine may first have to find so much memory
    costs: dict[str, list[float]] = {name: [] for name in ("ours", "engine", "SimPy", "Ciw")}
    spreads = list[float]()
    for n in range(options.rounds):
        sides: dict[str, Callable[[int, int], Answer]] = {"ours": ours, "SimPy": with_simpy, "Ciw": with_ciw}
        sides["engine"] = lambda arrivals, seed: ours(arrivals, seed, "compiled")
        for name in sorted(sides, reverse=bool(n % 2)):
            mine = name in ("ours", "engine")
            costs[name].append(cost_us(sides[name], 1_000_000 if mine else options.arrivals, seed=n))
        sizes = [min(cost_us(ours, size, seed) for seed in range(_often(size))) for size in SIZES]
        spreads.append(max(sizes) / min(sizes))
        told = ", ".join(f"{name} {found[-1]:.3g}" for name, found in costs.items())
        flat = ", ".join(f"{size:.0e}: {cost:.3g}" for size, cost in zip(SIZES, sizes, strict=True))
        say(f"round {n + 1} of {options.rounds}: µs per arrival {told}; ours by size {flat}")
    return [
        *(
            Figure.of(
                f"{name}'s processor time per arrival", _over(costs[name], costs["ours"]),
                against="ours, measures included", at_least=AT_LEAST,
            )
            for name in ("SimPy", "Ciw")
        ),
        Figure.of("cost per arrival from 10⁴ to 10⁷, most over least", spreads, at_most=FLAT),
        *(
            Figure.of(f"{name} for the general engine, measures included", _over(costs[name], costs["engine"]))
            for name in ("SimPy", "Ciw")
        ),
        Figure.of("ours", costs["ours"], unit="µs per arrival"),
        Figure.of("SimPy", costs["SimPy"], unit="µs per arrival"),
        Figure.of("Ciw", costs["Ciw"], unit="µs per arrival"),
    ]  # fmt: skip


def _over(theirs: list[float], mine: list[float]) -> list[float]:
    return [a / b for a, b in zip(theirs, mine, strict=True)]


def _often(size: int) -> int:
    """Small sizes are over in a millisecond, and are measured several times: the quickest counts."""
    return max(1, min(20, 1_000_000 // size))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--arrivals", type=int, default=1_000_000, metavar="N", help="of the peers, whose cost per arrival is the same"
    )


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=5, options=_options))

"""Section d: the traffic doubles, and doubles again. How many workers? A sweep of the twin, done by real RQ workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from IPython.display import display

from demo_workers.scenario import Load, Scenario, Service
from lessons.check.claims import Claim, check
from lessons.numbers_game.lesson import Lesson
from lessons.show import charts, style
from lessons.show.figures import Picture
from lessons.show.progress_box import ProgressBox
from lessons.sweeps.plan import Swept
from lessons.sweeps.sweep import sweep
from lessons.theory import erlang, staffing
from lessons.twin import Replications
from lessons.twin.progress import Progress

RATE, SERVICE_S, WORKERS = 30.0, 0.05, 3
"""Where it begins: three workers for what keeps one and a half of them busy."""

PROMISE = 0.25
"""At most this share of the jobs has to wait at all; three workers keep it to begin with."""

GROWTHS = (1, 2, 4, 10, 20)
JOBS, REPLICATIONS, SEED = 700, 3, 39
"""Of the sweep in the notebook. So few are enough for Run All; with this seed they are typical."""
FULL_JOBS, FULL_REPLICATIONS, FULL_CHOICES = 1000, 10, 8
"""What the button sweeps: so many numbers of workers for each traffic."""


def offered(growth: int) -> float:
    """a = λS, how many workers the work alone keeps busy."""
    return growth * RATE * SERVICE_S


def in_proportion(growth: int) -> int:
    """So many times the traffic, so many times the workers."""
    return growth * WORKERS


def by_root(growth: int) -> int:
    """What the work keeps busy, and its square root as a reserve."""
    return staffing.square_root_workers(offered(growth), 1.0)


def grown(growth: int, workers: int, *, jobs: int = JOBS, seed: int = SEED) -> Scenario:
    """So many times the traffic, on so many workers.

    Args:
        growth: times the traffic of the beginning.
        workers: how many.
        jobs: about how many come.
        seed: of the tape.
    """
    load = Load(arrival_rate=growth * RATE, duration_s=jobs / (growth * RATE))
    return Scenario(load=load, service=Service(service_time_s=SERVICE_S, workers=workers), seed=seed)


def short_sweep() -> list[Scenario]:
    """Both rules at every traffic: what Run All sweeps."""
    wanted = {(growth, rule(growth)) for growth in GROWTHS for rule in (in_proportion, by_root)}
    return [grown(growth, workers) for growth, workers in sorted(wanted)]


def full_sweep() -> list[Scenario]:
    """Every number of workers from the fewest that can do the work: what the button sweeps."""
    return [
        grown(growth, int(offered(growth)) + more, jobs=FULL_JOBS)
        for growth in GROWTHS
        for more in range(1, FULL_CHOICES + 1)
    ]


class Growth(NamedTuple):
    """What a sweep found.

    Attributes:
        swept: one entry per scenario, in their order.
        took_s: how long it took.
    """

    swept: Sequence[Swept]
    took_s: float

    @property
    def by_size(self) -> Mapping[tuple[int, int], Replications]:
        """(growth, workers) → what was found there.

        Raises:
            SweepError: a scenario could not be played.
        """
        return {
            (round(one.scenario.load.arrival_rate / RATE), one.scenario.service.workers): one.found
            for one in self.swept
        }  # fmt: skip

    def by_rule(self, rule: Callable[[int], int], key: str = "p_wait") -> dict[int, list[float]]:
        """One measure in each replication, with a rule's number of workers, by growth."""
        found = self.by_size
        return {growth: found[growth, rule(growth)].values(key) for growth in GROWTHS}


async def play(lesson: Lesson, scenarios: Sequence[Scenario], replications: int, progress: Progress) -> Growth:
    """Sweep on the lesson's own RQ workers."""
    await lesson.start()
    began = time.perf_counter()
    swept = await sweep(scenarios, replications, room=lesson.room, progress=progress)
    return Growth(swept, time.perf_counter() - began)


async def play_alone(growth: Growth) -> Growth:
    """The same once more in this process, one after the other, without Redis and workers."""
    began = time.perf_counter()
    scenarios = [one.scenario for one in growth.swept]
    swept = await sweep(scenarios, len(growth.swept[0].found), local=True)
    return Growth(swept, time.perf_counter() - began)


def sweep_box(lesson: Lesson) -> ProgressBox:
    """The progress bar; its button sweeps every number of workers."""

    async def full(progress: Progress) -> Picture:
        return fewest_picture(await play(lesson, full_sweep(), FULL_REPLICATIONS, progress))

    return ProgressBox("replications", full, label="Sweep every number of workers")


async def do_sweep(lesson: Lesson, box: ProgressBox) -> Growth:
    """The short sweep, with its progress in the box.

    Raises:
        Cancelled: the reader has ended it.
    """
    return await box.run(lambda progress: play(lesson, short_sweep(), REPLICATIONS, progress))


def show_growth(growth: Growth) -> None:
    """Who has to wait under either rule, over the traffic; and a table with what the workers are paid for."""
    sizes = [float(size) for size in GROWTHS]
    layers = [
        charts.curve("theory, a + √a workers", sizes, [_theory(by_root, size) for size in GROWTHS]),
        charts.curve("theory, in proportion", sizes, [_theory(in_proportion, size) for size in GROWTHS], second=True),
        _twin("twin, a + √a workers", growth.by_rule(by_root), "o"),
        _twin("twin, in proportion", growth.by_rule(in_proportion), "^"),
    ]
    title = "In proportion, soon nobody waits; by the root, about as many as ever"
    ticks = {float(size): f"× {size}" for size in GROWTHS}
    display(charts.chart(title, layers, x="traffic", y="share that has to wait", log_x=True, ticks=ticks))
    print(f"{'traffic':>8}{'in proportion':>16}{'busy':>6}{'wait':>7}{'a + √a':>10}{'busy':>6}{'wait':>7}")
    for size in GROWTHS:
        columns = ""
        for rule, width in ((in_proportion, 16), (by_root, 10)):
            found = growth.by_size[size, rule(size)]
            busy, wait = found.mean("utilization") or 0.0, found.mean("p_wait") or 0.0
            columns += f"{rule(size):>{width}}{busy:>6.0%}{wait:>7.1%}"
        print(f"{f'× {size}':>8}{columns}")


def _twin(name: str, found: Mapping[int, Sequence[float]], marker: str) -> charts.Layer:
    return charts.line(name, [*found], [_mean(ones) for ones in found.values()], style.TWIN, marker, joined=False)


def fewest_picture(growth: Growth) -> Picture:
    """The fewest workers that keep the promise in the twin, over the traffic, beside both rules."""
    found = growth.by_size
    fewest = {
        float(size): [min((c for (g, c), ones in found.items() if g == size and _keeps(ones)), default=float("nan"))]
        for size in GROWTHS
    }
    sizes = [float(size) for size in GROWTHS]
    layers = [
        charts.curve("a + √a", sizes, [by_root(size) for size in GROWTHS]),
        charts.path("in proportion", sizes, [in_proportion(size) for size in GROWTHS]),
        charts.same_tape("twin: the fewest with which at most a quarter waits", fewest),
    ]
    ticks = {float(size): f"× {size}" for size in GROWTHS}
    title = "Twenty times the traffic does not need twenty times the workers"
    return charts.chart(title, layers, x="traffic", y="workers", ticks=ticks)


def _keeps(found: Replications) -> bool:
    return (found.mean("p_wait") or 0.0) <= PROMISE


def _theory(rule: Callable[[int], int], growth: int) -> float:
    return erlang.c(rule(growth), offered(growth))


def show_time(growth: Growth, alone: Growth, lesson: Lesson) -> None:
    """How long the sweep took on the workers and alone."""
    runs = len(growth.swept) * len(growth.swept[0].found)
    print(f"{runs} replications: {growth.took_s:.1f} s as RQ jobs on {lesson.room.workers} workers, "
          f"{alone.took_s:.1f} s one after the other")  # fmt: skip


def check_growth(growth: Growth, alone: Growth) -> None:
    """What section d says of growth, and of sweeps as jobs.

    Raises:
        ClaimError: it is not so.
    """
    rooted, prop = growth.by_rule(by_root), growth.by_rule(in_proportion)
    wait = {size: _mean(ones) for size, ones in rooted.items()}
    busy = [_mean(ones) for ones in growth.by_rule(by_root, "utilization").values()]
    idle = [_mean(ones) for ones in growth.by_rule(in_proportion, "utilization").values()]
    first, last = GROWTHS[0], GROWTHS[-1]
    numbers = f"by root: waiting {wait}, busy {busy}; in proportion: waiting {prop}, busy {idle}"
    check(
        Claim("RQ jobs on several workers give what a loop gives, to the last bit", growth.swept == alone.swept,
              "the sweeps differ"),
        Claim("the books of every replication balance", all(one.found.balanced for one in growth.swept), numbers),
        Claim("theory: for ten times the traffic nineteen workers keep the promise that three kept",
              by_root(10) == 19 and max(_theory(by_root, size) for size in GROWTHS) < PROMISE, numbers),
        Claim("twin: in proportion, at twenty times the traffic hardly anybody waits", _mean(prop[last]) < 0.02,
              numbers),
        Claim("twin: and half of the workers are idle at any traffic", all(0.4 < share < 0.6 for share in idle),
              numbers),
        Claim("twin: by the root about as many wait at any traffic as at the beginning",
              all(0 < share < 0.65 for share in wait.values()) and abs(_mean([*wait.values()]) - wait[first]) < 0.2,
              numbers),
        Claim("twin: and the workers are busier at twenty times the traffic than at the beginning",
              busy[-1] > busy[0] + 0.1 and by_root(first) == in_proportion(first), numbers),
    )  # fmt: skip


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

"""Section a: no limit, twice the capacity. Latency, memory and the time to drain all grow without end."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import numpy as np

from demo_workers.records.run import Run
from lessons.back_pressure.journeys import journeys
from lessons.back_pressure.lesson import WORKERS, Lesson
from lessons.check.claims import Claim, check
from lessons.show.panel import Panel
from lessons.theory.drain import drain_s

OVERLOAD_S = 4.0
FULL_S = 12.0
WINDOW_S = 0.5
LOOK_S = 0.1
CALM = 0.75
"""Arrivals after the overload, as a multiple of the capacity, in the arithmetic of draining."""


class Memory(NamedTuple):
    """A look at Redis: second of the run, bytes used, posts inside."""

    t: float
    used_bytes: int
    inside: int


class Overloaded(NamedTuple):
    """A run without a limit, and how Redis's memory went meanwhile.

    Attributes:
        run: what happened.
        memory: looks at Redis, ten per second.
        bytes_per_post: what one waiting job takes in Redis, hash and list entry.
    """

    run: Run
    memory: list[Memory]
    bytes_per_post: float


def overload_panel(lesson: Lesson) -> Panel:
    """Twice the capacity without a limit; Start plays twelve seconds of it."""
    scenario = lesson.overloaded(None, duration_s=FULL_S, patience_s=None)
    question = "Twice the capacity, no limit: how long does a post take?"
    return Panel("03 overload", lesson.stack, scenario, open_ended=False, question=question, noun="posts")


async def overload(lesson: Lesson, panel: Panel) -> Overloaded:
    """Play four seconds of it, live, and look at Redis's memory meanwhile."""
    await lesson.stack.start(WORKERS)
    looks: list[Memory] = []
    sizes: list[float] = []
    watching = asyncio.ensure_future(_watch(lesson, looks, sizes))
    try:
        run = await panel.run(lesson.overloaded(None, duration_s=OVERLOAD_S, patience_s=None))
    finally:
        watching.cancel()
        await asyncio.wait([watching])
    if not watching.cancelled() and (error := watching.exception()):
        raise error
    assert isinstance(run, Run)
    return Overloaded(lesson.keep(run), looks, float(np.mean(sizes)) if sizes else float("nan"))


async def _watch(lesson: Lesson, looks: list[Memory], sizes: list[float]) -> None:
    redis, queue = lesson.stack.connection, f"rq:queue:{lesson.stack.queue}"
    while True:
        live = lesson.stack.live
        if live is not None and not live.over and 0 <= live.now() < OVERLOAD_S:
            used = int((await redis.info("memory"))["used_memory"])
            looks.append(Memory(live.now(), used, int(await redis.llen(queue))))
            if last := await redis.lindex(queue, -1):
                size = await redis.memory_usage(b"rq:job:" + last)
                if size:  # it may have been taken meanwhile
                    sizes.append(size + len(last))
        await asyncio.sleep(LOOK_S)


def latency_at(run: Run, t: float) -> float:
    """How long those had waited whose post was done in the half second before ``t`` (mean, seconds)."""
    posts = journeys(run)
    chosen = (posts.finished_s >= t - WINDOW_S) & (posts.finished_s < t)
    return float(np.mean((posts.finished_s - posts.due_s)[chosen])) if chosen.any() else float("nan")


def doubling(seen: Overloaded) -> str:
    """What the prediction was about, in a phrase."""
    return f"{latency_at(seen.run, 4):.1f} s (at second 2: {latency_at(seen.run, 2):.1f} s)"


def backlog_at(run: Run, t: float) -> int:
    """Posts inside at second ``t``."""
    came = run.attempts["admitted_s"]
    return int(np.sum(came <= t)) - int(np.sum(run.executions["finished_s"] <= t))


def show_drain(lesson: Lesson, seen: Overloaded) -> None:
    """Print latency, memory and the arithmetic of working the backlog off."""
    run, capacity = seen.run, lesson.capacity
    print(f"posts done around second 2 took {latency_at(run, 2):.1f} s, around second 4 {latency_at(run, 4):.1f} s")
    backlog, calm = backlog_at(run, OVERLOAD_S), CALM * capacity
    print(f"inside after 4 s: {backlog} posts; spare capacity at 75 %: {capacity - calm:.1f} posts per second")
    print(f"time to drain: {backlog} / {capacity - calm:.1f} = {drain_s(backlog, calm, capacity):.0f} s")
    first, last = seen.memory[0], seen.memory[-1]
    print(f"Redis: {first.used_bytes / 1e6:.2f} MB at the start, {last.used_bytes / 1e6:.2f} MB at the end")
    growth = seen.bytes_per_post * (lesson.arrival_rate - capacity)
    print(f"a waiting post takes {seen.bytes_per_post:.0f} bytes, so a gigabyte is full in {1e9 / growth / 3600:.1f} h")


def check_overload(lesson: Lesson, seen: Overloaded) -> None:
    """What section a says.

    Raises:
        ClaimError: it is not so.
    """
    run = seen.run
    early, late = latency_at(run, 2), latency_at(run, 4)
    backlog, counts = backlog_at(run, OVERLOAD_S), run.ledger.counts
    expected = (lesson.arrival_rate - lesson.capacity) * OVERLOAD_S
    rise = seen.memory[-1].used_bytes - seen.memory[0].used_bytes if seen.memory else 0
    waiting = seen.bytes_per_post * backlog
    check(
        Claim("nobody was refused and no worker died", counts["shed"] == 0 == run.worker_deaths, str(counts)),
        Claim("after four seconds posts took about twice as long as after two", 1.5 < late / early < 3.2,
              f"{early:.2f} s, {late:.2f} s"),
        Claim("as many are inside as the excess of arrivals says", 0.6 < backlog / expected < 1.5,
              f"{backlog}, expected {expected:.0f}"),
        Claim("draining takes longer than the overload did",
              drain_s(backlog, CALM * lesson.capacity, lesson.capacity) > OVERLOAD_S, f"{backlog} inside"),
        Claim("Redis's memory grew by what the waiting posts take, or more", rise > 0.5 * waiting > 0,
              f"{rise} bytes, {waiting:.0f} of them waiting posts"),
        books(run),
    )  # fmt: skip


def books(run: Run) -> Claim:
    """The ledger of a run as a claim."""
    return Claim("the books of this run balance, and every witness agrees", run.ledger.balanced, run.ledger.table())

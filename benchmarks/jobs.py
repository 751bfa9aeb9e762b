"""What does RQ cost per job, beside the job's own function?

``python -m benchmarks.jobs`` gives one worker a queue of jobs that do nothing, for each class of workers, and takes
the time per job; in each round all are measured, one right after the other. A pool of processes, which keeps nothing
and tells nobody, is what one has without a queue.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from benchmarks._bar import Figure, main, say
from demo_workers.queueing.tasks import work
from demo_workers.services.children.process_pool import process_pool
from demo_workers.stack.workforce import WorkerKind
from lessons.task_queues.lesson import Crew, Lesson, make_lesson, until

JOBS = {"simple": 200, "fork": 40}
POOLED = 2000
CLASSES = tuple(JOBS)


def drain(crew: Crew, jobs: int) -> float:
    """Seconds per job of one worker that is ready; all jobs are pushed in one step, which is no part of it."""
    last = crew.queue.enqueue_many([crew.queue.prepare_data(work, (0.0,)) for _ in range(jobs)])[-1]
    began = time.perf_counter()
    until(lambda: last.is_finished, f"{jobs} jobs done")
    return (time.perf_counter() - began) / jobs


async def cost(lesson: Lesson, worker_class: str) -> float:
    """Milliseconds per job that does nothing."""
    async with lesson.crew("jobs", 1, WorkerKind(worker_class)) as crew:
        await asyncio.to_thread(drain, crew, 5)
        return 1000 * await asyncio.to_thread(drain, crew, JOBS[worker_class])


def pooled() -> float:
    """The same of a pool of one process."""
    with process_pool(1) as pool:
        pool.submit(work, 0.0).result()
        began = time.perf_counter()
        for future in [pool.submit(work, 0.0) for _ in range(POOLED)]:
            future.result()
        return 1000 * (time.perf_counter() - began) / POOLED


async def measure(options: argparse.Namespace) -> list[Figure]:
    """All classes in each round."""
    lesson = make_lesson("jobs")
    found: dict[str, list[float]] = {name: [] for name in (*CLASSES, "pool")}
    try:
        for n in range(options.rounds):
            for name in CLASSES:
                found[name].append(await cost(lesson, name))
            found["pool"].append(await asyncio.to_thread(pooled))
            say(f"round {n + 1} of {options.rounds}: " + ", ".join(f"{k} {v[-1]:.2f} ms" for k, v in found.items()))
    finally:
        await lesson.stack.stop()
    ratio = [fork / simple for fork, simple in zip(found["fork"], found["simple"], strict=True)]
    against = "jobs that do nothing, one worker"
    return [
        Figure.of("RQ's cost per job, simple worker", found["simple"], against=against, unit="ms"),
        Figure.of("RQ's cost per job, forking worker", found["fork"], against=against, unit="ms"),
        Figure.of("forking against simple", ratio, against=against, at_least=3.0),
        Figure.of("a pool of processes, per call", found["pool"], against="calls that do nothing", unit="ms"),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, measure))

"""A stand-in for a notebook's kernel: sweeps for a long time, says when the first results are there, and is killed."""

from __future__ import annotations

import asyncio

from demo_workers.scenario import Scenario
from lessons.sweeps.sweep import sweep


async def main() -> None:
    """Sweep until killed."""
    told = []

    def progress(done: int, of: int) -> None:
        if not told:
            told.append(done)
            print("sweeping", flush=True)

    await sweep([Scenario(seed=seed) for seed in range(1000)], 20, workers=2, progress=progress)


if __name__ == "__main__":
    asyncio.run(main())

"""A stand-in for a notebook's kernel: sweeps, says when the first results are there, and is killed."""

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

    await sweep([Scenario(seed=seed) for seed in range(40)], 2, workers=2, progress=progress)


if __name__ == "__main__":
    asyncio.run(main())

"""A panel that nobody sees: what it costs with its tab closed, and whether its pictures pile up in the Jupyter server.

``python -m benchmarks.closed_tab`` lets a load run and takes the kernel's CPU time with the tab open and with the tab
closed, twelve seconds each, in turns. While the tab is closed the server's memory is watched: if it kept the pictures
for later, as it does by default, it would grow by their bytes. What it grows by is told as a share of that.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import NamedTuple

from benchmarks._bar import Figure, main, say
from benchmarks._panel import FPS, Session, cpu_s, session

MOST_CPU = 0.3
MOST_GROWTH = 0.1
WATCHED_S = 12.0
SETTLE_S = 2.0
"""After the tab was opened or closed: the server has its own work to do then."""
SIZE = "async () => (await (await fetch(document.querySelector('img.workbook-picture').src)).blob()).size"


class Spent(NamedTuple):
    """What one stretch cost: cores used by the kernel, bytes the server grew by."""

    cores: float
    grown: int


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Open and closed in turns."""
    ratios, shares, grown = [], [], []
    async with session() as opened:
        await opened.start()
        for n in range(options.rounds):
            shown = await _spend(opened)
            piled = FPS * WATCHED_S * int(await opened.reader.page.evaluate(SIZE))
            await opened.reader.save()
            await opened.reader.close_tab()
            hidden = await _spend(opened)
            await opened.reader.open()
            since = await opened.pictures.watch()
            await opened.until_frames(since, 3)
            ratios.append(hidden.cores / shown.cores)
            shares.append(hidden.grown / piled)
            grown.append(hidden.grown / 1e6)
            say(f"round {n + 1} of {options.rounds}: {shown.cores:.3f} cores open, {hidden.cores:.3f} closed; "
                f"the server grew by {grown[-1]:.2f} MB, pictures would be {piled / 1e6:.1f} MB")  # fmt: skip
        await opened.stop()
    return [
        Figure.of("kernel CPU with the tab closed", ratios, against="with the tab open", at_most=MOST_CPU),
        Figure.of("growth of the Jupyter server", shares, against="the pictures' bytes", at_most=MOST_GROWTH),
        Figure.of("growth of the Jupyter server", grown, unit="MB"),
    ]


async def _spend(opened: Session) -> Spent:
    await asyncio.sleep(SETTLE_S)
    kernel, server = opened.kernel(), opened.server()
    began, before, memory = time.monotonic(), cpu_s(kernel), server.memory_info().rss
    await asyncio.sleep(WATCHED_S)
    return Spent((cpu_s(kernel) - before) / (time.monotonic() - began), server.memory_info().rss - memory)


if __name__ == "__main__":
    sys.exit(main(__doc__, measure))

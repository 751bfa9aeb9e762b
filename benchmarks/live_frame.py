"""What a live picture costs the kernel, against ``clear_output`` and ``plt.show``; and whether ten a second are seen.

``python -m benchmarks.live_frame`` opens a panel in a real JupyterLab. Cost: in each round the kernel plays a recorded
run, thirty frames (draw, encode, publish, acknowledge) and five new figures with the same curves, and counts the CPU
time of its whole process. Rate: under a real load, the pictures that the browser decoded in six seconds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks._bar import Figure, main, say
from benchmarks._panel import FPS, Session, session

MOST_COST = 0.1
LEAST_FPS = 9.5
WINDOW_S = 6.0
RECORD = f"""# recorded once, played in each round
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
%matplotlib inline
from benchmarks import _frames
run = await panel.run(seconds=12)
print(1)
"""
PLAY = """# round {n}
await _frames.measure(run)
"""


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Cost first, then rate, in one JupyterLab."""
    async with session() as opened:
        await opened.run_cell(RECORD)
        costs, pairs = [], []
        for n in range(options.rounds):
            pairs.append(await opened.run_cell(PLAY.format(n=n + 1)))
            costs.append(pairs[-1]["live_s"] / pairs[-1]["naive_s"])
            say(f"round {n + 1} of {options.rounds}: {1000 * pairs[-1]['live_s']:.1f} ms a frame, "
                f"{1000 * pairs[-1]['naive_s']:.0f} ms a new figure")  # fmt: skip
        await opened.start()
        rates = [await _rate(opened) for _ in range(options.rounds)]
        await opened.stop()
    naive = "clear_output and plt.show of the same curves"
    return [
        Figure.of("kernel CPU of a live frame", costs, against=naive, at_most=MOST_COST),
        Figure.of("kernel CPU of a live frame", [1000 * pair["live_s"] for pair in pairs], unit="ms"),
        Figure.of(f"pictures seen per second, {FPS:g} asked for", rates, at_least=LEAST_FPS),
    ]


async def _rate(opened: Session) -> float:
    """Pictures per second that were decoded in the page over a window."""
    since = await opened.pictures.clock()
    await opened.reader.page.wait_for_timeout(1000 * WINDOW_S)
    frames = await opened.pictures.log(since)
    rate = (len(frames) - 1) / (frames[-1]["t"] - frames[0]["t"])
    say(f"{rate:.2f} pictures per second")
    return float(rate)


if __name__ == "__main__":
    sys.exit(main(__doc__, measure))

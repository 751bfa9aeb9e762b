"""From an arrow key on a slider to the picture that shows the new value, in a real JupyterLab.

``python -m benchmarks.slider`` turns λ by the keyboard while a load is running, twenty times a round. The time ends
with the first decoded picture in whose pixels the new value can be read: the plot's own label, "λ 31", looked for as
it is drawn. Both moments are on the page's clock. The bar is on the 95th percentile, in periods of the picture.
"""

from __future__ import annotations

import argparse
import base64
import math
import sys

import numpy as np
from PIL import Image

from benchmarks._bar import Figure, main, say
from benchmarks._panel import ARRIVALS, FPS, Session, session
from tests.browser.reader import until
from tests.lessons.show.reading import reads

MOST_PERIODS = 2.5
PRESSES = 20
APART_S = 1.3
"""Seconds from key to key: the panel takes turns within a second for one."""
PATIENCE_S = 1.2

# Keys, and the part of every picture in which λ is named (green channel of the plot of rates), by the page's clock.
WATCH = """() => {
  const watched = globalThis.pressed !== undefined;
  globalThis.pressed = [];
  globalThis.seen = [];
  if (watched) return;
  addEventListener("keydown", event => pressed.push(event.timeStamp / 1000), true);
  const canvas = new OffscreenCanvas(450, 210);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  new MutationObserver(records => {
    const image = records.at(-1).target;
    const t = performance.now() / 1000;
    context.drawImage(image, 0, 50, 450, 210, 0, 0, 450, 210);
    seen.push({t, green: context.getImageData(0, 0, 450, 210).data.filter((_, i) => i % 4 === 1)});
  }).observe(document.querySelector("img.workbook-picture"), {attributes: true, attributeFilter: ["data-frame"]});
}"""
TAKE = """since => {
  const text = bytes => { let s = ""; for (const b of bytes) s += String.fromCharCode(b); return btoa(s); };
  return globalThis.seen.filter(frame => frame.t > since).map(frame => ({t: frame.t, green: text(frame.green)}));
}"""


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Twenty keys a round, each round on a load of its own."""
    medians, tails = [], []
    async with session() as opened:
        for n in range(options.rounds):
            latencies = await _turn(opened, options.screenshot)
            medians.append(float(np.median(latencies)) * FPS)
            tails.append(float(np.quantile(latencies, 0.95)) * FPS)
            slowest = max(latencies) * 1000
            say(f"round {n + 1} of {options.rounds}: median {medians[-1]:.2f} periods, p95 {tails[-1]:.2f}, "
                f"most {slowest:.0f} ms")  # fmt: skip
    against = f"the picture's period of {1000 / FPS:g} ms"
    return [
        Figure.of("key to visible value, 95th percentile", tails, against=against, at_most=MOST_PERIODS),
        Figure.of("key to visible value, median", medians, against=against),
    ]


async def _turn(opened: Session, screenshot: str | None) -> list[float]:
    """Seconds from each key to its value; infinite where it was not seen."""
    reader, page = opened.reader, opened.reader.page
    await opened.start()
    value = int(await reader.number_beside(ARRIVALS).input_value())
    await reader.slider(ARRIVALS).focus()
    await page.evaluate(WATCH)
    latencies = []
    for press in range(PRESSES):
        value += 1
        await page.keyboard.press("ArrowRight")
        pressed = float((await page.evaluate("() => globalThis.pressed"))[press])
        end = pressed + PATIENCE_S

        async def over(end: float = end) -> bool:
            return float(await page.evaluate("() => performance.now() / 1000")) > end

        await until(over, 10.0, "the pictures after a key")
        frames = await page.evaluate(TAKE, pressed)
        latencies.append(next((frame["t"] - pressed for frame in frames if _shows(frame["green"], value)), math.inf))
        await page.wait_for_timeout(1000 * (APART_S - PATIENCE_S) + 37 * (press % 4))  # not in step with the pictures
    if screenshot:
        await page.screenshot(path=screenshot)
    await opened.stop()
    await reader.press("Reset")
    await reader.until_status("Ready", deadline_s=10.0)
    return latencies


def _shows(green: str, value: int) -> bool:
    pixels = np.frombuffer(base64.b64decode(green), np.uint8).reshape(210, 450)
    return reads(Image.fromarray(pixels), f"λ {value}")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--screenshot", metavar="FILE.png", help="what is on the screen before Stop")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, options=add_options))

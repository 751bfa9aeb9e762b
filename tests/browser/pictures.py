"""A live picture as the eye has it: decoded pixels, and the moments at which they came."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image, ImageChops
from playwright.async_api import Page

# One log per page of all frames that were decoded, on the page's clock: the way to Python adds nothing to the times.
# `sum` tells two pictures apart: it is made of the picture at half its size.
WATCH = """() => {
  if (globalThis.frameLog) return;
  globalThis.frameLog = [];
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const checksum = image => {
    [canvas.width, canvas.height] = [image.naturalWidth / 2, image.naturalHeight / 2];
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const words = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return words.reduce((sum, word) => (Math.imul(sum, 31) + word) | 0, 0);
  };
  new MutationObserver(records => {
    for (const {target} of records) {
      if (!target.matches?.("img.workbook-picture")) continue;
      const panel = [...document.querySelectorAll("img.workbook-picture")].indexOf(target);
      frameLog.push({panel, n: Number(target.dataset.frame), t: performance.now() / 1000, sum: checksum(target)});
    }
  }).observe(document.body, {subtree: true, attributes: true, attributeFilter: ["data-frame"]});
}"""
PIXELS = """number => {
  const image = document.querySelectorAll("img.workbook-picture")[number];
  if (!image?.dataset.frame || !image.offsetHeight) return null;
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


class Pictures:
    """The pictures of one panel.

    Args:
        page: where it is.
        number: which panel of the page, counted from the top.
    """

    def __init__(self, page: Page, number: int) -> None:
        self._page, self._number = page, number

    async def watch(self) -> float:
        """Keep the log of frames from now on; returns the page's clock in seconds."""
        await self._page.evaluate(WATCH)
        return await self.clock()

    async def clock(self) -> float:
        """Seconds on the page's clock."""
        return float(await self._page.evaluate("() => performance.now() / 1000"))

    async def log(self, since_s: float = 0.0) -> list[dict[str, Any]]:
        """Frames that were shown since a moment: n, t and sum."""
        frames = await self._page.evaluate("() => globalThis.frameLog ?? []")
        return [frame for frame in frames if frame["panel"] == self._number and frame["t"] > since_s]

    async def look(self) -> Image.Image | None:
        """What is on the screen now, decoded; None while there is no visible picture."""
        png = await self._page.evaluate(PIXELS, self._number)
        return Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB") if png else None

    async def differs(self, earlier: Image.Image | None) -> bool:
        """Whether a picture with other pixels than an earlier one is on the screen."""
        now = await self.look()
        if now is None or earlier is None:
            return now is not None
        return now.size != earlier.size or ImageChops.difference(now, earlier).getbbox() is not None

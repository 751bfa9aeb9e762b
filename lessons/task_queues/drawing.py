"""Pictures to make thumbnails of: hills under a sky, the same ones for the same seed, nothing to download."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

QUALITY = 85
"""Of the JPEG file."""


def draw(path: Path, seed: int, width: int, height: int) -> None:
    """Draw a picture, hills under a sky, and store it as JPEG.

    Args:
        path: where to.
        seed: which picture.
        width: pixels.
        height: pixels.
    """
    dice = np.random.default_rng(seed)
    x = np.linspace(0, 6 * np.pi, width, dtype=np.float32)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    hills = sum(np.sin(x * dice.uniform(0.2, 2) + dice.uniform(0, 6)) for _ in range(4)) * 0.06 + 0.55
    light = np.where(y > hills, 1 - 0.6 * y, 0.4 + 0.6 * y)
    colours = dice.uniform(0.3, 1, (2, 3)).astype(np.float32)
    shade = np.where((y > hills)[:, :, None], colours[0], colours[1]) * light[:, :, None]
    grain = np.float32(0.03) * dice.standard_normal((height, width, 1), dtype=np.float32)
    pixels = np.clip(255 * (shade + grain), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=QUALITY)

"""Thumbnails, a job that needs a processor: it reads a picture from a folder and writes small ones beside it."""

from __future__ import annotations

import time
import zlib
from pathlib import Path
from typing import Any

from PIL import Image

SIDES = (640, 320, 160)
"""Longest sides of the thumbnails, pixels."""

QUALITY = 85


def thumbnails(folder: str, name: str) -> dict[str, Any]:
    """Make the thumbnails of one picture; safe to do twice, for it writes the same files again.

    Args:
        folder: where the picture is.
        name: of its file.

    Returns:
        ``checks``: a checksum per thumbnail; ``cpu_s``: processor seconds that they took.
    """
    began = time.thread_time()
    checks = []
    with Image.open(Path(folder) / name) as picture:
        picture.load()
        for side in SIDES:
            small = picture.copy()
            small.thumbnail((side, side), Image.Resampling.LANCZOS)
            path = Path(folder) / f"{Path(name).stem}-{side}.jpg"
            small.save(path, quality=QUALITY)
            checks.append(zlib.crc32(path.read_bytes()))
    return {"checks": checks, "cpu_s": time.thread_time() - began}

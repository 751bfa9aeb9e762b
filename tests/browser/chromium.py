"""The system's browser, and how it is started for our own pages."""

from __future__ import annotations

import shutil

from playwright.async_api import ViewportSize

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = (
    "--no-sandbox",  # as root in a container there is none; the only pages opened are our own
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
SIZE: ViewportSize = {"width": 1280, "height": 900}


def find() -> str | None:
    """Where it is, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)

"""A child for the tests of both ends of the control pipe; what it does is in its configuration."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

from demo_workers.errors import ScenarioError
from demo_workers.services.children import control


async def slow(seconds: float) -> dict[str, Any]:
    """Answer later, without blocking."""
    await asyncio.sleep(seconds)
    return {"slept": seconds}


def fail(text: str) -> None:
    """Raise what nobody expected."""
    raise KeyError(text)


def refuse(rate: float) -> None:
    """Raise one of the workbook's own errors."""
    raise ScenarioError("load.arrival_rate", rate, "above 0", "Choose another.")


def news(count: int) -> None:
    """Say several things unasked."""
    for number in range(count):
        control.emit("news", number=number)


HANDLERS: dict[str, control.Handler] = {
    "echo": lambda **fields: fields,
    "nothing": lambda: None,
    "slow": slow,
    "fail": fail,
    "refuse": refuse,
    "news": news,
    "say": lambda text: print(text),
    "ask": lambda: {"read": sys.stdin.read()},
    "stall_for": lambda seconds: time.sleep(seconds),
    "leave": lambda code: os._exit(code),
    "large": lambda size: {"text": "x" * size},
    "unspeakable": lambda: {"value": object()},
}


async def answer(on_eof: Any) -> None:
    """The asyncio variant."""
    control.emit("ready", pid=os.getpid())
    await control.serve(HANDLERS, on_eof)


def main() -> None:
    """Behave as told."""
    config = control.read_config()
    farewell = config.get("farewell")

    def on_eof() -> None:
        if config.get("stuck"):
            time.sleep(60)
        if farewell:
            Path(farewell).write_text("bye")

    kind = config["kind"]
    if kind == "serve":
        asyncio.run(answer(on_eof))
    elif kind == "refuse":
        sys.exit("no such limit: -1")
    elif kind == "mute":
        time.sleep(60)
    control.watch_stdin(on_eof)
    control.emit("ready", pid=os.getpid())
    while kind == "busy":
        pass
    reading, _ = os.pipe()
    os.read(reading, 1)  # kind "blocked": for ever in one system call


if __name__ == "__main__":
    main()

"""A live panel in a real JupyterLab in a real browser: what the benchmarks of the picture share."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks._bar import Unavailable

try:
    from playwright.async_api import async_playwright

    from tests.browser import chromium
    from tests.browser.lab import Lab
    from tests.browser.pictures import Pictures
    from tests.browser.reader import Reader, until
    from tests.processes import marked
except ImportError as error:
    raise SystemExit(f"{error}: the test tools must be installed. Run `make setup-test`.") from None

FPS = 10.0
"""Pictures per second that a panel asks for."""

ARRIVALS = "arrivals λ [per s]"
SCENARIO = """
scenario = Scenario(
    load=Load(kind="uniform", arrival_rate=30.0),
    service=Service(service_time_s=0.02, workers=2),
    admission=Admission(limit=30),
    seed=5,
)
"""
SHOW = f"""
from demo_workers.scenario import Admission, Load, Scenario, Service
from demo_workers.stack import Stack
from lessons.show.panel import Panel
{SCENARIO}
stack = Stack("bench")
await stack.start(2)
panel = Panel("bench", stack, scenario, question="What does a picture cost?", fps={FPS})
panel.show()
"""
NAME = "bench.ipynb"


class Session:
    """A notebook with one live panel, opened in a tab.

    Args:
        lab: the server.
        reader: who looks at it.
    """

    def __init__(self, lab: Lab, reader: Reader) -> None:
        self.lab, self.reader = lab, reader

    @property
    def pictures(self) -> Pictures:
        """What can be seen of its pictures."""
        return self.reader.pictures()

    async def start(self) -> None:
        """Press Start and wait for three pictures."""
        since = await self.pictures.watch()
        await self.reader.press("Start")
        await self.until_frames(since, 3)

    async def stop(self) -> None:
        """Press Stop and wait for the end."""
        await self.reader.press("Stop")
        await self.reader.until_status("Stopped after", "too busy to keep the schedule", deadline_s=10.0)

    async def until_frames(self, since_s: float, count: int) -> None:
        """Wait until so many pictures were shown since a moment of the page's clock."""

        async def shown() -> bool:
            return len(await self.pictures.log(since_s)) >= count

        await until(shown, 15.0, f"{count} pictures")

    async def run_cell(self, code: str, deadline_s: float = 120.0) -> Any:
        """Put code into the notebook's last cell and run it; returns the JSON that it prints at last."""
        put = """code => { const cell = jupyterapp.shell.currentWidget.content.widgets.at(-1);
                          cell.model.sharedModel.setSource(code); }"""
        await self.reader.page.evaluate(put, code)
        needle = code.splitlines()[0]
        await self.reader.press_enter_in(needle)
        await self.reader.until_run(needle, deadline_s)
        (cell,) = [cell for cell in await self.reader.cells() if needle in cell["source"]]
        printed = "".join("".join(output.get("text", "")) for output in cell["outputs"])
        return json.loads(printed.splitlines()[-1])

    def kernel(self) -> psutil.Process:
        """The notebook's kernel."""
        return self._one("ipykernel_launcher")

    def server(self) -> psutil.Process:
        """JupyterLab's own process."""
        return self._one("jupyterlab")

    def _one(self, module: str) -> psutil.Process:
        (found,) = [process for process in marked(self.lab.mark) if module in process.cmdline()]
        return found


@contextlib.asynccontextmanager
async def session(prepare: Callable[[Path], None] = lambda notebooks: None) -> AsyncIterator[Session]:
    """JupyterLab with a panel on the screen; everything is ended on the way out.

    Args:
        prepare: called with the folder of the notebook before it is opened.

    Raises:
        Unavailable: there is no Chromium.
    """
    browser_path = chromium.find()
    if browser_path is None:
        raise Unavailable("no Chromium on PATH: install your system's chromium package")
    with tempfile.TemporaryDirectory(prefix="wb-") as base:
        lab = Lab(Path(base))
        lab.start()
        try:
            (lab.notebooks / NAME).write_text(json.dumps(_notebook(SHOW, "pass  # to be filled in")))
            prepare(lab.notebooks)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=browser_path, args=[*chromium.QUIET])
                context = await browser.new_context(viewport=chromium.SIZE)
                reader = await Reader(context, lab, NAME).open()
                await reader.run_all()
                yield Session(lab, reader)
                await reader.shut_down()
                await browser.close()
        finally:
            lab.stop()
            lab.sweep()


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _notebook(*cells: str) -> dict[str, Any]:
    made: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"cell{n}", "metadata": {}, "execution_count": None, "outputs": [], "source": code}
        for n, code in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}

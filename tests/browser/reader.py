"""What a reader does in the browser, and what they would complain about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request

from tests.browser.lab import Lab
from tests.browser.pictures import Pictures
from tests.patience import patience

CELLS = """() => jupyterapp.shell.currentWidget.content.widgets
  .filter(cell => cell.model.type === "code")
  .map(cell => ({
    source: cell.model.sharedModel.source,
    count: cell.model.executionCount,
    state: cell.model.executionState,
    outputs: cell.model.outputs.toJSON(),
  }))"""
FORGET = """needle => jupyterapp.shell.currentWidget.content.widgets
  .filter(cell => cell.model.type === "code" && cell.model.sharedModel.source.includes(needle))
  .forEach(cell => { cell.model.executionCount = null; })"""
KERNEL = "() => globalThis.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status ?? ''"
BROKEN = ("Error displaying widget", "Loading widget...", "Error creating widget", "Error rendering", "model not found")
CONSOLE_ALLOWED: tuple[tuple[str, str], ...] = ()
"""(part of the message, reason): what the console may say. Nothing so far."""


class Busy(AssertionError):
    """A run was invalid because this machine was busy with something else; the lesson says so, and is right."""


async def until(condition: Callable[[], Awaitable[Any]], deadline_s: float, what: str) -> float:
    """Wait until something in the browser is so, with patience on the CI's machine; returns the seconds it took."""
    start = time.monotonic()
    while not await condition():
        assert time.monotonic() - start < patience(deadline_s), f"not within {deadline_s} s: {what}"
        await asyncio.sleep(0.02)
    return time.monotonic() - start


class Reader:
    """A browser tab with one notebook.

    Args:
        context: of the browser.
        lab: the server.
        notebook: the name of the file.
    """

    def __init__(self, context: BrowserContext, lab: Lab, notebook: str) -> None:
        self._context, self._lab, self.notebook = context, lab, notebook
        self.complaints: list[str] = []
        self.page: Page

    async def open(self) -> Reader:
        """Open the notebook in a new tab, with a kernel that is ready."""
        self.page = await self._context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        self.page.on("request", self._asked)
        await self.page.goto(self._lab.address(self.notebook))
        await self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=30_000)
        await self.until_kernel("idle")
        return self

    async def close_tab(self) -> None:
        """Close the tab as a reader does who has saved; the kernel goes on."""
        await self.page.close()

    async def shut_down(self) -> None:
        """End the notebook's kernel, whatever state it is in, and close the tab."""
        if not self.page.is_closed():
            await self.page.evaluate(
                "() => globalThis.jupyterapp?.shell.currentWidget?.context?.sessionContext.shutdown()"
            )
            await self.page.close()

    async def until_kernel(self, status: str) -> None:
        """Wait for the kernel to be idle or busy."""

        async def found() -> bool:
            return bool(await self.page.evaluate(KERNEL) == status)

        await until(found, 30, f"the kernel is {status}")

    # The menus and cells

    async def menu(self, *path: str) -> None:
        """Choose an entry of a menu with the mouse."""
        await self.page.get_by_role("menuitem", name=path[0], exact=True).first.click()
        for name in path[1:]:
            await self.page.locator(".lm-Menu .lm-Menu-item").get_by_text(name, exact=True).first.click()

    async def accept(self) -> None:
        """Answer a dialog's question with yes."""
        await self.page.locator(".jp-Dialog .jp-mod-accept").click()

    async def cells(self) -> list[dict[str, Any]]:
        """The code cells as the app knows them."""
        return list(await self.page.evaluate(CELLS))

    async def forget(self, needle: str = "") -> None:
        """Take the numbers off the cells that contain the words, so that a new run of them can be told."""
        await self.page.evaluate(FORGET, needle)

    async def until_run(self, needle: str = "", deadline_s: float = 60.0) -> float:
        """Wait until all code cells that contain the words have run; an error ends the waiting at once."""

        async def over() -> bool:
            cells = [cell for cell in await self.cells() if needle in cell["source"] and cell["source"].strip()]
            assert cells, f"no cell contains {needle!r}"
            ended = [cell for cell in cells if cell["count"] and cell["state"] == "idle"]
            for output in (output for cell in ended for output in cell["outputs"] if output["output_type"] == "error"):
                text = "\n".join(output["traceback"])
                raise Busy(text) if output["ename"] == "LoadGeneratorLagging" else AssertionError(text)
            return len(ended) == len(cells)

        return await until(over, deadline_s, f"cells with {needle!r} have run")

    async def run_all(self, deadline_s: float = 60.0) -> float:
        """Run > Run All Cells; returns the seconds until all have run. A busy machine is given a second chance."""
        for last in (False, True):
            await self.forget()
            await self.menu("Run", "Run All Cells")
            try:
                return await self.until_run(deadline_s=deadline_s)
            except Busy:
                if last:
                    raise
        raise AssertionError("not reached")

    async def run_cell(self, needle: str, deadline_s: float = 20.0) -> None:
        """Run one cell by Ctrl-Enter and wait for its end. A busy machine is given a second chance."""
        for last in (False, True):
            await self.press_enter_in(needle)
            try:
                await self.until_run(needle, deadline_s)
                return
            except Busy:
                if last:
                    raise

    async def until_interrupted(self, needle: str, deadline_s: float = 10.0) -> float:
        """Wait until a cell has ended with an error; returns the seconds."""

        async def over() -> bool:
            (cell,) = [cell for cell in await self.cells() if needle in cell["source"]]
            return cell["state"] == "idle" and any(o["output_type"] == "error" for o in cell["outputs"])

        return await until(over, deadline_s, f"the cell with {needle!r} is interrupted")

    async def save(self) -> None:
        """File > Save Notebook: what was not saved is not there when the tab is opened again."""
        await self.menu("File", "Save Notebook")

        async def clean() -> bool:
            return not await self.page.evaluate("() => jupyterapp.shell.currentWidget.context.model.dirty")

        await until(clean, 10, "the notebook is saved")

    async def press_enter_in(self, needle: str) -> None:
        """Run one cell by Ctrl-Enter."""
        await self.forget(needle)
        await self.page.locator(".jp-CodeCell", has_text=needle).first.locator(".jp-InputArea-prompt").click()
        await self.page.keyboard.press("Control+Enter")

    # The panel

    def panel(self, number: int = 0) -> Locator:
        """A live panel, counted from the top."""
        return self.page.locator(".workbook-panel").nth(number)

    def pictures(self, number: int = 0) -> Pictures:
        """What can be seen of its pictures."""
        return Pictures(self.page, number)

    async def press(self, button: str, number: int = 0) -> None:
        """Press a button of a panel as soon as it is alive."""
        # not exact: the icon's private character belongs to the button's name
        await self.panel(number).get_by_role("button", name=button).click(timeout=20_000)

    async def until_status(self, *words: str, deadline_s: float, number: int = 0) -> float:
        """Wait until the status line of a panel contains one of the words; returns the seconds."""
        line = self.panel(number).locator('[role="status"], [role="alert"]').first
        said: list[str] = []

        async def found() -> bool:
            said[:] = [await line.text_content() or ""]
            return any(part in said[0] for part in words)

        try:
            return await until(found, deadline_s, f"the status line says {words!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {said}") from None

    def slider(self, label: str, number: int = 0) -> Locator:
        """The handle of a slider."""
        return self.panel(number).get_by_role("slider", name=label)

    def number_beside(self, label: str, number: int = 0) -> Locator:
        """The number field of the same knob."""
        row = self.panel(number).locator(".widget-hbox", has=self.page.get_by_role("slider", name=label))
        return row.last.locator('input[type="number"]')

    # What would be complained about

    async def broken_widgets(self) -> list[str]:
        """Scroll through the whole notebook as one reads it, and collect what did not load."""
        found = []
        for cell in await self.page.locator(".jp-Notebook .jp-Cell").all():
            await cell.scroll_into_view_if_needed()
            text = await cell.inner_text()
            found += [f"{words} in {text[:80]!r}" for words in BROKEN if words in text]
            if await cell.locator(".jp-RenderedWidget-broken, .fa-unlink, .fa-chain-broken").count():
                found.append(f"a broken link in {text[:80]!r}")
            if await cell.locator(".workbook-picture:not([data-frame])").count():
                found.append(f"a panel without its picture in {text[:80]!r}")
            for picture in await cell.locator("img").all():
                size = await picture.bounding_box()
                if size is None or size["height"] < 10:
                    found.append(f"a picture that cannot be seen in {text[:80]!r}: {size}")
        return found

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part, _ in CONSOLE_ALLOWED):
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self._lab.url.removesuffix("lab/"), "data:", "blob:", "about:")):
            self.complaints.append(f"asked elsewhere: {request.url}")

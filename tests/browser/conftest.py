"""One JupyterLab for all browser tests, a fresh browser for each, and a screenshot of what failed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, async_playwright

from tests.browser.chromium import QUIET, SIZE, find
from tests.browser.lab import Lab
from tests.browser.reader import Reader
from tests.patience import patience

FAILED = pytest.StashKey[bool]()

OpenNotebook = Callable[[str], Awaitable[Reader]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
    """Note a failure, so that fixtures can show what was on the screen."""
    report = yield
    if call.when == "call":
        item.stash[FAILED] = call.excinfo is not None
    return report


@pytest.fixture(scope="package")
def chromium() -> str:
    """The system's browser."""
    found = find()
    if found is None:
        pytest.skip("no Chromium on PATH: install your system's chromium package to run the browser tests")
    return found


@pytest.fixture(scope="package")
def lab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab, for this folder; when it is shut down in the end, nothing that was started in it may be left."""
    lab = Lab(tmp_path_factory.mktemp("lab"))
    lab.start()
    try:
        yield lab
    finally:
        lab.stop()
        left = lab.leftovers(patience(2.0))
        lab.sweep()
    assert not left, f"left by JupyterLab 2 s after its end: {left}"


@pytest.fixture
async def context(chromium: str) -> AsyncIterator[BrowserContext]:
    """A browser without a past."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*QUIET])
        yield await browser.new_context(viewport=SIZE)
        await browser.close()


@pytest.fixture
async def open_notebook(
    context: BrowserContext, lab: Lab, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[OpenNotebook]:
    """Opens notebooks; when the test is over no page may have complained, and their kernels are shut down."""
    readers: list[Reader] = []

    async def open_one(name: str) -> Reader:
        readers.append(Reader(context, lab, name))
        return await readers[-1].open()

    yield open_one
    if request.node.stash.get(FAILED, False):
        for page in context.pages:
            picture = tmp_path / f"{context.pages.index(page)}.png"
            await page.screenshot(path=picture)
            print(f"what was on the screen: {picture}")
    complaints = [f"{reader.notebook}: {line}" for reader in readers for line in reader.complaints]
    for reader in readers:
        await reader.shut_down()
    assert not complaints, "\n".join(complaints)

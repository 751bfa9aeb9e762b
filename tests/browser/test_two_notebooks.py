"""Two notebooks at once: each has a system of its own, and says that it is not alone."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Lab
from tests.browser.reader import until
from tests.browser.test_notebook_00 import OPEN, SHOW, stop, until_moving

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.slow]


@pytest.mark.timeout(120)
async def test_two_notebooks_at_once_do_not_touch_each_other(open_notebook: OpenNotebook, lab: Lab) -> None:
    """Both panels run, both records mention the shared cores, and the end of one is no concern of the other."""
    earlier = set(lab.runs())
    one, two = [await open_notebook(lab.excerpt(f"{name}.ipynb", OPEN, SHOW)) for name in ("one", "two")]
    for reader in (one, two):
        await reader.page.bring_to_front()
        await reader.run_all()
    assert len(lab.stacks()) == 2

    for reader in (one, two):
        await reader.press("Start")
        await until_moving(reader)
    await asyncio.gather(stop(one), stop(two))
    manifests = [json.loads((run / "manifest.json").read_text()) for run in lab.runs() if run not in earlier]
    notes = [manifest["notes"] for manifest in manifests if manifest.get("length_s")]
    assert len(notes) >= 2
    assert all("1 other stack" in " ".join(note) for note in notes[-2:]), notes

    await two.press("Start")
    await until_moving(two)
    await one.menu("Kernel", "Shut Down Kernel")

    async def alone() -> bool:
        return len(lab.stacks()) == 1

    await until(alone, 3, "the first notebook's stack is gone")
    await until_moving(two)
    await stop(two)

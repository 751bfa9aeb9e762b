"""The reader of the browser tests bears a cell whose end is not told, and nothing else."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Lab
from tests.browser.reader import STRAY_S

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.slow]

NEVER_TOLD = """needle => jupyterapp.shell.currentWidget.content.widgets
  .filter(cell => cell.model.sharedModel.source === needle)
  .forEach(cell => { cell.model.executionCount = null; cell.model.executionState = "running"; })"""


async def test_a_cell_whose_end_went_astray_has_run(
    open_notebook: OpenNotebook, lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    """If it has written something, the kernel stays idle, and it is the only one; one without a word has not."""
    reader = await open_notebook(lab.write("astray.ipynb", "print('said')", "silent = 1"))
    assert await reader.run_all() < STRAY_S
    await reader.page.evaluate(NEVER_TOLD, "print('said')")
    assert await reader.until_run(deadline_s=20) >= STRAY_S
    assert "went astray: \"print('said')\"" in capsys.readouterr().out
    await reader.page.evaluate(NEVER_TOLD, "silent = 1")
    with pytest.raises(AssertionError, match="not within"):
        await reader.until_run("silent", deadline_s=STRAY_S + 1)

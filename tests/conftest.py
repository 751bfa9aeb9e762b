"""What every test shares."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of our own."""
    text = "requests that the gateway's fuzz test makes up, in all (default: 200)"
    parser.addoption("--fuzz-cases", type=int, default=200, metavar="N", help=text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
    """Where CI=true every component is installed, so a skip there hides a missing one: it fails."""
    report = yield
    skipped = isinstance(report, pytest.TestReport) and report.skipped and not hasattr(report, "wasxfail")
    if skipped and os.environ.get("CI") == "true":
        assert isinstance(report, pytest.TestReport)
        report.outcome, report.longrepr = "failed", f"skipped under CI: {report.longrepr}"
    return report

"""What every test shares."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

NOISY = ("live", "faults", "browser", "notebooks", "install")
"""Tests of these marks share the machine with what else runs on it."""
HANG = "from pytest-timeout"
"""How the failure of a test that hangs ends; its clock does not begin anew with a second try."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of our own."""
    text = "requests that the gateway's fuzz test makes up, in all (default: 200)"
    parser.addoption("--fuzz-cases", type=int, default=200, metavar="N", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """What failed and then passed is shown at the end with its traceback: somebody has to look at it."""
    config.option.rerun_show_tracebacks = True
    # how long an example takes says something about the machine; for the CI Hypothesis has such a profile by itself
    if os.environ.get("CI") != "true":
        settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.load_profile("untimed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that shares a noisy machine has a second try when it fails; a pure one never has, nor has a hang."""
    if not config.pluginmanager.hasplugin("rerunfailures"):
        return
    for item in items:
        if any(item.get_closest_marker(mark) for mark in NOISY):
            item.add_marker(pytest.mark.flaky(reruns=1, rerun_except=[HANG]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
    """Where CI=true every component is installed, so a skip there hides a missing one: it fails."""
    report = yield
    skipped = isinstance(report, pytest.TestReport) and report.skipped and not hasattr(report, "wasxfail")
    if skipped and os.environ.get("CI") == "true":
        assert isinstance(report, pytest.TestReport)
        report.outcome, report.longrepr = "failed", f"skipped under CI: {report.longrepr}"
    return report

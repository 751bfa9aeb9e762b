"""What every test shares."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

NOISY = ("live", "faults", "browser", "notebooks", "install")
"""Tests of these marks share the machine with what else runs on it."""
ALONE = (*NOISY[1:], "timed")
"""Tests of these marks want the machine for themselves. Those that are only live mostly wait: two run at a time."""
PARTS = ("pure", "live", "alone")
HANG = "from pytest-timeout"
"""How the failure of a test that hangs ends; its clock does not begin anew with a second try."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of our own."""
    text = "requests that the gateway's fuzz test makes up, in all (default: 200)"
    parser.addoption("--fuzz-cases", type=int, default=200, metavar="N", help=text)
    text = "run only the tests that may share the cores with each other, that may run in pairs, or that run alone"
    parser.addoption("--part", choices=PARTS, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """What failed and then passed is shown at the end with its traceback: somebody has to look at it."""
    config.option.rerun_show_tracebacks = True
    # a shell starts what runs in its background deaf to Ctrl-C, and all children of the suite would be deaf as well
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    # how long an example takes says something about the machine; for the CI Hypothesis has such a profile by itself
    if os.environ.get("CI") != "true":
        settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.load_profile("untimed")


def part(item: pytest.Item) -> str:
    """What a test may share the machine with."""
    marks = {mark.name for mark in item.iter_markers()}
    return "alone" if marks & {*ALONE} else "live" if "live" in marks else "pure"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose a part, if asked to. A test on a noisy machine has a second try; a pure one never has, nor has a hang."""
    if wanted := config.getoption("--part"):
        others = [item for item in items if part(item) != wanted]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if part(item) == wanted]
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

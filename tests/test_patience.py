"""Promises are stretched by how slow the machine is, and by nothing else."""

from __future__ import annotations

import time

import pytest

from tests import patience
from tests.patience import Pace


def test_a_slow_machine_has_longer_promises_and_a_fast_one_no_shorter_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that takes thrice as long makes three seconds of one; work in half the time leaves it."""
    monkeypatch.setattr(patience, "SPARE_S", 0.0)
    for times, promise_s in ((3.0, 3.0), (0.5, 1.0)):
        patience._pace.cache_clear()
        monkeypatch.setattr(patience, "_lap_s", lambda times=times: times * patience.QUIET_S)
        assert patience.patience(1.0) == pytest.approx(promise_s)
    patience._pace.cache_clear()


def test_the_pace_is_that_of_the_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is slow half of the time is half as slow; waiting for something else is no slowness."""
    laps = iter([patience.QUIET_S, 3 * patience.QUIET_S])
    monkeypatch.setattr(patience, "_lap_s", lambda: next(laps))
    monkeypatch.setattr(patience, "EVERY_S", 0.1)
    with Pace() as pace:
        time.sleep(0.15)
    assert pace.slowness == pytest.approx(2.0)


def test_a_lap_is_processor_time() -> None:
    """The lap is work: it costs its thread what it says, so that a sleep beside it does not count."""
    began = time.thread_time()
    lap_s = patience._lap_s()
    assert 0 < lap_s <= time.thread_time() - began

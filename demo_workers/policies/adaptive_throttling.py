"""Adaptive throttling: a client that hears mostly refusals holds back, by chance, what would be refused anyway.

The chance of holding an attempt back is max(0, (requests − k · accepts) / (requests + 1)), where requests are all the
attempts that wanted to go and accepts those that the server took. So about k times as much goes out as is accepted.

Source: Alejandro Forero Cuervo, "Handling Overload", in Beyer et al., "Site Reliability Engineering", O'Reilly, 2016,
equation 21-1. There both are counted over two minutes. Here they decay with the window as time constant: at a steady
rate the sum is that of the window, and two numbers hold it. It forgets to a third in one window and is never blind.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Throttle(NamedTuple):
    """Attempts that wanted to go and attempts that were accepted, of the last window or so, and when that was so."""

    requests: float = 0.0
    accepts: float = 0.0
    at_s: float = 0.0


def _until(state: Throttle, now: float, window_s: float) -> Throttle:
    passed_s = max(0.0, now - state.at_s)
    kept = math.exp(-passed_s / window_s)
    return Throttle(state.requests * kept, state.accepts * kept, max(now, state.at_s))


def chance(state: Throttle, now: float, k: float, window_s: float) -> float:
    """The chance that an attempt would be held back now."""
    then = _until(state, now, window_s)
    return max(0.0, (then.requests - k * then.accepts) / (then.requests + 1.0))


def allow(state: Throttle, now: float, u: float, k: float, window_s: float) -> tuple[Throttle, bool]:
    """An attempt wants to go: it does where ``u`` is not below the chance of being held back. It counts either way."""
    then = _until(state, now, window_s)
    allowed = u >= chance(state, now, k, window_s)
    return Throttle(then.requests + 1.0, then.accepts, then.at_s), allowed


def record(state: Throttle, now: float, accepted: bool, window_s: float) -> Throttle:
    """The server has answered, or has not: ``accepted`` is false for a refusal, an error and a time-out."""
    then = _until(state, now, window_s)
    return Throttle(then.requests, then.accepts + (1.0 if accepted else 0.0), then.at_s)

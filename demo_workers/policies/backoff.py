"""How long a client waits before its next attempt.

Each policy is ``(state, now, u, base_s, cap_s) -> (state, backoff_s)``: ``state`` says which retry this is and what
the last wait was, ``u`` is a unit variate keyed (seed, request, attempt). The n-th retry (n = 1, 2, …) has the ceiling
min(cap_s, base_s · 2^(n−1)); the cap comes before the jitter, but after it for ``decorrelated``.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, with n counted from 1 here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from demo_workers.scenario import BackoffPolicy


class BackoffState(NamedTuple):
    """``retry`` is the number of retries already made; ``previous_s`` the last wait in seconds (0 at first)."""

    retry: int = 0
    previous_s: float = 0.0


Step = tuple[BackoffState, float]


def ceiling(state: BackoffState, base_s: float, cap_s: float) -> float:
    """The longest the coming wait may be before jitter (seconds)."""
    # 2.0**1024 overflows; no cap is that far away
    return min(cap_s, base_s * 2.0 ** min(state.retry, 1000))


def _step(state: BackoffState, backoff_s: float) -> Step:
    return BackoffState(state.retry + 1, backoff_s), backoff_s


def immediate(state: BackoffState, now: float, u: float, base_s: float, cap_s: float) -> Step:
    """Again at once."""
    return _step(state, 0.0)


def fixed(state: BackoffState, now: float, u: float, base_s: float, cap_s: float) -> Step:
    """Always ``base_s`` (at most ``cap_s``)."""
    return _step(state, min(cap_s, base_s))


def exponential(state: BackoffState, now: float, u: float, base_s: float, cap_s: float) -> Step:
    """The ceiling itself: doubling, and the same for everyone."""
    return _step(state, ceiling(state, base_s, cap_s))


def full(state: BackoffState, now: float, u: float, base_s: float, cap_s: float) -> Step:
    """Full jitter: uniform between 0 and the ceiling."""
    return _step(state, u * ceiling(state, base_s, cap_s))


def equal(state: BackoffState, now: float, u: float, base_s: float, cap_s: float) -> Step:
    """Equal jitter: half of the ceiling, and the other half drawn."""
    half = ceiling(state, base_s, cap_s) / 2
    return _step(state, half + u * half)


def decorrelated(state: BackoffState, now: float, u: float, base_s: float, cap_s: float) -> Step:
    """Decorrelated jitter: uniform between the base and three times the wait before; the cap comes after the draw."""
    previous_s = max(state.previous_s, base_s)
    return _step(state, min(cap_s, base_s + u * (3 * previous_s - base_s)))


POLICIES: dict[BackoffPolicy, Callable[[BackoffState, float, float, float, float], Step]] = {
    "immediate": immediate,
    "fixed": fixed,
    "exponential": exponential,
    "full": full,
    "equal": equal,
    "decorrelated": decorrelated,
}
"""Every backoff policy by the name a scenario uses; ``none`` and ``custom`` are not functions of this kind."""

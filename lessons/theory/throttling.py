"""Adaptive throttling: a client refuses its own requests when the backend refuses many.

Source: SRE book (Beyer et al., "Site Reliability Engineering", 2016), chapter 21, "Client-Side Throttling"; K = 2 and a
window of two minutes are its usual values.
"""

from __future__ import annotations

from typing import NamedTuple

from demo_workers.errors import ScenarioError
from lessons.theory.bounds import number, positive

USUAL_K = 2.0


class Throttled(NamedTuple):
    """Rates per second: sent to the backend and accepted or refused there, or rejected by the client itself."""

    sent: float
    accepted: float
    refused: float
    rejected: float


def rejection_probability(requests: float, accepts: float, k: float = USUAL_K) -> float:
    """max(0, (requests − K·accepts)/(requests + 1)), both counted over the window.

    Args:
        requests: what the application asked for, the locally rejected included.
        accepts: what the backend accepted; at most ``requests``.
        k: K; a smaller one throttles sooner.

    Raises:
        ScenarioError: a value is out of bounds.
    """
    asked, accepted = number("requests", requests), number("accepts", accepts)
    if accepted > asked:
        raise ScenarioError("accepts", accepts, f"at most requests = {asked:g}", "Count both over the same window.")
    return max(0.0, (asked - _multiplier(k) * accepted) / (asked + 1))


def steady_state(demand: float, most_accepted: float, k: float = USUAL_K) -> Throttled:
    """Where it settles when the window holds many requests: the backend is sent about K times what it accepts.

    Args:
        demand: what the application asks for, per second.
        most_accepted: what the backend can accept, per second.
        k: K, at least 1.

    Raises:
        ScenarioError: a value is out of bounds.
    """
    asked, most = number("demand", demand), number("most_accepted", most_accepted)
    sent = min(asked, _multiplier(k) * most)
    accepted = min(sent, most)
    return Throttled(sent, accepted, sent - accepted, asked - sent)


def _multiplier(k: float) -> float:
    if positive("k", k) < 1:
        raise ScenarioError("k", k, "at least 1", "Below 1 a healthy backend would be starved step by step.")
    return k

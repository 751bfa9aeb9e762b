"""What a policy written in a notebook's cell is told, and what it may answer.

``next_try(failure)`` returns the seconds to wait before the next attempt, or None to give up. ``admit(state)`` returns
whether the request may ask for a place; the limit holds all the same, so it can only make the door narrower.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Collection
from random import Random
from typing import Any, NamedTuple

from demo_workers.errors import PolicyError
from demo_workers.scenario import HOOKS, Scenario
from demo_workers.variates import Stream, variate

LONGEST_S = 3600.0
"""The longest wait that ``next_try`` may ask for (seconds)."""


class Failure(NamedTuple):
    """An attempt that failed, as its client sees it.

    Attributes:
        attempt: its number, counted from 1.
        previous_s: the wait before it (seconds; 0 for the first).
        retry_after_s: what a refusal asked for (seconds), if it did.
        time_left_s: until the request's deadline (seconds), if it has one.
        budget_left: retries that the budget would still pay for, if there is one.
        reason: ``refused``, ``timed_out``, ``errored`` or ``held_back`` (by a guard of the client's own).
        rng: dice keyed by (seed, request, attempt), so that the live system and the twin throw the same.
    """

    attempt: int
    previous_s: float
    retry_after_s: float | None
    time_left_s: float | None
    budget_left: float | None
    reason: str
    rng: Random


class Door(NamedTuple):
    """What the gateway knows when a request asks to come in.

    Attributes:
        now_s: seconds since the run's origin.
        depth: jobs waiting and running, as last heard.
        limit: the limit in force, if any.
        drain_rate: jobs finished per second lately; None while nothing has finished.
        expected_wait_s: depth over drain rate, None while that is unknown.
        time_left_s: how long the client will wait for the answer (seconds), if it said.
        client: the client's number, -1 if it did not say.
        urgent: whether the request is urgent.
    """

    now_s: float
    depth: int
    limit: int | None
    drain_rate: float | None
    expected_wait_s: float | None
    time_left_s: float | None
    client: int
    urgent: bool


NextTry = Callable[[Failure], float | None]
Admit = Callable[[Door], bool]


def dice(seed: int, request: int, attempt: int) -> Random:
    """The ``rng`` of a failure: the same for the same attempt, in the live system and in the twin."""
    return Random(int(variate(seed, Stream.JITTER, request, attempt) * 2**53))


def checked_wait(answer: object) -> float | None:
    """What ``next_try`` returned, as seconds or None.

    Raises:
        ValueError: it is neither; says what must be returned.
    """
    if answer is None:
        return None
    bound = f"must be seconds from 0 to {LONGEST_S:g}, or None to give up"
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        raise ValueError(f"{answer!r}: {bound}. Return a number.")
    if math.isnan(answer) or not 0 <= answer <= LONGEST_S:
        raise ValueError(f"{answer!r}: {bound}. Check the sign and the unit.")
    return float(answer)


def checked_yes(answer: object) -> bool:
    """What ``admit`` returned, as a bool.

    Raises:
        ValueError: it is none; says what must be returned.
    """
    if not isinstance(answer, bool):
        raise ValueError(f"{answer!r}: must be True or False. Return a comparison, for example state.depth < 10.")
    return answer


CHECKS: dict[str, Callable[[object], Any]] = {"next_try": checked_wait, "admit": checked_yes}
"""The policies that a reader can write, by name, and the check of what they return."""


def checked(name: str, answer: object, argument: Failure | Door) -> Any:
    """What a reader's policy returned, if it makes sense.

    Raises:
        PolicyError: it does not; says what was returned, what must be, and what it was called with.
    """
    try:
        return CHECKS[name](answer)
    except ValueError as error:
        raise PolicyError(f"{name} returned {error} It was called with {argument!r}.") from None


def raised(name: str, error: BaseException, argument: Failure | Door, filename: str) -> PolicyError:
    """What to tell about a policy that raised; ``filename`` is that of the cell in which it was written."""
    text = f"{name} raised {type(error).__name__}: {error}\n{own_lines(error, filename)}"
    return PolicyError(f"{text}It was called with {argument!r}.")


def own_lines(error: BaseException, filename: str) -> str:
    """The traceback without our own frames."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == filename] or frames[-1:]
    return "".join(traceback.format_list(own))


def custom_knob(name: str, scenario: Scenario) -> dict[str, str]:
    """The knob that puts a reader's policy in force, and its value."""
    if name == "next_try":
        return {"retry_policy": "custom"}
    hooks = [scenario.admission.hook(hook) for hook in HOOKS if hook != "admit"]
    return {"admission_policy": "+".join(["custom", *hooks])}


def check_written(scenario: Scenario, written: Collection[str]) -> None:
    """See that whatever a scenario calls ``custom`` has been brought.

    Raises:
        PolicyError: it has not.
    """
    wanted = {"next_try": scenario.retry.policy, "admit": scenario.admission.hook("admit")}
    for name, policy in wanted.items():
        if policy == "custom" and name not in written:
            field = "retry.policy" if name == "next_try" else "admission.policy"
            raise PolicyError(f"{field} = 'custom': must come with a function. Pass {name}=your_function.")


FAILURES = (
    Failure(1, 0.0, None, None, None, "timed_out", Random(1)),
    Failure(1, 0.0, 0.25, 3.0, None, "refused", Random(2)),
    Failure(2, 0.1, 1.0, None, 4.0, "refused", Random(3)),
    Failure(3, 0.4, None, 0.05, 0.0, "errored", Random(4)),
    Failure(9, 10.0, None, 0.0, 0.0, "held_back", Random(5)),
)
"""What ``next_try`` is tried on before it is let near a run."""

DOORS = (
    Door(0.0, 0, None, None, None, None, -1, urgent=False),
    Door(1.5, 3, 20, 40.0, 0.075, 1.0, 7, urgent=False),
    Door(9.0, 20, 20, 55.5, 0.36, 0.2, 99, urgent=True),
    Door(60.0, 5000, None, 0.2, 25_000.0, None, 0, urgent=False),
)
"""What ``admit`` is tried on before it is let near a run."""

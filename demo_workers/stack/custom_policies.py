"""Brings a policy written in a cell to the process where it will decide."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from demo_workers.errors import LabError, PolicyError
from demo_workers.policies.custom import Door, Failure
from demo_workers.scenario import HOOKS, Scenario
from demo_workers.services.child import Child
from demo_workers.services.hosted_policy import pack
from demo_workers.services.time_limit import STUCK_EXIT, STUCK_SIGNAL

NextTry = Callable[[Failure], float | None]
Admit = Callable[[Door], bool]


async def host(child: Child, name: str, function: Callable[..., Any]) -> None:
    """Send a function to a child of ours, where it is tried on examples and then waits to be used.

    Args:
        child: the clients for ``next_try``, the gateway for ``admit``.
        name: one of the two.
        function: what the reader wrote.

    Raises:
        PolicyError: the function made a mistake, or hung so badly that it took the child with it.
    """
    packed = pack(name, function)
    try:
        reply = await child.call("use", policy=name, packed=packed)
    except LabError as error:
        raise stuck(child) or error from None
    if mistake := reply.get("mistake"):
        raise PolicyError(mistake)


def stuck(child: Child) -> PolicyError | None:
    """The error of a child that a reader's policy has hung for good; None if it ended otherwise."""
    if child.returncode not in (STUCK_EXIT, -STUCK_SIGNAL):
        return None
    text = "a policy never returned and could not be interrupted: must answer at once. Look for a loop without an end"
    return PolicyError(
        f"{text}. The {child.name} were ended with it; the next load starts everything anew.\n{child.log_tail}"
    )


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

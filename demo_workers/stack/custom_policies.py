"""Brings a policy written in a cell to the process where it will decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demo_workers.errors import LabError, PolicyError
from demo_workers.policies.custom import Admit, NextTry, check_written, custom_knob
from demo_workers.services.children.child import Child
from demo_workers.services.children.hosted_policy import pack
from demo_workers.services.children.time_limit import STUCK_EXIT, STUCK_SIGNAL

__all__ = ["Admit", "NextTry", "check_written", "custom_knob", "host", "stuck"]


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

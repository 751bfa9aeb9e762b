"""A child that hosts a reader's policy, for the tests of hosted policies."""

from __future__ import annotations

import asyncio
from typing import Any

from demo_workers.errors import PolicyError
from demo_workers.services.children import control, time_limit
from demo_workers.services.children.hosted_policy import HostedPolicy

hosted: dict[str, HostedPolicy] = {}
mistakes: list[str] = []


def use(policy: str, packed: dict[str, Any]) -> dict[str, Any]:
    """Try a policy and keep it."""
    made = HostedPolicy(policy, packed, lambda error: mistakes.append(str(error)))
    try:
        made.rehearse()
    except PolicyError as error:
        return {"mistake": str(error)}
    hosted[policy] = made
    return {}


def ask(policy: str, times: int = 1) -> dict[str, Any]:
    """Let it answer the last of its examples."""
    from demo_workers.services.children.hosted_policy import KINDS

    example = list(KINDS[policy].examples)[-1]
    return {"answers": [hosted[policy](example) for _ in range(times)], "mistakes": mistakes}


def main() -> None:
    """Serve."""
    control.read_config()
    time_limit.arm()
    control.emit("ready")
    asyncio.run(control.serve({"use": use, "ask": ask, "nothing": lambda: None}))


if __name__ == "__main__":
    main()

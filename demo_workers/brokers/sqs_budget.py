"""A bound on how many requests this process sends to somebody's account."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from demo_workers.errors import BrokerError

_sent: Counter[str] = Counter()
_counting = threading.Lock()


def limit_requests(client: Any, name: str, budget: int) -> None:
    """Refuse the request after the last one; clients of one name share a budget within a process.

    Args:
        client: of botocore.
        name: of the budget.
        budget: how many requests.
    """

    def count(**request: object) -> None:
        with _counting:
            if _sent[name] >= budget:
                remedy = "Delete what was made, or begin anew with a larger one."
                raise BrokerError(f"requests to Amazon SQS = {_sent[name] + 1}: must be at most {budget}. {remedy}")
            _sent[name] += 1

    client.meta.events.register("before-send", count)


def requests_sent(name: str) -> int:
    """How many requests went out under a name."""
    return _sent[name]

"""Locust as a load generator, run as a process of its own: ``python -m benchmarks._locust_load KIND URL RATE SECONDS``.

KIND is HttpUser or FastHttpUser. It prints one line: completed requests, failed ones, and the processor time (user and
system) they took, over SECONDS after all users have begun.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import gevent
import locust
from locust.contrib.fasthttp import FastHttpUser
from locust.env import Environment

USERS = 100
RAMP_S = 1.5
BODY = json.dumps({"task": "work", "args": {"service_time_s": 0.05, "kind": "sleep"}})
HEADERS = {"Content-Type": "application/json"}


def user(kind: str, url: str, rate: float) -> type[locust.User]:
    """A user who posts jobs, so often that all together make ``rate`` a second."""
    base: Any = {"HttpUser": locust.HttpUser, "FastHttpUser": FastHttpUser}[kind]

    def post(self: Any) -> None:
        self.client.post("/jobs", data=BODY, headers=HEADERS)

    return type(
        kind,
        (base,),
        {"host": url, "wait_time": locust.constant_throughput(rate / USERS), "tasks": [locust.task(post)]},
    )


def main(kind: str, url: str, rate: str, seconds: str) -> None:
    """Measure."""
    environment = Environment(user_classes=[user(kind, url, float(rate))])
    runner = environment.create_local_runner()
    runner.start(USERS, spawn_rate=USERS)
    gevent.sleep(RAMP_S)
    total = environment.stats.total
    completed, cpu_s = total.num_requests, time.process_time()
    gevent.sleep(float(seconds))
    completed, cpu_s = total.num_requests - completed, time.process_time() - cpu_s
    print(json.dumps({"completed": completed, "failed": total.num_failures, "cpu_s": cpu_s}), flush=True)
    runner.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])

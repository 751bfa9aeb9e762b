"""An owner for the tests that kill it: starts what its argument says, tells the process ids, and waits for ever."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any

from demo_workers.services.children.child import Child
from demo_workers.services.servers.rabbitmq_server import RabbitMQServer
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory
from demo_workers.services.servers.sqs_server import SqsServer

EXAMPLE = "tests.demo_workers.services.children.example_child"


async def start(kinds: list[str], keep: list[object]) -> dict[str, Any]:
    """Start one server where ``redis``, ``rabbitmq`` or ``sqs`` is asked for, and one child of each other kind."""
    runtime = make_runtime_directory()
    told: dict[str, Any] = {"runtime": str(runtime), "redis": None, "children": []}
    for number, kind in enumerate(kinds):
        if kind == "redis":
            server = RedisServer(runtime)
            await server.start()
            keep.append(server)
            told |= {"redis": server.pid, "address": server.address}
        elif kind == "rabbitmq":
            node = RabbitMQServer(runtime)
            keep.append(node)
            await node.start()
        elif kind == "sqs":
            queues = SqsServer(runtime)
            keep.append(queues)
            await queues.start()
            told |= {"sqs": queues.pid, "address": queues.address}
        else:
            module, config = EXAMPLE, {"kind": kind}
            if kind == "layer":
                module, config = "demo_workers.services.layer", {"uds": str(runtime / f"{number}.sock")}
            child = Child(f"{kind} {number}", module, config, runtime / f"{number}.log")
            await child.start()
            keep.append(child)
            told["children"].append(child.pid)
    return told


def main() -> None:
    """Start from the main thread or, with ``thread``, from one that ends at once."""
    how, *kinds = sys.argv[1:]
    keep: list[object] = []

    def work() -> None:
        print(json.dumps(asyncio.run(start(kinds, keep))), flush=True)

    if how == "thread":
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        print("the thread has ended", flush=True)
    else:
        work()
    sys.stdin.read()


if __name__ == "__main__":
    main()

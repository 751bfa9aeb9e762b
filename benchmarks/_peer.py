"""What the gateway is compared with: a handler on the same HTTP server and the same kind of socket.

``python -m benchmarks._peer`` takes ``{"kind", "uds", "address", "queue"}`` on standard input, as a child of
``benchmarks.gateway``. ``fastapi`` is what a tutorial would write: a handler that checks the body with a model and
calls ``Queue.enqueue``. ``empty`` answers without reading anything: no handler on this server can be cheaper.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import uvloop

from demo_workers.queueing.connection import connect
from demo_workers.queueing.tasks import TASKS
from demo_workers.services.children import control
from demo_workers.services.gateway.web.asgi import Receive, Scope, Send
from demo_workers.services.gateway.web.http_server import HttpServer, unix_socket


async def empty(scope: Scope, receive: Receive, send: Send) -> None:
    """200 and nothing else."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def fastapi(config: dict[str, Any]) -> Any:
    """An application that enqueues. The handler blocks the loop, which is faster here than FastAPI's threads are."""
    from fastapi import FastAPI
    from pydantic import BaseModel
    from rq import Queue
    from rq.serializers import JSONSerializer

    class Order(BaseModel):
        task: str
        args: dict[str, Any]

    queue = Queue(config["queue"], connection=connect(config["address"]), serializer=JSONSerializer)
    app = FastAPI()

    async def post(order: Order) -> dict[str, str]:
        job = queue.enqueue(TASKS[order.task].path, kwargs=order.args, result_ttl=60, failure_ttl=60)
        return {"id": job.id, "status": "queued"}

    # said here and not in annotations, which this module keeps as text
    post.__annotations__ = {"order": Order, "return": dict[str, str]}
    app.post("/jobs", status_code=202)(post)
    return app


async def serve(config: dict[str, Any]) -> None:
    """Serve until the owner goes."""
    app = empty if config["kind"] == "empty" else fastapi(config)
    server = HttpServer(app, unix_socket(Path(config["uds"])))
    await server.start()
    control.watch_stdin()
    control.emit("ready", url=server.url)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(control.read_config()))

"""The process that answers like Amazon SQS: moto's SQS, and no other of its services, on a port of loopback.

``python -m demo_workers.services.servers.sqs_local``, started by ``sqs_server``. No web page may speak to it.
"""

from __future__ import annotations

import os
import shutil
import threading
from importlib.metadata import version
from pathlib import Path

import msgspec

from demo_workers.services.children import control

HOST = "127.0.0.1"


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """The directory to remove when the owner has gone."""

    runtime: str


def main() -> None:
    """Serve until the owner has gone."""
    config = msgspec.convert(control.read_config(), Config)
    control.watch_stdin(lambda: shutil.rmtree(Path(config.runtime), ignore_errors=True))
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    # both take a second, and the first reads the line above
    from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    server = make_server(HOST, 0, create_backend_app("sqs"), threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    control.emit("ready", port=server.server_port, version=version("moto"))
    threading.Event().wait()


if __name__ == "__main__":
    main()

"""A server on this machine that behaves like Amazon SQS: the owner's side.

It is right about visibility time-outs, long polling, groups, de-duplication and redrive. It says nothing about SQS's
speed, its prices, or the rare second delivery that comes from its own replication: whoever shows it says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from demo_workers.errors import LabError
from demo_workers.services.children.child import Child
from demo_workers.services.servers.sqs_local import HOST

LABEL = "SQS-compatible, local: behaviour only, never its speed"


class SqsServer:
    """An SQS-compatible server; what it holds is in memory and goes with it.

    Args:
        runtime: a directory made by ``make_runtime_directory``. ``stop()`` removes it, and so does the server when the
            owner dies.
        on_exit: called once on the loop when it ends without ``stop()`` having been asked.

    Attributes:
        address: what the broker takes: ``{"endpoint_url": ...}``.
        name: what it is, for people.
    """

    def __init__(self, runtime: Path, *, on_exit: Callable[[], None] | None = None) -> None:
        self._runtime = runtime
        self.address: dict[str, str] = {}
        self.name = ""
        self._child = Child(
            "SQS-compatible server",
            "demo_workers.services.servers.sqs_local",
            {"runtime": str(runtime)},
            runtime / "sqs.log",
            on_exit=lambda child: on_exit() if on_exit is not None else None,
        )

    @property
    def pid(self) -> int | None:
        """Its process id while it lives."""
        return self._child.pid if self._child.alive else None

    async def start(self, timeout_s: float = 30.0) -> None:
        """Start it; returns when it answers, after two seconds or so.

        Raises:
            LabError: it did not start in time, and nothing is left of it; or it was started before.
        """
        if self._child.pid is not None:
            raise LabError(f"{self.name}: was started before. Make a new SqsServer in a new runtime directory.")
        try:
            said = await self._child.start(timeout_s)
        except LabError:
            await self.stop()
            raise
        self.address = {"endpoint_url": f"http://{HOST}:{said['port']}"}
        self.name = f"moto {said['version']} ({LABEL})"

    def kill(self) -> None:
        """SIGKILL it: all that it holds is gone, which Amazon's own would not allow."""
        self._child.kill()

    async def stop(self) -> None:
        """End it; may be called twice and from any state."""
        await self._child.stop()
        shutil.rmtree(self._runtime, ignore_errors=True)

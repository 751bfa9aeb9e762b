"""``python -m demo_workers.services.clients``: the load generator as a child process.

Configuration: ``{"address": {"uds": path} | {"host": name, "port": number}}`` and, if wanted, ``"max_in_flight"``.
Commands: use, redirect, begin, steer, stop, cut, end, status. News: ready, tape_over, load_over.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

import uvloop

from demo_workers.errors import LabError
from demo_workers.scenario import Scenario
from demo_workers.services.children import control, time_limit
from demo_workers.services.children.hosted_policy import HostedPolicy, host
from demo_workers.services.clients.connection import Address
from demo_workers.services.clients.generator import MAX_IN_FLIGHT, Generator
from demo_workers.services.clients.priority import go_first

OTHER_FILES = 256
"""File descriptors that are not attempts in flight: idle connections, the record, pipes."""


class Clients:
    """The commands of the control pipe; one run at a time."""

    def __init__(self, address: Address, max_in_flight: int) -> None:
        self._address = address
        self._max_in_flight = max_in_flight
        self._generator: Generator | None = None
        self._next_try: HostedPolicy | None = None
        self._ended = True

    def use(self, *, policy: str, packed: dict[str, Any]) -> dict[str, Any]:
        """Try a retry policy written in a cell, and keep it for ``retry.policy=custom``; replies with its mistake."""
        hosted, reply = host(policy, packed)
        if hosted is not None:
            self._next_try = hosted
            if not self._ended:
                self._going.shared.next_try = hosted
        return reply

    def redirect(self, *, address: Address) -> None:
        """Go another way to the gateway from now on."""
        self._address = address
        if not self._ended:
            self._going.shared.http.redirect(address)

    def begin(
        self,
        *,
        run: str,
        origin: float,
        events: str,
        scenario: dict[str, Any],
        open_ended: bool = False,
        first_request: int = 0,
    ) -> dict[str, Any]:
        """Start the load of a run whose second 0 is ``origin`` on this machine's monotonic clock."""
        if not self._ended:
            raise LabError(f"run = {run!r}: must begin after the one before has ended. Send end first.")
        self._generator = Generator(
            self._address,
            Scenario.from_dict(scenario),
            origin=origin,
            events=Path(events),
            emit=control.emit,
            run=run,
            open_ended=open_ended,
            first_request=first_request,
            max_in_flight=self._max_in_flight,
            next_try=self._next_try,
        )
        self._ended = False
        self._generator.start()
        return {"run": run}

    def steer(self, *, scenario: dict[str, Any]) -> dict[str, Any]:
        """Turn knobs; replies with the time at which they took effect."""
        return {"t": self._going.steer(Scenario.from_dict(scenario))}

    def stop(self) -> None:
        """End the tape."""
        self._going.stop()

    def cut(self) -> dict[str, int]:
        """End every request that is still going."""
        return self._going.cut()

    def end(self) -> dict[str, Any]:
        """Close the record; replies with the counts."""
        counts = self._begun.end()
        self._ended = True
        return counts

    def status(self) -> dict[str, Any]:
        """Where the run is; ``running`` is false before the first one and after the last."""
        known = {} if self._generator is None else self._generator.status()
        return {"running": not self._ended, **known}

    @property
    def _begun(self) -> Generator:
        if self._generator is None:
            raise LabError("run = None: must have begun. Send begin first.")
        return self._generator

    @property
    def _going(self) -> Generator:
        if self._ended:
            raise LabError("run = None: must have begun and not ended. Send begin first.")
        return self._begun


def _allow_files(max_in_flight: int) -> int:
    """Ask for a file descriptor per attempt in flight; returns how many attempts are possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max_in_flight + OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(1, min(max_in_flight, wanted - OTHER_FILES))


def _die(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An error of ours ends the process, where the owner sees it; a socket's error is the socket's own affair."""
    error = context.get("exception")
    if isinstance(error, OSError) and "transport" in context:
        return
    print(f"clients: {context.get('message')}", file=sys.stderr)
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(1)


async def _serve(config: dict[str, Any]) -> None:
    asyncio.get_running_loop().set_exception_handler(_die)
    go_first()
    time_limit.arm()
    clients = Clients(config["address"], _allow_files(config.get("max_in_flight", MAX_IN_FLIGHT)))
    # Attempts leave no cycles behind, and what was imported stays: looking for garbage cost a quarter of the time.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    control.emit("ready")
    verbs = ("use", "redirect", "begin", "steer", "stop", "cut", "end", "status")
    await control.serve({verb: getattr(clients, verb) for verb in verbs})


def main() -> None:
    """Read the configuration and serve until the owner has gone."""
    uvloop.run(_serve(control.read_config()))


if __name__ == "__main__":
    main()

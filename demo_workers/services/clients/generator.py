"""The open loop: requests leave when the tape says so, whatever became of the ones before.

Nothing here waits for an answer, so a system that stalls is met by as many requests as one that does not, and the
latencies on record are counted from the intended times (no coordinated omission).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo_workers.records.events import EventWriter
from demo_workers.scenario import Scenario
from demo_workers.services.clients import messages
from demo_workers.services.clients.connection import Address, HttpClient
from demo_workers.services.clients.request import ClientRequest, Shared
from demo_workers.services.clients.timers import Timer, Timers
from demo_workers.tape import Tape

MAX_IN_FLIGHT = 8192
"""Attempts out at once, each with a socket of its own; one above it is an error on the record."""


class Generator:
    """Plays one tape against one address. Must be made while an event loop runs.

    Args:
        address: where the gateway listens.
        scenario: what to play.
        origin: value of ``time.monotonic()`` that is second 0 of the run.
        events: file of the event record.
        emit: tells the owner that the tape is over (``tape_over``) and that all requests have ended (``load_over``).
        open_ended: go on past the load's duration until ``stop``.
        max_in_flight: bound on attempts out at once.
    """

    def __init__(
        self,
        address: Address,
        scenario: Scenario,
        *,
        origin: float,
        events: Path,
        emit: Callable[[str], None],
        open_ended: bool = False,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        writer = EventWriter(events, origin)
        self._shared = Shared(
            scenario=scenario,
            http=HttpClient(address),
            host=messages.host(address),
            writer=writer,
            timers=Timers(writer.now),
            max_in_flight=max_in_flight,
            ended=self._ended,
        )
        self._emit = emit
        self._tape = Tape(scenario, open_ended=open_ended)
        self._over_s = math.inf if open_ended else scenario.load.duration_s
        self._next_s = math.inf
        self._timer: Timer | None = None
        self._going: dict[ClientRequest, None] = {}  # an ordered set
        self._stopped = self._load_over = self._closed = False

    def start(self) -> None:
        """Let the requests leave as they fall due."""
        self._look_ahead()

    def steer(self, scenario: Scenario) -> float:
        """Play another scenario from now on; returns the time at which it took effect (seconds since the origin)."""
        now = max(self._shared.writer.now(), 0.0)
        self._send_due(now)  # what was due before the change is not touched by it
        self._tape.steer(now, scenario)
        self._shared.scenario = scenario
        self._look_ahead()
        return now

    def stop(self) -> None:
        """End the tape; attempts and retries go on. May be called twice."""
        if self._stopped:
            return
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        self._emit("tape_over")
        self._check_load_over()

    def cut(self) -> dict[str, int]:
        """End every request that is still going.

        Returns:
            ``attempts_cut`` attempts that were out, now GAVE_UP, and ``retries_cut`` that were planned.
        """
        going = list(self._going)
        out = sum(request.in_flight for request in going)
        for request in going:
            request.cut()
        return {"attempts_cut": out, "retries_cut": len(going) - out}

    def end(self) -> dict[str, Any]:
        """Stop, cut, close the record and the connections; returns the counts. May be called twice."""
        if not self._closed:
            self.stop()
            self.cut()
            self._closed = True
            self._shared.timers.close()
            self._shared.http.close()
            self._shared.writer.close()
        return {**self._shared.counts.to_dict(), "lateness": self._shared.lateness.to_dict()}

    def status(self) -> dict[str, Any]:
        """Where the run is."""
        return {
            "t": self._shared.writer.now(),
            "tape_over": self._stopped,
            "load_over": self._load_over,
            "going": len(self._going),
            "in_flight": self._shared.http.in_flight,
            **self._shared.counts.to_dict(),
        }

    def _tick(self) -> None:
        self._send_due(self._shared.writer.now())
        self._look_ahead()

    def _send_due(self, now: float) -> None:
        while self._next_s <= now and not self._stopped:
            request = ClientRequest(self._shared, self._tape.pop())
            self._going[request] = None
            self._shared.counts.requests += 1
            request.send()
            self._next_s = self._tape.due_s

    def _look_ahead(self) -> None:
        """Wake up for the next request, or for the end of the tape."""
        if self._timer is not None:
            self._timer.cancel()
        if self._stopped:
            return
        self._next_s = self._tape.due_s
        if self._next_s < math.inf:
            self._timer = self._shared.timers.at(self._next_s, self._tick)
        elif self._over_s < math.inf:  # not before: a knob may bring more requests
            self._timer = self._shared.timers.at(self._over_s, self.stop)

    def _ended(self, request: ClientRequest) -> None:
        del self._going[request]
        self._check_load_over()

    def _check_load_over(self) -> None:
        if self._stopped and not self._going and not self._load_over:
            self._load_over = True
            self._emit("load_over")

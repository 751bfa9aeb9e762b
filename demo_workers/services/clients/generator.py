"""The load generator: requests leave when the tape says so.

In the open loop nothing here waits for an answer, so a system that stalls is met by as many requests as one that does
not, and the latencies on record are counted from the intended times (no coordinated omission). In the closed loop the
tape is told when a request has ended, and its client thinks again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo_workers.closed_tape import tape_of
from demo_workers.records.events import writer_to
from demo_workers.scenario import Scenario
from demo_workers.services.clients import messages
from demo_workers.services.clients.connection import Address, HttpClient
from demo_workers.services.clients.guards import Guards
from demo_workers.services.clients.request import ClientRequest, Shared
from demo_workers.services.clients.retrying import NextTry
from demo_workers.services.clients.timers import Timer, Timers

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
        run: the run's id, part of idempotency keys.
        open_ended: go on past the load's duration until ``stop``.
        first_request: what request 0 is called where it is sent to, for a gateway that knows other loads.
        max_in_flight: bound on attempts out at once.
        next_try: the retry policy ``custom``.
    """

    def __init__(
        self,
        address: Address,
        scenario: Scenario,
        *,
        origin: float,
        events: Path,
        emit: Callable[[str], None],
        run: str = "",
        open_ended: bool = False,
        first_request: int = 0,
        max_in_flight: int = MAX_IN_FLIGHT,
        next_try: NextTry | None = None,
    ) -> None:
        writer = writer_to(events, origin)
        self.shared = Shared(
            scenario=scenario,
            run=run,
            first_request=first_request,
            http=HttpClient(address),
            host=messages.host(address),
            writer=writer,
            timers=Timers(writer.now),
            max_in_flight=max_in_flight,
            ended=self._ended,
            guards=Guards(scenario.seed, scenario.retry),
            next_try=next_try,
        )
        self._emit = emit
        self._tape = tape_of(scenario, open_ended=open_ended)
        self._over_s = math.inf if open_ended else scenario.load.duration_s
        self._next_s = math.inf
        self._timer: Timer | None = None
        self._going: dict[ClientRequest, None] = {}  # an ordered set
        self._stopped = self._load_over = self._closed = False

    def start(self) -> None:
        """Let the requests leave as they fall due."""
        if self._over_s < math.inf:
            self.shared.timers.at(self._over_s, self._finish)
        self._look_ahead()

    def steer(self, scenario: Scenario) -> float:
        """Play another scenario from now on; returns the time at which it took effect (seconds since the origin).

        What was decided before is not touched: attempts that are out keep their patience, planned retries their time.
        """
        now = max(self.shared.writer.now(), 0.0)
        self._send_due(now)  # what was due before the change is not touched by it
        self._tape.steer(now, scenario)
        self.shared.scenario = scenario
        self.shared.guards.steer(scenario.retry)
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
        """End the tape and every request that is still going.

        Returns:
            ``attempts_cut`` attempts that were out, now GAVE_UP, and ``retries_cut`` that were planned.
        """
        self.stop()
        going = list(self._going)
        out = sum(request.in_flight for request in going)
        for request in going:
            request.cut()
        return {"attempts_cut": out, "retries_cut": len(going) - out}

    def end(self) -> dict[str, Any]:
        """Stop, cut, close the record and the connections; returns the counts. May be called twice."""
        if not self._closed:
            self.cut()
            self._closed = True
            self.shared.timers.close()
            self.shared.http.close()
            self.shared.writer.close()
        return self._counts()

    def status(self) -> dict[str, Any]:
        """Where the run is, and the counts so far; ``cpu_s`` is the processor time of this whole process."""
        return {
            "t": self.shared.writer.now(),
            "tape_over": self._stopped,
            "load_over": self._load_over,
            "going": len(self._going),
            "in_flight": self.shared.http.in_flight,
            "cpu_s": time.process_time(),
            **self._counts(),
        }

    def _counts(self) -> dict[str, Any]:
        shared = self.shared
        times = {"lateness": shared.lateness.to_dict(), "latency": shared.latency.to_dict()}
        return {**shared.counts.to_dict(), **times}

    def _tick(self) -> None:
        self._send_due(self.shared.writer.now())
        self._look_ahead()

    def _send_due(self, now: float) -> None:
        # ``now`` was looked at once: who ends at once and thinks no time falls due in the loop's next round
        while self._next_s <= now and not self._stopped:
            request = ClientRequest(self.shared, self._tape.pop())
            self._going[request] = None
            request.send()
            self._next_s = self._tape.due_s

    def _look_ahead(self) -> None:
        """Wake up for the next request."""
        if self._timer is not None:
            self._timer.cancel()
        if self._stopped:
            return
        self._next_s = self._tape.due_s
        if self._next_s < math.inf:
            self._timer = self.shared.timers.at(self._next_s, self._tick)

    def _finish(self) -> None:
        """The load's duration is over; until now a knob might have brought more requests."""
        self._send_due(self._over_s)
        self.stop()

    def _ended(self, request: ClientRequest, t: float) -> None:
        del self._going[request]
        if self._stopped:
            self._check_load_over()
            return
        self._tape.ended(request.number, t)
        if self._tape.due_s < self._next_s:
            self._look_ahead()

    def _check_load_over(self) -> None:
        if self._stopped and not self._going and not self._load_over:
            self._load_over = True
            self._emit("load_over")

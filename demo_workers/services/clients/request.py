"""One request of a virtual client: its attempts one after the other, until it succeeds or is given up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from demo_workers import tape
from demo_workers.policies.backoff import BackoffState
from demo_workers.records.events import ClientOutcome, EventWriter, Guard, Kind, NoRetry
from demo_workers.scenario import Scenario
from demo_workers.services.clients import messages
from demo_workers.services.clients.connection import Answer, Exchange, HttpClient
from demo_workers.services.clients.counts import Counts
from demo_workers.services.clients.guards import Guards
from demo_workers.services.clients.histogram import Histogram
from demo_workers.services.clients.retrying import Ended, NextTry, next_attempt
from demo_workers.services.clients.timers import Timer, Timers


@dataclass(kw_only=True)
class Shared:
    """What all requests of a run have in common.

    Attributes:
        scenario: in force now; replaced when knobs are turned.
        run: the run's id, part of idempotency keys.
        first_request: what request 0 is called on the wire.
        ended: called with each request at its end, and with when that was (seconds since the origin).
        guards: shared by all clients.
        next_try: the retry policy ``custom``, if there is one.
        lateness: how much later than intended the attempts left, or were held back.
        latency: of requests that succeeded, from when they were first intended.
    """

    scenario: Scenario
    run: str
    first_request: int
    http: HttpClient
    host: bytes
    writer: EventWriter
    timers: Timers
    max_in_flight: int
    ended: Callable[[ClientRequest, float], None]
    guards: Guards
    next_try: NextTry | None = None
    counts: Counts = field(default_factory=Counts)
    lateness: Histogram = field(default_factory=Histogram)
    latency: Histogram = field(default_factory=Histogram)


class ClientRequest:
    """A request from its first attempt to its end.

    Args:
        shared: the run's common parts.
        planned: the tape's entry.
    """

    __slots__ = (
        "_attempt",
        "_backoff",
        "_body",
        "_client",
        "_due_s",
        "_exchange",
        "_expires_s",
        "_expiry",
        "_first_due_s",
        "_headers",
        "_sent_s",
        "_shared",
        "_timer",
        "number",
    )

    def __init__(self, shared: Shared, planned: tape.Request) -> None:
        self._shared = shared
        self.number, self._client = planned.request, planned.client
        self._first_due_s = self._due_s = planned.due_s
        self._body = messages.body(planned.service_time_s, shared.scenario.service.work)
        self._headers = messages.URGENT if planned.urgent else b""
        if shared.scenario.retry.idempotency_key:
            self._headers += messages.idempotency_key(shared.run, self.number)
        self._attempt = 0
        self._backoff = BackoffState()
        self._exchange: Exchange | None = None
        self._timer: Timer | None = None  # of this attempt's patience, or of the next attempt
        self._sent_s = 0.0
        self._expires_s = math.inf
        self._expiry = ClientOutcome.TIMED_OUT

    @property
    def in_flight(self) -> bool:
        """Whether an attempt is out; otherwise the request waits for its next one."""
        return self._exchange is not None

    def send(self) -> None:
        """Let the next attempt leave now if the guards let it, on the record before on the wire."""
        shared = self._shared
        self._attempt += 1
        self._sent_s = now = shared.writer.now()
        if self._attempt == 1:
            shared.counts.requests += 1
            shared.guards.request_begins(now)
        shared.lateness.add(now - self._due_s)
        guard = shared.guards.hold_back(now, self.number, self._attempt)
        if guard is not None:
            self._hold_back(guard, now)
            return
        shared.writer.write(Kind.SENT, self.number, self._attempt, t=now, actor=self._client, value=self._due_s)
        shared.counts.attempts += 1
        if shared.http.in_flight >= shared.max_in_flight:
            self._close(ClientOutcome.ERRORED, now)
            return
        self._start_patience()
        self._exchange = shared.http.send(self._message(now), self._answered)

    def cut(self) -> None:
        """End the request for good, because the run is over."""
        if self._timer is not None:
            self._timer.cancel()
        if self._exchange is None:
            self._shared.ended(self, self._shared.writer.now())
        else:
            self._hang_up(ClientOutcome.GAVE_UP)

    def _message(self, now: float) -> bytes:
        shared, retry = self._shared, self._shared.scenario.retry
        headers = self._headers
        if retry.propagate_deadline and self._expires_s < math.inf:
            headers += messages.deadline(self._expires_s - now)
        request = shared.first_request + self.number
        return messages.attempt(shared.host, self._client, request, self._attempt, retry.timeout_s, self._body, headers)

    def _start_patience(self) -> None:
        # patience counts from the intended time, as latency does
        patient_until = self._due_s + _or_inf(self._shared.scenario.retry.timeout_s)
        deadline = self._deadline()
        self._expires_s = min(patient_until, deadline)
        self._expiry = ClientOutcome.TIMED_OUT if patient_until <= deadline else ClientOutcome.GAVE_UP
        self._timer = None
        if self._expires_s < math.inf:
            self._timer = self._shared.timers.at(self._expires_s, self._expire)

    def _deadline(self) -> float:
        return self._first_due_s + _or_inf(self._shared.scenario.retry.deadline_s)

    def _expire(self) -> None:
        self._hang_up(self._expiry)

    def _hang_up(self, outcome: ClientOutcome) -> None:
        assert self._exchange is not None
        self._shared.http.hang_up(self._exchange)  # the job goes on: zombie work
        self._close(outcome, self._shared.writer.now())

    def _answered(self, answer: Answer | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        now, outcome = self._shared.writer.now(), messages.outcome(answer)
        if outcome is ClientOutcome.SUCCEEDED and now > self._expires_s:  # a hair before our timer
            outcome = self._expiry
        self._close(outcome, now, answer)

    def _hold_back(self, guard: Guard, now: float) -> None:
        shared = self._shared
        shared.writer.write(
            Kind.HELD_BACK, self.number, self._attempt, t=now, code=guard, actor=self._client, value=self._due_s
        )
        shared.counts.held_back += 1
        self._go_on(Ended(self.number, self._attempt, ClientOutcome.REFUSED, now, self._deadline(), held_back=True))

    def _close(self, outcome: ClientOutcome, now: float, answer: Answer | None = None) -> None:
        """The attempt that had left is over."""
        shared, self._exchange = self._shared, None
        status = 0 if answer is None else answer.status
        shared.counts.attempt_ended(outcome, status)
        succeeded = outcome is ClientOutcome.SUCCEEDED
        shared.guards.attempt_ended(now, self._sent_s, failed=not succeeded)
        if succeeded:
            shared.latency.add(now - self._first_due_s)
        told_s = messages.retry_after_s(answer) if answer and outcome is ClientOutcome.REFUSED else None
        self._go_on(Ended(self.number, self._attempt, outcome, now, self._deadline(), told_s), status)

    def _go_on(self, ended: Ended, status: int = 0) -> None:
        """Put an attempt's end on the record, and plan the next one or end the request."""
        shared = self._shared
        self._backoff, decided = next_attempt(shared.scenario, ended, self._backoff, shared.guards, shared.next_try)
        if isinstance(decided, NoRetry):
            shared.counts.no_retry(decided)
            shared.writer.write(
                Kind.ANSWERED, self.number, self._attempt, t=ended.t, code=ended.outcome, status=status, actor=decided
            )
            shared.ended(self, ended.t)
            return
        shared.writer.write(
            Kind.ANSWERED, self.number, self._attempt, t=ended.t, code=ended.outcome, status=status, value=decided
        )
        self._due_s = ended.t + decided
        self._timer = shared.timers.at(self._due_s, self.send)


def _or_inf(bound_s: float | None) -> float:
    return math.inf if bound_s is None else bound_s

"""One request of a virtual client: its attempts one after the other, until it succeeds or is given up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from demo_workers import tape
from demo_workers.policies.backoff import BackoffState
from demo_workers.records.events import NAN, ClientOutcome, EventWriter, Kind
from demo_workers.scenario import Scenario
from demo_workers.services.clients import messages, retrying
from demo_workers.services.clients.connection import Answer, Exchange, HttpClient
from demo_workers.services.clients.counts import Counts, Lateness
from demo_workers.services.clients.timers import Timer, Timers


@dataclass(kw_only=True)
class Shared:
    """What all requests of a run have in common; ``scenario`` is replaced when knobs are turned."""

    scenario: Scenario
    http: HttpClient
    host: bytes
    writer: EventWriter
    timers: Timers
    max_in_flight: int
    ended: Callable[[ClientRequest], None]
    counts: Counts = field(default_factory=Counts)
    lateness: Lateness = field(default_factory=Lateness)


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
        "_number",
        "_shared",
        "_timer",
    )

    def __init__(self, shared: Shared, planned: tape.Request) -> None:
        self._shared = shared
        self._number, self._client = planned.request, planned.client
        self._first_due_s = self._due_s = planned.due_s
        self._body = messages.body(planned.service_time_s, shared.scenario.service.work)
        self._attempt = 0
        self._backoff = BackoffState()
        self._exchange: Exchange | None = None
        self._timer: Timer | None = None  # of this attempt's patience, or of the next attempt
        self._expires_s = math.inf
        self._expiry = ClientOutcome.TIMED_OUT

    @property
    def in_flight(self) -> bool:
        """Whether an attempt is out; otherwise the request waits for its next one."""
        return self._exchange is not None

    def send(self) -> None:
        """Let the next attempt leave now, on the record before on the wire."""
        shared, retry = self._shared, self._shared.scenario.retry
        self._attempt += 1
        sent_s = shared.writer.now()
        shared.writer.write(Kind.SENT, self._number, self._attempt, t=sent_s, actor=self._client, value=self._due_s)
        shared.counts.attempts += 1
        shared.lateness.add(sent_s - self._due_s)
        if shared.http.in_flight >= shared.max_in_flight:
            self._close(ClientOutcome.ERRORED, sent_s)
            return
        self._start_patience()
        self._exchange = shared.http.send(
            messages.attempt(shared.host, self._client, self._number, self._attempt, retry.timeout_s, self._body),
            self._answered,
        )

    def cut(self) -> None:
        """End the request for good, because the run is over."""
        if self._timer is not None:
            self._timer.cancel()
        if self._exchange is None:
            self._shared.ended(self)
        else:
            self._hang_up(ClientOutcome.GAVE_UP)

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

    def _close(self, outcome: ClientOutcome, now: float, answer: Answer | None = None) -> None:
        """The attempt is over: put it on the record and plan the next one, if there is one."""
        shared, self._exchange = self._shared, None
        status = 0 if answer is None else answer.status
        shared.counts.attempt_ended(outcome, status)
        told_s = messages.retry_after_s(answer) if answer and outcome is ClientOutcome.REFUSED else None
        self._backoff, backoff_s = retrying.backoff(
            shared.scenario, self._number, self._attempt, outcome, self._backoff, now, told_s
        )
        if backoff_s is not None and now + backoff_s >= self._deadline():
            backoff_s = None
        shared.writer.write(
            Kind.ANSWERED,
            self._number,
            self._attempt,
            t=now,
            code=outcome,
            status=status,
            value=NAN if backoff_s is None else backoff_s,
        )
        if backoff_s is None:
            shared.ended(self)
        else:
            self._due_s = now + backoff_s
            self._timer = shared.timers.at(self._due_s, self.send)


def _or_inf(bound_s: float | None) -> float:
    return math.inf if bound_s is None else bound_s

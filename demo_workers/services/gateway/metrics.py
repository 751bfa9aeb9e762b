"""``GET /metrics``: the gateway's plain counters, for Prometheus.

They are read when somebody asks, so that counting costs the load nothing. They go on from run to run, as counters
must; the ledger of a run counts that run alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest, openmetrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from demo_workers.services.gateway.inline import Inline
from demo_workers.services.gateway.state import State
from demo_workers.services.gateway.web.asgi import Receive, Scope
from demo_workers.services.gateway.web.problems import Answer

OUTCOMES = ("admitted", "duplicate", "shed", "throttled", "errored")
EVENTS = ("started", "finished", "failed", "cancelled", "dropped", "lost")
OPENMETRICS = "application/openmetrics-text"
OPENMETRICS_VERSION = "1.0.0"


class Metrics(Collector):
    """The handler, and what the official client library collects from.

    Args:
        state: the counters.
        inline: those of work without a queue.
    """

    def __init__(self, state: State, inline: Inline) -> None:
        self._state, self._inline = state, inline
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    async def __call__(self, scope: Scope, receive: Receive) -> Answer:
        """The counters as text, in the OpenMetrics form for whoever accepts it."""
        # the library's own choice would repeat whatever version the client names in a header of ours
        accepted = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
        if any(part.partition(";")[0].strip().lower() == OPENMETRICS for part in accepted.split(",")):
            kind = f"{OPENMETRICS}; version={OPENMETRICS_VERSION}; charset=utf-8"
            write = openmetrics.exposition.generate_latest
            body = write(self._registry, version=OPENMETRICS_VERSION)  # type: ignore[no-untyped-call]  # not typed there
        else:
            kind, body = CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self._registry)
        return Answer(200, [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))], body)

    def collect(self) -> Iterator[Metric]:
        """Called by the registry."""
        yield from self._counters()
        yield from self._gauges()
        sojourns = self._state.sojourns
        yield HistogramMetricFamily(
            "gateway_sojourn_seconds",
            "From a job's admission to its end.",
            buckets=sojourns.cumulative(),
            sum_value=sojourns.sum_s,
        )

    def _counters(self) -> Iterator[Metric]:
        counts = self._state.counts()
        attempts = CounterMetricFamily("gateway_attempts", "Attempts at POST /jobs, by outcome.", labels=["outcome"])
        for outcome in OUTCOMES:
            attempts.add_metric([outcome], counts[outcome])
        yield attempts
        jobs = CounterMetricFamily("gateway_jobs", "What has become of jobs.", labels=["event"])
        for event in EVENTS:
            jobs.add_metric([event], counts[event])
        yield jobs
        unasked = "Refusals that the script never saw: from memory, or by an admission policy."
        yield CounterMetricFamily("gateway_refusals_unasked", unasked, value=counts["unasked"])
        yield CounterMetricFamily("gateway_sync", "Requests whose work was done inline.", value=self._inline.done)

    def _gauges(self) -> Iterator[Metric]:
        state, limit = self._state, self._state.limit
        yield _gauge("gateway_depth", "Jobs that wait or run, as last heard.", state.depth)
        yield _gauge("gateway_limit", "Most of them; infinite for no limit.", math.inf if limit is None else limit)
        yield _gauge("gateway_asking", "Attempts that wait for their decision.", state.run.asking)
        yield _gauge("gateway_waiters", "Clients and streams that wait for a job's end.", state.waiters.count)
        yield _gauge("gateway_streams", "Streams that are open.", state.listeners.count)
        yield _gauge("gateway_sync_inside", "Requests being worked for inline, or in line for it.", self._inline.inside)
        yield _gauge("gateway_sync_threads", "Most that are worked for at once.", self._inline.threads)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
